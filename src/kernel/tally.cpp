// SPDX-License-Identifier: MIT
//
// Handing tallies out.
#include "kernel/tally.h"

namespace undis::kernel {

Tally* TallyPool::take() {
  Tally* first = nullptr;
  {
    const Hold hold(lock_);
    if (free_ != nullptr) {
      first = free_;
      free_ = reinterpret_cast<Tally*>(first->entered.load(std::memory_order_relaxed));
    } else {
      if (used_ == kRow) {
        chunks_.push_back(std::make_unique<Row[]>(processors_));
        used_ = 0;
      }
      first = &chunks_.back()[0].tallies[used_++];
    }
  }
  for (std::size_t i = 0; i < processors_; ++i) {
    of(first, i).entered.store(0, std::memory_order_relaxed);
    of(first, i).left.store(0, std::memory_order_relaxed);
  }
  return first;
}

void TallyPool::give(Tally* first) noexcept {
  const Hold hold(lock_);
  first->entered.store(reinterpret_cast<std::uintptr_t>(free_), std::memory_order_relaxed);
  free_ = first;
}

std::uint64_t TallyPool::inside(Tally* first) const noexcept {
  std::uint64_t left = 0;
  std::uint64_t entered = 0;
  // Those who have left first: each of them had entered before.
  for (std::size_t i = 0; i < processors_; ++i) left += of(first, i).left.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < processors_; ++i)
    entered += of(first, i).entered.load(std::memory_order_acquire);
  return entered - left;
}

}  // namespace undis::kernel
