// SPDX-License-Identifier: MIT
//
// The scheduling half of a System: its threads, DPC queues, timers and work items.
#pragma once

#include <string>

#include "kernel/dpc.h"
#include "kernel/interrupt.h"
#include "kernel/keyed_wait.h"
#include "kernel/lock_order.h"
#include "kernel/observer.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/work_item.h"
#include "machine/machine.h"

namespace undis::kernel {

/// Every Thread but the DPC loops, in the order of creation. Owns them.
class ThreadList {
 public:
  ThreadList() = default;
  ~ThreadList();
  ThreadList(const ThreadList&) = delete;
  ThreadList& operator=(const ThreadList&) = delete;

  void add(Thread& thread) noexcept EXCLUDES(lock_);
  void remove(Thread& thread) noexcept EXCLUDES(lock_);
  /// Calls `visit` for each, under the lock: none of them goes meanwhile.
  template <class Visit>
  void each(Visit visit) EXCLUDES(lock_) {
    const Hold hold(lock_);
    for (Thread* thread = first_; thread != nullptr;) {
      Thread* const next = thread->next;
      visit(*thread);
      thread = next;
    }
  }

 private:
  Lock lock_;
  Thread* first_ = nullptr;
  Thread* last_ = nullptr;
};

struct Scheduling {
  explicit Scheduling(machine::Machine& machine);

  machine::Machine& machine;
  Thread host;
  ThreadList threads;
  DpcQueues dpcs;
  Interrupts interrupts;
  TimerTable timers;
  WorkQueue work;
  KeyedWaits keyed;
  LockOrder lock_order;
  std::uint32_t threads_created = 0;  // by PsCreateSystemThread, for their names

  /// Creates a thread and makes it ready. nullptr: no memory for its stack. `kept`: with a reference for the
  /// caller, who may find that it has ended already.
  Thread* start(Thread::Kind kind, std::string name, Driver* creator, std::function<void()> body,
                bool kept = false);
};

/// Who waits for what, as the host should see it: threads that are blocked for good, or (`all`) every one
/// that has not ended.
HangEvent describe_hang(Scheduling& scheduling, bool all);
/// The circles in who waits for whom: "rx -> dpc 0 -> rx".
std::vector<std::string> circles_of(const HangEvent& hang);
/// The report as text, one line a thread.
std::string hang_text(const HangEvent& hang);
/// "passthru+0x4040", "pool block 'Flt1'+0x20", "stack of thread rx": where an object lies, else its address.
std::string place_of(const void* object);

}  // namespace undis::kernel
