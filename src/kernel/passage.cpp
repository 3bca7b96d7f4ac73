// SPDX-License-Identifier: MIT
//
// The side of a passage that waits. One at a time: it sends those who enter from now on to the other set of
// counters, so that the one it looks at only goes down. Whoever read the phase before that and enters late is
// in a set that nobody waits for any more; the next one who synchronizes waits for those first. They see what
// was changed: they enter after the barrier.
#include "kernel/passage.h"

#include "kernel/watch.h"
#include "machine/machine.h"

namespace undis::kernel {

Passage::Passage()
    : pool_(System::current().tallies()), sides_{pool_.take(), pool_.take()}, side_(sides_[0]),
      left_("data path calls"), turn_("those who wait for data path calls") {}

Passage::~Passage() {
  for (const Side side : sides_) pool_.give(side);
}

void Passage::await_left(Side side) noexcept {
  machine::fence::heavy();
  for (;;) {
    {
      const Hold hold(lock_);
      if (pool_.inside(side) == 0) return;
      left_.reset();
    }
    left_.wait();
  }
}

void Passage::synchronize() noexcept {
  if (watches_all() || abandoned_.load(std::memory_order_relaxed)) return;  // watched: nobody takes this way
  for (;;) {
    {
      const Hold hold(lock_);
      if (!synchronizing_) {
        synchronizing_ = true;
        break;
      }
      turn_.reset();
    }
    turn_.wait();
  }
  waiting_.store(true, std::memory_order_relaxed);
  const Side now = side_.load(std::memory_order_relaxed);
  await_left(other(now));
  side_.store(other(now), std::memory_order_relaxed);
  await_left(now);
  waiting_.store(false, std::memory_order_relaxed);
  {
    const Hold hold(lock_);
    synchronizing_ = false;
  }
  turn_.set();
}

void Passage::tell() noexcept {
  const Hold hold(lock_);
  left_.set();
}

}  // namespace undis::kernel
