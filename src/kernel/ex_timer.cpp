// SPDX-License-Identifier: MIT
//
// EX_TIMER: timers that the system allocates, with a callback instead of a DPC.
//
// Pages   wdm/nf-wdm-exallocatetimer, -exsettimer, -excanceltimer, -exdeletetimer; nc-wdm-ext_callback
// IRQL    <= DISPATCH_LEVEL; ExDeleteTimer with Wait TRUE: <= APC_LEVEL; the callback runs at DISPATCH_LEVEL
// Beyond  Every timer expires exactly when it is due, whatever its attributes and its tolerance are.
#include <memory>
#include <new>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/time.h"
#include "kernel/wait.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kExtCallback{"EXT_CALLBACK", DISPATCH_LEVEL, false};
constexpr CallbackInfo kExtDeleteCallback{"EXT_DELETE_CALLBACK", DISPATCH_LEVEL, true};

void expired(PKDPC, PVOID timer, PVOID, PVOID);

}  // namespace
}  // namespace undis::kernel

/// What a PEX_TIMER points at. Threads can wait on it: the KTIMER comes first.
struct _EX_TIMER {
  KTIMER timer;
  KDPC dpc;
  undis::kernel::callback<VOID(PEX_TIMER, PVOID)> routine;
  PVOID context;
  undis::kernel::Driver* driver;
  bool in_callback;
  bool deleted;  // by its own callback, or while it runs: freed when the callback has returned
  undis::kernel::callback<VOID(PVOID)> delete_routine;
  PVOID delete_context;
};

namespace undis::kernel {
namespace {

TimerTable& timers() {
  return System::current().scheduling().timers;
}
DpcQueues& dpcs() {
  return System::current().scheduling().dpcs;
}

void destroy(PEX_TIMER timer) {
  const auto routine = timer->delete_routine;
  const PVOID context = timer->delete_context;
  Driver* const driver = timer->driver;
  delete timer;
  if (routine) call_driver(driver, kExtDeleteCallback, nullptr, context, routine, context);
}

void expired(PKDPC, PVOID context, PVOID, PVOID) {
  auto* const timer = static_cast<PEX_TIMER>(context);
  timer->in_callback = true;
  call_driver(timer->driver, kExtCallback, timer, timer->context, timer->routine, timer, timer->context);
  timer->in_callback = false;
  if (timer->deleted) destroy(timer);
}

bool check(PEX_TIMER timer, const char* function) {
  return check_header(timer->timer.Header, DispatcherType::NotificationTimer,
                      DispatcherType::SynchronizationTimer, function,
                      "a timer that ExAllocateTimer did not return, or one");
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

PEX_TIMER ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes) {
  const KernelCall call("ExAllocateTimer", DISPATCH_LEVEL);
  if ((Attributes & EX_TIMER_HIGH_RESOLUTION) != 0 && (Attributes & EX_TIMER_NO_WAKE) != 0) {
    report_misuse(
        Misuse::BadParameter, call.name(), nullptr,
        "EX_TIMER_HIGH_RESOLUTION and EX_TIMER_NO_WAKE exclude each other; Windows stops with a bug check");
    return nullptr;
  }
  if (fault_point(call.name())) return nullptr;
  auto* const timer = new (std::nothrow) _EX_TIMER{};
  if (timer == nullptr) return nullptr;
  initialize_header(timer->timer.Header,
                    (Attributes & EX_TIMER_NOTIFICATION) != 0 ? DispatcherType::NotificationTimer
                                                              : DispatcherType::SynchronizationTimer,
                    sizeof timer->timer, 0);
  timer->routine = Callback;
  timer->context = CallbackContext;
  timer->driver = current_driver();
  if (timer->driver == nullptr)
    timer->driver = System::current().driver_at(reinterpret_cast<const void*>(Callback));
  initialize_own_dpc(timer->dpc, &expired, timer);
  return timer;
}

BOOLEAN ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS) {
  const KernelCall call("ExSetTimer", DISPATCH_LEVEL);
  if (!check(Timer, call.name())) return FALSE;
  constexpr LONGLONG kLongest = 0x7FFFFFFF;
  if (Period < 0 || Period > kLongest) {
    report_misuse(Misuse::BadParameter, call.name(), Timer,
                  fmt::format("a period of {} is not within 0 and MAXLONG", Period));
    Period = 0;
  }
  LARGE_INTEGER due;
  due.QuadPart = DueTime;
  const bool was_set = timers().set(Timer->timer, due_time(due), static_cast<undis::machine::Ticks>(Period),
                                    Timer->routine ? &Timer->dpc : nullptr, Timer->driver);
  return was_set ? TRUE : FALSE;
}

BOOLEAN ExCancelTimer(PEX_TIMER Timer, PEXT_SET_PARAMETERS) {
  const KernelCall call("ExCancelTimer", DISPATCH_LEVEL);
  return check(Timer, call.name()) && timers().cancel(Timer->timer) ? TRUE : FALSE;
}

BOOLEAN ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters) {
  const KernelCall call("ExDeleteTimer", Wait != FALSE ? APC_LEVEL : DISPATCH_LEVEL);
  if (!check(Timer, call.name())) return FALSE;
  if (Wait != FALSE && Cancel == FALSE) {
    report_misuse(Misuse::BadParameter, call.name(), Timer,
                  "Wait TRUE needs Cancel TRUE; Windows stops with a bug check");
  }
  if (Parameters != nullptr) {
    Timer->delete_routine = Parameters->DeleteCallback;
    Timer->delete_context = Parameters->DeleteContext;
  }
  // An expiry that has been signaled calls back in any case; one that is not awaited frees the timer itself.
  const bool was_set = timers().cancel(Timer->timer);
  const bool due = dpcs().is_queued(Timer->dpc) || Timer->in_callback;
  if (due && Wait != FALSE && irql() < DISPATCH_LEVEL) {
    dpcs().flush();
  } else if (due) {
    Timer->deleted = true;
    return Cancel != FALSE && was_set ? TRUE : FALSE;
  }
  destroy(Timer);
  return Cancel != FALSE && was_set ? TRUE : FALSE;
}

ULONG ExSetTimerResolution(ULONG, BOOLEAN) {
  const KernelCall call("ExSetTimerResolution", PASSIVE_LEVEL);
  return kClockInterval;
}

VOID ExQueryTimerResolution(PULONG MaximumTime, PULONG MinimumTime, PULONG CurrentTime) {
  const KernelCall call("ExQueryTimerResolution", PASSIVE_LEVEL);
  constexpr ULONG kFinest = 5'000;  // 0.5 ms, as Windows answers
  *MaximumTime = kClockInterval;
  *MinimumTime = kFinest;
  *CurrentTime = kClockInterval;
}
