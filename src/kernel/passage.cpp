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
    : processors_(System::current().machine().processors().size()),
      slots_(std::make_unique<Slot[]>(2 * processors_)), side_(slots_.get()), left_("data path calls"),
      turn_("those who wait for data path calls") {}

Passage::~Passage() = default;

std::uint64_t Passage::inside(const Slot* side) const noexcept {
  std::uint64_t left = 0;
  std::uint64_t entered = 0;
  // Those who have left first: each of them had entered before.
  for (std::size_t i = 0; i < processors_; ++i) left += side[i].left.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < processors_; ++i) entered += side[i].entered.load(std::memory_order_acquire);
  return entered - left;
}

void Passage::await_left(Side side) noexcept {
  machine::fence::heavy();
  for (;;) {
    {
      const Hold hold(lock_);
      if (inside(side) == 0) return;
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
