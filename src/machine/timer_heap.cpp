// SPDX-License-Identifier: MIT
//
// TimerHeap.
#include "machine/timer_heap.h"

namespace undis::machine {

void TimerHeap::arm(Timer& timer, Ticks due) {
  disarm(timer);
  timer.due_ = due;
  timer.order_ = ++armed_;
  heap_.push_back(&timer);
  timer.slot_ = heap_.size() - 1;
  up(timer.slot_);
}

bool TimerHeap::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return false;
  const std::size_t slot = timer.slot_;
  timer.slot_ = Timer::kNoSlot;
  Timer* const last = heap_.back();
  heap_.pop_back();
  if (last != &timer) {
    place(slot, last);
    up(slot);
    down(last->slot_);
  }
  return true;
}

Timer* TimerHeap::take_due(Ticks now) noexcept {
  if (next_due() > now) return nullptr;
  Timer* const timer = heap_.front();
  disarm(*timer);
  return timer;
}

void TimerHeap::expire(Ticks now) noexcept {
  while (Timer* const timer = take_due(now)) timer->expire(now);
}

void TimerHeap::clear() noexcept {
  for (Timer* const timer : heap_) timer->slot_ = Timer::kNoSlot;
  heap_.clear();
}

void TimerHeap::up(std::size_t slot) noexcept {
  Timer* const timer = heap_[slot];
  while (slot > 0) {
    const std::size_t parent = (slot - 1) / 2;
    if (!before(*timer, *heap_[parent])) break;
    place(slot, heap_[parent]);
    slot = parent;
  }
  place(slot, timer);
}

void TimerHeap::down(std::size_t slot) noexcept {
  Timer* const timer = heap_[slot];
  for (;;) {
    std::size_t child = 2 * slot + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *timer)) break;
    place(slot, heap_[child]);
    slot = child;
  }
  place(slot, timer);
}

}  // namespace undis::machine
