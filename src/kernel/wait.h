// SPDX-License-Identifier: MIT
//
// Waits: the one place where a kernel thread blocks, and the one where a dispatcher object wakes who waits
// for it.
//
// A dispatcher object begins with a DISPATCHER_HEADER: signaled while SignalState > 0; its WaitListHead links
// WaitBlocks, first come first served. dispatcher_lock guards both.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <wdm.h>

#include "kernel/thread.h"

namespace undis::kernel {

/// DISPATCHER_HEADER::Type of the objects that a thread can wait on.
enum class DispatcherType : std::uint8_t {
  NotificationEvent = 0,
  SynchronizationEvent = 1,
  Mutant = 2,
  Semaphore = 5,
  Thread = 6,
  NotificationTimer = 8,
  SynchronizationTimer = 9,
};

void initialize_header(DISPATCHER_HEADER& header, DispatcherType type, std::size_t size, LONG state) noexcept;

/// The type, if the header is that of an initialised dispatcher object as far as can be told.
std::optional<DispatcherType> type_of(const DISPATCHER_HEADER& header) noexcept EXCLUDES(dispatcher_lock);

/// True if `header` is of `type` (or of `other`). If not, Misuse::ObjectNotInitialized is reported:
/// `function` was given `what`.
bool check_header(const DISPATCHER_HEADER& header, DispatcherType type, DispatcherType other,
                  const char* function, const char* what) noexcept;

/// Gives the object to those who wait for it, as long as it is signaled. Schedules nobody: those woken become
/// ready.
void wake_waiters(DISPATCHER_HEADER& header) noexcept REQUIRES(dispatcher_lock);

/// When a wait ends at the latest: no timeout, or at this time since start.
struct Deadline {
  machine::Ticks at = machine::kNever;
  bool at_once = false;  ///< a timeout of zero: tests, never blocks
};
/// The meaning of a driver's timeout: nullptr: none; negative: relative; else absolute system time.
Deadline deadline_of(const LARGE_INTEGER* timeout) noexcept;

/// Waits for one or all of the objects. STATUS_WAIT_0 + index, STATUS_TIMEOUT, STATUS_ABANDONED...; an object
/// that is none makes it STATUS_OBJECT_TYPE_MISMATCH. `name`: of the first object, if it has one for a hang
/// report.
NTSTATUS wait_for(const char* function, std::span<DISPATCHER_HEADER* const> objects, bool all,
                  Deadline deadline, const char* name = nullptr) noexcept EXCLUDES(dispatcher_lock);
/// The current thread sleeps.
void sleep_until(const char* function, machine::Ticks at) noexcept EXCLUDES(dispatcher_lock);

/// Sets or resets an event without the checks of the DDI. Returns the state before.
LONG set_event(KEVENT& event) noexcept EXCLUDES(dispatcher_lock);
LONG reset_event(KEVENT& event) noexcept EXCLUDES(dispatcher_lock);

/// Blocks the current thread until `unpark` (no object, no timeout): for idle workers and the like.
void initialize_event(KEVENT& event, DispatcherType type, bool set) noexcept;

}  // namespace undis::kernel
