// SPDX-License-Identifier: MIT
//
// Timers: timer objects of NDIS 6 (NDIS' memory), NDIS_TIMER and NDIS_MINIPORT_TIMER of NDIS 5 (the driver's
// memory).
//
// Beyond  A coalescable timer's tolerance is never used: it expires when it is due.
#include <climits>

#include <fmt/format.h>

#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "ndis/send_queue.h"
#include "ndis/timer_object.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr kernel::CallbackInfo kMiniportTimer{"MiniportTimer", DISPATCH_LEVEL, false};

kernel::Scheduling& scheduling() {
  return kernel::System::current().scheduling();
}

bool check_timer(const DdiCall& call, const KTIMER& timer) {
  return kernel::check_header(timer.Header, kernel::DispatcherType::NotificationTimer,
                              kernel::DispatcherType::SynchronizationTimer, call.name(), "a timer");
}

void initialize(const DdiCall& call, KTIMER& timer) {
  if (scheduling().timers.is_active(timer)) {
    report_misuse(Misuse::BadParameter, call.name(), &timer, "a timer is initialised while it is set");
    scheduling().timers.cancel(timer);
  }
  timer = {};
  kernel::initialize_header(timer.Header, kernel::DispatcherType::NotificationTimer, sizeof timer, 0);
}

void set(const DdiCall& call, KTIMER& timer, KDPC& dpc, UINT milliseconds, UINT period) {
  if (!check_timer(call, timer)) return;
  scheduling().timers.set(timer, kernel::now() + milliseconds * kernel::kTicksPerMillisecond,
                          period * kernel::kTicksPerMillisecond, &dpc, &call.driver());
}

BOOLEAN cancel(const DdiCall& call, KTIMER& timer) {
  return check_timer(call, timer) && scheduling().timers.cancel(timer) ? TRUE : FALSE;
}

void miniport_timer_expired(PKDPC dpc, PVOID object, PVOID argument1, PVOID argument2) {
  auto* const timer = static_cast<NDIS_MINIPORT_TIMER*>(object);
  auto* const driver = reinterpret_cast<kernel::Driver*>(static_cast<std::uintptr_t>(dpc->ProcessorHistory));
  const Ref<Adapter> adapter = Library::current().handles().find<Adapter>(timer->Miniport);
  if (!adapter || adapter->was_halted()) {
    tell_breach("HaltNoOutstanding", *driver, "MiniportTimer", adapter ? adapter->name() : std::string(),
                "a timer of NdisMInitializeTimer expires after its adapter was halted: MiniportHalt cancels "
                "it, and waits for "
                "its function if it could not");
    scheduling().timers.cancel(timer->Timer);
    return;
  }
  void* const context = timer->MiniportTimerContext;
  const kernel::callback<NDIS_TIMER_FUNCTION> function(timer->MiniportTimerFunction);
  // All that it needs is taken out of the timer now: the driver may free it before its turn comes.
  call_in_turn(*adapter, timer, [=] {
    kernel::call_driver(driver, kMiniportTimer, adapter.get(), context, function, static_cast<PVOID>(dpc),
                        context, argument1, argument2);
  });
}

/// A function that only waits for its turn counts as set: it is taken out of the line and never called.
BOOLEAN cancel_miniport_timer(const DdiCall& call, NDIS_MINIPORT_TIMER& timer) {
  const BOOLEAN was_set = cancel(call, timer.Timer);
  const Ref<Adapter> adapter = Library::current().handles().find<Adapter>(timer.Miniport);
  return adapter && take_out_of_line(*adapter, &timer) ? TRUE : was_set;
}

BOOLEAN set_object(const DdiCall& call, NDIS_HANDLE handle, LARGE_INTEGER due, LONG period, PVOID context) {
  const Ref<TimerObject> timer = call.find<TimerObject>("TimerObject", handle, HandleKind::Timer);
  if (!timer) return FALSE;
  if (period < 0) {
    report_misuse(Misuse::BadParameter, call.name(), handle,
                  fmt::format("a period of {} ms is negative", period), timer->origin());
    period = 0;
  }
  return timer->set(due, period, context) ? TRUE : FALSE;
}

}  // namespace

// ---- NDIS 6 ----

// Page    ndis/nf-ndis-ndisallocatetimerobject                       IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisAllocateTimerObject(NDIS_HANDLE NdisHandle, PNDIS_TIMER_CHARACTERISTICS TimerCharacteristics,
                                    PNDIS_HANDLE pTimerObject) {
  const DdiCall call(Ddi::NdisAllocateTimerObject);
  if (pTimerObject == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  *pTimerObject = nullptr;
  if (!check_caller_handle(call, "NdisHandle", NdisHandle)) return call.returns(NDIS_STATUS_FAILURE);
  if (TimerCharacteristics == nullptr || TimerCharacteristics->TimerFunction == nullptr ||
      TimerCharacteristics->Header.Type != NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS ||
      TimerCharacteristics->Header.Revision < NDIS_TIMER_CHARACTERISTICS_REVISION_1 ||
      TimerCharacteristics->Header.Size < NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1)
    return call.returns(NDIS_STATUS_BAD_CHARACTERISTICS);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<TimerObject> timer(new TimerObject(call.driver(), *TimerCharacteristics));
  if (const Ref<Adapter> adapter = Library::current().handles().find<Adapter>(NdisHandle); adapter)
    timer->made_for(adapter.get());
  if (is_generic_object(NdisHandle)) timer->made_for(NdisHandle);
  if (!Library::current().services().open(*timer)) return call.returns(NDIS_STATUS_RESOURCES);
  *pTimerObject = timer->handle();
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndissettimerobject                            IRQL  <= DISPATCH_LEVEL
BOOLEAN NdisSetTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                           PVOID FunctionContext) {
  const DdiCall call(Ddi::NdisSetTimerObject);
  return set_object(call, TimerObject, DueTime, MillisecondsPeriod, FunctionContext);
}

// Page    ndis/nf-ndis-ndissetcoalescabletimerobject                 IRQL  <= DISPATCH_LEVEL
BOOLEAN NdisSetCoalescableTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                                      PVOID FunctionContext, ULONG Tolerance) {
  const DdiCall call(Ddi::NdisSetCoalescableTimerObject);
  UNREFERENCED_PARAMETER(Tolerance);
  return set_object(call, TimerObject, DueTime, MillisecondsPeriod, FunctionContext);
}

// Page    ndis/nf-ndis-ndiscanceltimerobject     IRQL  <= DISPATCH_LEVEL, PASSIVE_LEVEL for a periodic timer
BOOLEAN NdisCancelTimerObject(NDIS_HANDLE TimerObject) {
  const DdiCall call(Ddi::NdisCancelTimerObject);
  const Ref<undis::TimerObject> timer =
      call.find<undis::TimerObject>("TimerObject", TimerObject, HandleKind::Timer);
  if (!timer) return FALSE;
  const bool was_set = timer->cancel();
  if (timer->is_periodic()) {
    kernel::check_irql(call.name(), PASSIVE_LEVEL);
    if (kernel::irql() < DISPATCH_LEVEL)
      scheduling().dpcs.flush();  // its callback runs nowhere when this returns
  }
  return was_set ? TRUE : FALSE;
}

// Page    ndis/nf-ndis-ndisfreetimerobject                           IRQL  <= DISPATCH_LEVEL
VOID NdisFreeTimerObject(NDIS_HANDLE TimerObject) {
  const DdiCall call(Ddi::NdisFreeTimerObject);
  const Ref<undis::TimerObject> timer =
      call.find<undis::TimerObject>("TimerObject", TimerObject, HandleKind::Timer);
  if (!timer) return;
  if (timer->is_set() || timer->is_queued())
    report_misuse(Misuse::BadParameter, call.name(), TimerObject,
                  timer->is_set() ? "the timer is freed while it is set; NdisCancelTimerObject comes first"
                                  : "the timer is freed while its callback is due; it must have run before",
                  timer->origin());
  timer->stop();
  Library::current().services().close(*timer);
}

// ---- NDIS 5 ----

// Page    none is left (NDIS 5)                                      IRQL  any
VOID NTAPI NdisInitializeTimer(PNDIS_TIMER Timer, PNDIS_TIMER_FUNCTION TimerFunction, PVOID FunctionContext) {
  const DdiCall call(Ddi::NdisInitializeTimer);
  initialize(call, Timer->Timer);
  // The function has the shape of a DPC's, so that there is nothing to remember beside it.
  KeInitializeDpc(&Timer->Dpc, reinterpret_cast<PKDEFERRED_ROUTINE>(TimerFunction), FunctionContext);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisSetTimer(PNDIS_TIMER Timer, UINT MillisecondsToDelay) {
  const DdiCall call(Ddi::NdisSetTimer);
  set(call, Timer->Timer, Timer->Dpc, MillisecondsToDelay, 0);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisSetTimerEx(PNDIS_TIMER NdisTimer, UINT MillisecondsToDelay, PVOID FunctionContext) {
  const DdiCall call(Ddi::NdisSetTimerEx);
  if (!check_timer(call, NdisTimer->Timer)) return;
  NdisTimer->Dpc.DeferredContext = FunctionContext;
  set(call, NdisTimer->Timer, NdisTimer->Dpc, MillisecondsToDelay, 0);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisCancelTimer(PNDIS_TIMER Timer, PBOOLEAN TimerCancelled) {
  const DdiCall call(Ddi::NdisCancelTimer);
  const BOOLEAN cancelled = cancel(call, Timer->Timer);
  if (TimerCancelled != nullptr) *TimerCancelled = cancelled;
}

// Page    none is left (NDIS 5)                                      IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMInitializeTimer(PNDIS_MINIPORT_TIMER Timer, NDIS_HANDLE MiniportAdapterHandle,
                                PNDIS_TIMER_FUNCTION TimerFunction, PVOID FunctionContext) {
  const DdiCall call(Ddi::NdisMInitializeTimer);
  call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  initialize(call, Timer->Timer);
  Timer->MiniportTimerFunction = TimerFunction;
  Timer->MiniportTimerContext = FunctionContext;
  Timer->Miniport = static_cast<PNDIS_MINIPORT_BLOCK>(MiniportAdapterHandle);
  Timer->NextTimer = nullptr;
  initialize_own_dpc(Timer->Dpc, &miniport_timer_expired, Timer);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisMSetTimer(PNDIS_MINIPORT_TIMER Timer, UINT MillisecondsToDelay) {
  const DdiCall call(Ddi::NdisMSetTimer);
  set(call, Timer->Timer, Timer->Dpc, MillisecondsToDelay, 0);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisMSetPeriodicTimer(PNDIS_MINIPORT_TIMER Timer, UINT MillisecondsPeriod) {
  const DdiCall call(Ddi::NdisMSetPeriodicTimer);
  set(call, Timer->Timer, Timer->Dpc, MillisecondsPeriod, MillisecondsPeriod);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
VOID NTAPI NdisMCancelTimer(PNDIS_MINIPORT_TIMER Timer, PBOOLEAN TimerCancelled) {
  const DdiCall call(Ddi::NdisMCancelTimer);
  const BOOLEAN cancelled = cancel_miniport_timer(call, *Timer);
  if (TimerCancelled != nullptr) *TimerCancelled = cancelled;
}
