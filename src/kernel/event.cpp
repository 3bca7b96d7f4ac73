// SPDX-License-Identifier: MIT
//
// Events: KEVENT for drivers, Event for undis itself.
//
// Pages   wdm/nf-wdm-keinitializeevent, -kesetevent, -keresetevent, -keclearevent, -kereadstateevent
// IRQL    <= DISPATCH_LEVEL; KeSetEvent with Wait TRUE: <= APC_LEVEL
#include <array>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/system.h"
#include "kernel/unicode.h"
#include "kernel/wait.h"
#include "machine/footprint.h"
#include "machine/machine.h"

namespace undis::kernel {

void initialize_event(KEVENT& event, DispatcherType type, bool set) noexcept {
  machine::tell_touched(&event, sizeof event, true);
  initialize_header(event.Header, type, sizeof event, set ? 1 : 0);
}

LONG set_event(KEVENT& event) noexcept {
  machine::tell_touched(&event, sizeof event, true);
  const Hold hold(dispatcher_lock);
  const LONG before = event.Header.SignalState;
  event.Header.SignalState = 1;
  if (before == 0) wake_waiters(event.Header);
  return before;
}

LONG reset_event(KEVENT& event) noexcept {
  machine::tell_touched(&event, sizeof event, true);
  const Hold hold(dispatcher_lock);
  const LONG before = event.Header.SignalState;
  event.Header.SignalState = 0;
  return before;
}

namespace {

bool check_event(const KEVENT* event, const char* function) {
  return check_header(event->Header, DispatcherType::NotificationEvent, DispatcherType::SynchronizationEvent,
                      function, "an event");
}

bool is_signalled(const KEVENT& event) noexcept {
  const Hold hold(dispatcher_lock);
  return event.Header.SignalState > 0;
}

/// The name is put together for who has to wait, and stands as long as he does.
NTSTATUS await(KEVENT& event, const WaitName& name, Deadline deadline) noexcept {
  constexpr std::size_t kLongest = 200;
  std::array<char, kLongest> whole;
  const char* text = name.what;
  if (name.of != nullptr && !is_signalled(event)) {
    *fmt::format_to_n(whole.data(), whole.size() - 1, "{}: {}", *name.of, name.what).out = '\0';
    text = whole.data();
  }
  DISPATCHER_HEADER* const object = &event.Header;
  return undis::kernel::wait_for("a wait of undis", {&object, 1}, false, deadline, text);
}

}  // namespace

Event::Event(WaitName name) noexcept : name_(name) {
  initialize_event(event_, DispatcherType::NotificationEvent, false);
}

void Event::set() noexcept {
  schedule_point("set event");
  set_event(event_);
  schedule_point("event set");
}

void Event::reset() noexcept {
  reset_event(event_);
}

bool Event::is_set() const noexcept {
  return is_signalled(event_);
}

void Event::wait() noexcept {
  schedule_point("wait for event");
  await(event_, name_, {});
  schedule_point("event waited for");
}

bool Event::wait_for(std::uint64_t ticks) noexcept {
  schedule_point("wait for event");
  const NTSTATUS status = await(event_, name_, {.at = now() + ticks, .at_once = ticks == 0});
  schedule_point("event waited for");
  return status != STATUS_TIMEOUT;
}

}  // namespace undis::kernel

using namespace undis::kernel;

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
  initialize_event(*Event,
                   Type == NotificationEvent ? DispatcherType::NotificationEvent
                                             : DispatcherType::SynchronizationEvent,
                   State != FALSE);
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY, BOOLEAN Wait) {
  const KernelCall call("KeSetEvent", Wait != FALSE ? APC_LEVEL : DISPATCH_LEVEL, KernelCall::Tells::All);
  return check_event(Event, call.name()) ? set_event(*Event) : 0;
}

LONG KePulseEvent(PRKEVENT Event, KPRIORITY, BOOLEAN Wait) {
  const KernelCall call("KePulseEvent", Wait != FALSE ? APC_LEVEL : DISPATCH_LEVEL);
  if (!check_event(Event, call.name())) return 0;
  const LONG before = set_event(*Event);
  reset_event(*Event);
  return before;
}

LONG KeResetEvent(PRKEVENT Event) {
  const KernelCall call("KeResetEvent", DISPATCH_LEVEL, KernelCall::Tells::All);
  return check_event(Event, call.name()) ? reset_event(*Event) : 0;
}

VOID KeClearEvent(PRKEVENT Event) {
  const KernelCall call("KeClearEvent", DISPATCH_LEVEL, KernelCall::Tells::All);
  if (check_event(Event, call.name())) reset_event(*Event);
}

// ---- named events ----

namespace {

/// A reference for as long as the handle is open, as the page has it: the caller keeps the handle, not the
/// pointer.
PKEVENT create_event(const char* function, PUNICODE_STRING name, PHANDLE handle, DispatcherType type) {
  const KernelCall call(function, PASSIVE_LEVEL);
  if (fault_point(function)) return nullptr;
  ObjectTable& objects = System::current().objects();
  const std::string text = to_utf8(view(name));
  auto* event = static_cast<KEVENT*>(objects.reference_by_name(ObjectKind::Event, text));
  if (event == nullptr) {
    event = new KEVENT;
    initialize_event(*event, type, true);  // the page: a new event is signaled
    objects.add(event, ObjectKind::Event, text, [event] { delete event; });
  }
  *handle = objects.open(event, current_driver());
  objects.dereference(event);
  return event;
}

}  // namespace

PKEVENT IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle) {
  return create_event("IoCreateNotificationEvent", EventName, EventHandle, DispatcherType::NotificationEvent);
}

PKEVENT IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle) {
  return create_event("IoCreateSynchronizationEvent", EventName, EventHandle,
                      DispatcherType::SynchronizationEvent);
}

LONG KeReadStateEvent(PRKEVENT Event) {
  const KernelCall call("KeReadStateEvent", DISPATCH_LEVEL);
  return check_event(Event, call.name()) ? Event->Header.SignalState : 0;
}
