// SPDX-License-Identifier: MIT
//
// Rundown of one kind of use of an object: entered and left by each user, closed by whoever must wait until
// nobody is inside.
//
// Entering and leaving write a counter of the own processor and nothing that another one writes: no lock, no
// shared cache line. The price is paid by who closes or waits (machine/section.h), who then adds the counters
// up. A gate may go as soon as wait_empty() has returned and nobody can enter: nobody touches it after his
// leave.
#pragma once

#include <atomic>
#include <cstdint>

#include "kernel/lock.h"
#include "kernel/system.h"
#include "kernel/tally.h"
#include "machine/section.h"

namespace undis {

class Gate {
 public:
  explicit Gate(kernel::WaitName name);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// False once the gate is closed.
  bool enter(std::uint32_t users = 1) noexcept {
    const machine::Section section;
    if (closed_.load(std::memory_order_acquire))
      return false;  // what was changed before it was opened is seen
    add(users);
    return true;
  }
  /// More users, let in by one that is inside: also when the gate is closed.
  void add(std::uint32_t users) noexcept {
    kernel::TallyPool::own(users_).enter(users);
    machine::fence::light();  // what the caller looks at next, such as a state, is not from before
  }
  void leave(std::uint32_t users = 1) noexcept {
    {
      const machine::Section section;
      if (waiting_.load(std::memory_order_relaxed) == 0) [[likely]] {
        kernel::TallyPool::own(users_).leave(users);
        return;
      }
    }
    leave_and_tell(users);
  }
  void close() noexcept;
  void open() noexcept { closed_.store(false, std::memory_order_release); }
  /// Waits until nobody is inside. Who looked at a state, from inside, before it was changed is waited for.
  /// PASSIVE_LEVEL.
  void wait_empty() noexcept EXCLUDES(lock_);
  /// Never too few: who enters or leaves meanwhile may be counted as inside.
  std::uint32_t inside() const noexcept;

 private:
  void leave_and_tell(std::uint32_t users) noexcept EXCLUDES(lock_);

  /// In wait_empty(), where its event is.
  struct Waiter {
    kernel::Event empty;
    Waiter* next;
  };

  kernel::TallyPool& pool_;
  kernel::Tally* const users_;  ///< written by their own processors only
  std::atomic<bool> closed_{false};
  kernel::Lock lock_;
  std::atomic<std::uint32_t> waiting_{0};  ///< in wait_empty(): then nobody leaves without the lock
  Waiter* blocked_ GUARDED_BY(lock_) = nullptr;
  const kernel::WaitName name_;
};

}  // namespace undis
