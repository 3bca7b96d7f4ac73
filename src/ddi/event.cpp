// SPDX-License-Identifier: MIT
//
// NDIS events, and sleeping.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/time.h"
#include "kernel/wait.h"

using namespace undis;

namespace {

constexpr ULONG kLongestSleep = 30'000'000;  // microseconds; the page of NdisMSleep
constexpr machine::Ticks kTicksPerMicrosecond = 10;

bool check_event(const NDIS_EVENT* event, const char* function) {
  return kernel::check_header(event->Event.Header, kernel::DispatcherType::NotificationEvent,
                              kernel::DispatcherType::SynchronizationEvent, function, "an event");
}

}  // namespace

// Page    ndis/nf-ndis-ndisinitializeevent                           IRQL  any
VOID NdisInitializeEvent(PNDIS_EVENT Event) {
  const DdiCall call(Ddi::NdisInitializeEvent);
  kernel::initialize_event(Event->Event, kernel::DispatcherType::NotificationEvent, false);
}

// Page    ndis/nf-ndis-ndissetevent                                  IRQL  <= DISPATCH_LEVEL
VOID NdisSetEvent(PNDIS_EVENT Event) {
  const DdiCall call(Ddi::NdisSetEvent, nullptr, DdiCall::Tells::All);
  if (check_event(Event, call.name())) kernel::set_event(Event->Event);
}

// Page    ndis/nf-ndis-ndisresetevent                                IRQL  <= DISPATCH_LEVEL
VOID NdisResetEvent(PNDIS_EVENT Event) {
  const DdiCall call(Ddi::NdisResetEvent, nullptr, DdiCall::Tells::All);
  if (check_event(Event, call.name())) kernel::reset_event(Event->Event);
}

// Page    ndis/nf-ndis-ndiswaitevent                                 IRQL  PASSIVE_LEVEL
BOOLEAN NdisWaitEvent(PNDIS_EVENT Event, UINT MsToWait) {
  const DdiCall call(Ddi::NdisWaitEvent, nullptr, DdiCall::Tells::All);
  kernel::Deadline deadline;
  if (MsToWait != 0) deadline.at = kernel::now() + MsToWait * kernel::kTicksPerMillisecond;
  DISPATCHER_HEADER* const object = &Event->Event.Header;
  return kernel::wait_for(call.name(), {&object, 1}, false, deadline) == STATUS_WAIT_0 ? TRUE : FALSE;
}

// Page    ndis/nf-ndis-ndismsleep                                    IRQL  < DISPATCH_LEVEL
// Beyond  At DISPATCH_LEVEL it is told, and the processor is held for that time.
VOID NdisMSleep(ULONG MicrosecondsToSleep) {
  const DdiCall call(Ddi::NdisMSleep);
  if (MicrosecondsToSleep > kLongestSleep)
    kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), nullptr,
                          fmt::format("a sleep of {} microseconds is asked for; {} is the longest",
                                      MicrosecondsToSleep, kLongestSleep));
  const machine::Ticks ticks = MicrosecondsToSleep * kTicksPerMicrosecond;
  if (kernel::irql() >= DISPATCH_LEVEL) {
    kernel::System::current().machine().stall(ticks);
  } else {
    kernel::sleep_until(call.name(), kernel::now() + ticks);
  }
}
