// SPDX-License-Identifier: MIT
//
// The armed timers of a machine: a binary heap by time, then by order of arming. Arm and disarm cost O(log
// n).
#pragma once

#include <vector>

#include "machine/machine.h"

namespace undis::machine {

class TimerHeap {
 public:
  bool empty() const noexcept { return heap_.empty(); }
  /// When the next one expires, kNever if none is armed.
  Ticks next_due() const noexcept { return heap_.empty() ? kNever : heap_.front()->due_; }

  void arm(Timer& timer, Ticks due);
  bool disarm(Timer& timer) noexcept;
  /// Expires every timer due at or before `now`, in order; those that an expiry arms anew for `now` too.
  void expire(Ticks now) noexcept;
  /// Takes the first timer out if it is due at or before `now`; nullptr: none is. The caller expires it.
  Timer* take_due(Ticks now) noexcept;
  /// Forgets all timers without expiring them.
  void clear() noexcept;

 private:
  static bool before(const Timer& a, const Timer& b) noexcept {
    return a.due_ != b.due_ ? a.due_ < b.due_ : a.order_ < b.order_;
  }
  void place(std::size_t slot, Timer* timer) noexcept {
    heap_[slot] = timer;
    timer->slot_ = slot;
  }
  void up(std::size_t slot) noexcept;
  void down(std::size_t slot) noexcept;

  std::vector<Timer*> heap_;
  std::uint64_t armed_ = 0;
};

}  // namespace undis::machine
