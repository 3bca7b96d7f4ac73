// SPDX-License-Identifier: MIT
//
// Rundown of calls that pass through something, made for many callers and rare waiters (sleepable RCU).
//
// Who passes enters, looks at what it needs, calls whom it must, and leaves: two counters of the own
// processor, no lock, no line that another one writes. Who takes something away first makes it unreachable,
// then calls synchronize(): whoever could still reach it has left when that returns, while others come and
// go. Unlike a section (machine/section.h), a passage may hold calls into drivers, and whoever is in one may
// be switched away.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "kernel/lock.h"
#include "kernel/system.h"
#include "kernel/tally.h"
#include "machine/fence.h"
#include "machine/processor.h"

namespace undis::kernel {

class Passage {
 public:
  Passage();
  ~Passage();
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  /// Which of two sets of counters was entered; what leave() must be given.
  using Side = Tally*;
  Side enter() noexcept {
    const Side side = side_.load(std::memory_order_relaxed);
    TallyPool::own(side).enter();
    machine::fence::light();  // what the caller looks at next is not from before
    return side;
  }
  void leave(Side side) noexcept {
    TallyPool::own(side).leave();
    machine::fence::light();
    if (waiting_.load(std::memory_order_relaxed)) [[unlikely]]
      tell();
  }

  /// Returns when everybody who is inside now has left. PASSIVE_LEVEL, not from inside.
  void synchronize() noexcept EXCLUDES(lock_);
  /// After an abandoned run: whoever is inside never leaves, and is not waited for any more.
  void abandon() noexcept { abandoned_.store(true, std::memory_order_relaxed); }
  bool is_abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }
  /// Whether anybody is inside. Never too few: who leaves meanwhile may be counted.
  bool busy() const noexcept { return pool_.inside(sides_[0]) + pool_.inside(sides_[1]) != 0; }

 private:
  Side other(Side side) const noexcept { return sides_[side == sides_[0] ? 1 : 0]; }
  void await_left(Side side) noexcept EXCLUDES(lock_);
  void tell() noexcept EXCLUDES(lock_);

  TallyPool& pool_;
  const std::array<Side, 2> sides_;
  std::atomic<Side> side_;  ///< of those who enter now
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> waiting_{false};  ///< somebody waits: who leaves tells
  Lock lock_;
  bool synchronizing_ GUARDED_BY(lock_) = false;
  Event left_;
  Event turn_;
};

}  // namespace undis::kernel
