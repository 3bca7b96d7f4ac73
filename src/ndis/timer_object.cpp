// SPDX-License-Identifier: MIT
//
// Setting, cancelling and expiry of timer objects. Page: ndis/nc-ndis-ndis_timer_function.
#include "ndis/timer_object.h"

#include <fmt/format.h>

#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/time.h"
#include "kernel/wait.h"

namespace undis {
namespace {

constexpr kernel::CallbackInfo kNetTimerCallback{"NetTimerCallback", DISPATCH_LEVEL, false};

kernel::Scheduling& scheduling() {
  return kernel::System::current().scheduling();
}

}  // namespace

void initialize_own_dpc(KDPC& dpc, PKDEFERRED_ROUTINE routine, void* context) noexcept {
  dpc = {};
  dpc.Type = static_cast<UCHAR>(kernel::DpcType::OfUndis);
  dpc.Importance = MediumImportance;
  dpc.DeferredRoutine = routine;
  dpc.DeferredContext = context;
}

TimerObject::TimerObject(kernel::Driver& driver, const NDIS_TIMER_CHARACTERISTICS& characteristics)
    : Service(HandleKind::Timer, driver,
              fmt::format("timer object '{}'", kernel::pool_tag_text(characteristics.AllocationTag).text)),
      function_(characteristics.TimerFunction), default_context_(characteristics.FunctionContext) {
  kernel::initialize_header(timer_.Header, kernel::DispatcherType::NotificationTimer, sizeof timer_, 0);
  initialize_own_dpc(dpc_, &TimerObject::expired, this);
}

TimerObject::~TimerObject() {
  if (kernel::System::current_or_null() != nullptr) stop();
}

bool TimerObject::set(LARGE_INTEGER due, LONG period_ms, void* context) noexcept {
  context_ = context != nullptr ? context : default_context_;
  period_ms_ = period_ms;
  return scheduling().timers.set(timer_, kernel::due_time(due),
                                 static_cast<machine::Ticks>(period_ms) * kernel::kTicksPerMillisecond, &dpc_,
                                 &driver());
}

bool TimerObject::cancel() noexcept {
  return scheduling().timers.cancel(timer_);
}

bool TimerObject::is_set() const noexcept {
  return scheduling().timers.is_active(timer_);
}

void TimerObject::stop() noexcept {
  scheduling().timers.cancel(timer_);
  scheduling().dpcs.remove(dpc_);
}

void TimerObject::abandon() {
  stop();
}

void TimerObject::expired(PKDPC dpc, PVOID object, PVOID, PVOID) {
  const Ref<TimerObject> alive(static_cast<TimerObject*>(object));  // the function may free its own timer
  const LARGE_INTEGER now{.QuadPart = static_cast<LONGLONG>(kernel::now())};
  kernel::call_driver(&alive->driver(), kNetTimerCallback, alive.get(), alive->context_, alive->function_,
                      static_cast<PVOID>(dpc), alive->context_,
                      reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(now.LowPart)),
                      reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(static_cast<ULONG>(now.HighPart))));
}

}  // namespace undis
