// SPDX-License-Identifier: MIT
//
// Waiting for dispatcher objects: KeWaitForSingleObject, KeWaitForMultipleObjects, KeDelayExecutionThread.
//
// Pages   wdm/nf-wdm-kewaitforsingleobject, -kewaitformultipleobjects, -kedelayexecutionthread,
// -kewaitformutexobject IRQL    <= APC_LEVEL; <= DISPATCH_LEVEL with a timeout of zero Beyond  Waits are
// never alertable: there are no APCs. A wait that blocks at DISPATCH_LEVEL is reported, then done all the
// same, but
//         in a DPC it is the bug check that Windows makes of it (ATTEMPTED_SWITCH_FROM_DPC).
#include "kernel/wait.h"

#include <array>
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/bug_check.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/time.h"
#include "machine/footprint.h"

namespace undis::kernel {

Lock dispatcher_lock;

void initialize_header(DISPATCHER_HEADER& header, DispatcherType type, std::size_t size,
                       LONG state) noexcept {
  header.LockNV = 0;
  header.Type = static_cast<UCHAR>(type);
  header.Size = static_cast<UCHAR>(size / sizeof(LONG));
  header.SignalState = state;
  InitializeListHead(&header.WaitListHead);
}

std::optional<DispatcherType> type_of(const DISPATCHER_HEADER& header) noexcept {
  // The list is linked to itself or to a waiter: never null in an initialised object, always null in zeroed
  // memory. The type is read first: a wild pointer faults here, with no lock held.
  const auto type = static_cast<DispatcherType>(*static_cast<const volatile UCHAR*>(&header.Type));
  {
    const Hold hold(dispatcher_lock);
    if (header.WaitListHead.Flink == nullptr || header.WaitListHead.Blink == nullptr) return std::nullopt;
  }
  switch (type) {
  case DispatcherType::NotificationEvent:
  case DispatcherType::SynchronizationEvent:
  case DispatcherType::Mutant:
  case DispatcherType::Semaphore:
  case DispatcherType::Thread:
  case DispatcherType::NotificationTimer:
  case DispatcherType::SynchronizationTimer:
    return type;
  }
  return std::nullopt;
}

bool check_header(const DISPATCHER_HEADER& header, DispatcherType type, DispatcherType other,
                  const char* function, const char* what) noexcept {
  const auto found = type_of(header);
  if (found == type || found == other) return true;
  report_misuse(Misuse::ObjectNotInitialized, function, &header,
                fmt::format("{} was given {} that was never initialised, was freed or was overwritten",
                            function, what));
  return false;
}

namespace {

bool is_signaled_for(const DISPATCHER_HEADER& header, const Thread& thread) noexcept {
  machine::tell_touched(&header, sizeof header, true);  // taken at once, or waited for
  if (header.SignalState > 0) return true;
  if (header.Type != static_cast<UCHAR>(DispatcherType::Mutant)) return false;
  // The owner may take a mutex again.
  return CONTAINING_RECORD(&header, KMUTANT, Header)->OwnerThread == const_cast<Thread&>(thread).object();
}

/// The thread gets the object. Returns STATUS_ABANDONED if a mutex was left by a thread that ended, else
/// STATUS_SUCCESS.
NTSTATUS consume(DISPATCHER_HEADER& header, Thread& thread) noexcept {
  switch (static_cast<DispatcherType>(header.Type)) {
  case DispatcherType::SynchronizationEvent:
  case DispatcherType::SynchronizationTimer:
    header.SignalState = 0;
    break;
  case DispatcherType::Semaphore:
    --header.SignalState;
    break;
  case DispatcherType::Mutant: {
    KMUTANT& mutant = *CONTAINING_RECORD(&header, KMUTANT, Header);
    if (--header.SignalState == 0) {
      mutant.OwnerThread = thread.object();
      if (mutant.ApcDisable != 0) ++thread.critical_regions;
    }
    if (mutant.Abandoned != 0) {
      mutant.Abandoned = 0;
      return STATUS_ABANDONED;
    }
    break;
  }
  case DispatcherType::NotificationEvent:
  case DispatcherType::NotificationTimer:
  case DispatcherType::Thread:
    break;
  }
  return STATUS_SUCCESS;
}

void unlink(Thread::Wait& wait) noexcept {
  for (std::uint32_t i = 0; i < wait.count; ++i) {
    machine::tell_touched(wait.blocks[i].object, sizeof *wait.blocks[i].object, true);
    RemoveEntryList(&wait.blocks[i].link);
  }
  wait.active = false;
  wait.blocks = nullptr;
}

/// Ends the thread's wait; it becomes ready.
void finish_wait(Thread& thread, NTSTATUS status) noexcept {
  unlink(thread.wait);
  thread.wait.status = status;
  machine::Machine& machine = System::current().machine();
  if (thread.wait.until != machine::kNever) machine.disarm(thread.wait_timer);
  machine.unpark(thread);
}

/// If the wait for these objects is fulfilled now, takes them.
std::optional<NTSTATUS> try_take(std::span<DISPATCHER_HEADER* const> objects, bool all,
                                 Thread& thread) noexcept {
  if (all) {
    for (const DISPATCHER_HEADER* const object : objects) {
      if (!is_signaled_for(*object, thread)) return std::nullopt;
    }
    NTSTATUS status = STATUS_WAIT_0;
    for (DISPATCHER_HEADER* const object : objects) {
      if (consume(*object, thread) == STATUS_ABANDONED) status = STATUS_ABANDONED_WAIT_0;
    }
    return status;
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (!is_signaled_for(*objects[i], thread)) continue;
    const NTSTATUS base =
        consume(*objects[i], thread) == STATUS_ABANDONED ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0;
    return base + static_cast<NTSTATUS>(i);
  }
  return std::nullopt;
}

/// The same for a thread that waits already.
std::optional<NTSTATUS> try_take(Thread& thread) noexcept {
  std::array<DISPATCHER_HEADER*, MAXIMUM_WAIT_OBJECTS> objects;
  for (std::uint32_t i = 0; i < thread.wait.count; ++i) objects[i] = thread.wait.blocks[i].object;
  return try_take({objects.data(), thread.wait.count}, thread.wait.all, thread);
}

/// What a thread that must not block does about it. Returns if it blocks all the same.
void report_wait_at_dispatch(const char* function, const void* object) noexcept {
  if (irql() < DISPATCH_LEVEL) return;
  report_misuse(Misuse::WaitAtDispatch, function, object,
                fmt::format("{} would block at IRQL {}; a thread may wait at IRQL <= {} only", function,
                            irql(), APC_LEVEL));
  if (const Thread::Kind kind = Thread::current().kind();
      kind == Thread::Kind::Dpcs || kind == Thread::Kind::Interrupts) {
    bug_check(ATTEMPTED_SWITCH_FROM_DPC, reinterpret_cast<ULONG_PTR>(object), 0, 0, 0);
  }
}

bool is_over(const Thread& thread) noexcept {
  const Hold hold(dispatcher_lock);
  return !thread.wait.active;
}

/// Parks the current thread until finish_wait; its Wait is set up, its timer armed.
NTSTATUS block(Thread& self, const void* frame) noexcept {
  machine::Machine& machine = System::current().machine();
  self.blocked_frame = frame;
  self.blocked_since = machine.now();
  while (!is_over(self)) machine.park();
  self.blocked_frame = nullptr;
  return self.wait.status;
}

}  // namespace

void wake_waiters(DISPATCHER_HEADER& header) noexcept {
  LIST_ENTRY* entry = header.WaitListHead.Flink;
  while (entry != &header.WaitListHead) {
    Thread& thread = *CONTAINING_RECORD(entry, WaitBlock, link)->thread;
    if (const auto status = try_take(thread)) {
      finish_wait(thread, *status);
      if (header.SignalState <= 0) return;
      entry = header.WaitListHead.Flink;  // the thread may have been in this list more than once
    } else {
      entry = entry->Flink;
    }
  }
}

void Thread::WaitTimer::expire(machine::Ticks now) noexcept {
  const Hold hold(dispatcher_lock);
  // The wait that it was armed for may have ended meanwhile, and another have begun.
  if (thread_.wait.active && thread_.wait.until <= now) finish_wait(thread_, STATUS_TIMEOUT);
}

Deadline deadline_of(const LARGE_INTEGER* timeout) noexcept {
  if (timeout == nullptr) return {};
  if (timeout->QuadPart == 0) return {.at = now(), .at_once = true};
  return {.at = due_time(*timeout), .at_once = false};
}

NTSTATUS wait_for(const char* function, std::span<DISPATCHER_HEADER* const> objects, bool all,
                  Deadline deadline, const char* name) noexcept {
  Thread& self = Thread::current();
  for (const DISPATCHER_HEADER* const object : objects) {
    if (type_of(*object)) continue;
    report_misuse(
        Misuse::ObjectNotInitialized, function, object,
        fmt::format("{} was given an object that was never initialised, was freed or was overwritten",
                    function));
    return STATUS_OBJECT_TYPE_MISMATCH;
  }

  std::array<WaitBlock, MAXIMUM_WAIT_OBJECTS> blocks;
  dispatcher_lock.lock();
  auto taken = try_take(objects, all, self);
  if (!taken && deadline.at_once) taken = STATUS_TIMEOUT;
  if (!taken && irql() >= DISPATCH_LEVEL) {
    dispatcher_lock.unlock();
    report_wait_at_dispatch(function, objects.empty() ? nullptr : objects[0]);
    dispatcher_lock.lock();
    taken = try_take(objects, all, self);
  }
  if (taken) {
    dispatcher_lock.unlock();
    return *taken;
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    blocks[i].thread = &self;
    blocks[i].object = objects[i];
    InsertTailList(&objects[i]->WaitListHead, &blocks[i].link);
  }
  self.wait = {.active = true,
               .all = all,
               .count = static_cast<std::uint32_t>(objects.size()),
               .blocks = blocks.data(),
               .name = name,
               .until = deadline.at};
  if (deadline.at != machine::kNever) System::current().machine().arm(self.wait_timer, deadline.at);
  dispatcher_lock.unlock();
  return block(self, __builtin_frame_address(0));
}

void sleep_until(const char* function, machine::Ticks at) noexcept {
  report_wait_at_dispatch(function, nullptr);
  Thread& self = Thread::current();
  dispatcher_lock.lock();
  self.wait = {.active = true, .until = at};
  System::current().machine().arm(self.wait_timer, at);
  dispatcher_lock.unlock();
  block(self, __builtin_frame_address(0));
}

}  // namespace undis::kernel

using namespace undis::kernel;

namespace {

/// Waiting needs IRQL <= APC_LEVEL unless the timeout is zero; what blocks at DISPATCH_LEVEL is reported
/// where it blocks.
constexpr KIRQL kHighest = DISPATCH_LEVEL;

DISPATCHER_HEADER* header_of(PVOID object) {
  return static_cast<DISPATCHER_HEADER*>(object);
}

}  // namespace

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  const KernelCall call("KeWaitForSingleObject", kHighest, KernelCall::Tells::All);
  if (Timeout != nullptr) undis::machine::tell_touched(Timeout, sizeof *Timeout, false);
  DISPATCHER_HEADER* const object = header_of(Object);
  return wait_for(call.name(), {&object, 1}, false, deadline_of(Timeout));
}

NTSTATUS KeWaitForMutexObject(PVOID Mutex, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  const KernelCall call("KeWaitForMutexObject", kHighest);
  DISPATCHER_HEADER* const object = header_of(Mutex);
  return wait_for(call.name(), {&object, 1}, false, deadline_of(Timeout));
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON,
                                  KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlockArray) {
  const KernelCall call("KeWaitForMultipleObjects", kHighest);
  const ULONG most = WaitBlockArray == nullptr ? THREAD_WAIT_OBJECTS : MAXIMUM_WAIT_OBJECTS;
  if (Count == 0 || Count > most) {
    report_misuse(Misuse::BadParameter, call.name(), Object,
                  fmt::format("{} objects are waited for; 1 to {} are possible {} a WaitBlockArray", Count,
                              most, WaitBlockArray == nullptr ? "without" : "with"));
    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS) return STATUS_INVALID_PARAMETER_1;
  }
  std::array<DISPATCHER_HEADER*, MAXIMUM_WAIT_OBJECTS> objects;
  for (ULONG i = 0; i < Count; ++i) objects[i] = header_of(Object[i]);
  return wait_for(call.name(), {objects.data(), Count}, WaitType == WaitAll, deadline_of(Timeout));
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Interval) {
  const KernelCall call("KeDelayExecutionThread", APC_LEVEL);
  if (Interval->QuadPart == 0) {
    System::current().machine().yield();
  } else {
    sleep_until(call.name(), due_time(*Interval));
  }
  return STATUS_SUCCESS;
}
