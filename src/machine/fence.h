// SPDX-License-Identifier: MIT
//
// A fence of which one side costs nothing: for state that one side reads all the time and the other changes
// once.
//
// Where the frequent side stores A and then loads B, and the rare side stores B and then loads A, at least
// one must see the other's store. light() keeps the compiler from turning the first pair around, heavy()
// makes the cores that run this process take a full barrier (membarrier), so that the first pair needs none
// of its own.
#pragma once

#include <atomic>

namespace undis::machine::fence {

inline void light() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Some microseconds. Where a sandbox has no membarrier: a page is taken away from all cores, which has the
/// same effect.
void heavy() noexcept;

}  // namespace undis::machine::fence
