// SPDX-License-Identifier: MIT
//
// Stacks of allocations: few compared with blocks, so each is kept once, and a block has its number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/observer.h"

namespace undis::kernel {

/// Guarded by its owner.
class StackTable {
 public:
  /// The number of a stack; 0: the empty one.
  std::uint32_t add(const Stack& stack);
  /// A stack stays where it is as long as the table.
  const Stack& at(std::uint32_t number) const noexcept {
    return number == 0 ? kEmpty : chunks_[number / kChunk][number % kChunk];
  }

 private:
  static constexpr std::uint32_t kChunk = 64;
  static inline const Stack kEmpty{};
  struct Place {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;  // 0: free
  };
  std::uint32_t keep(const Stack& stack);
  void widen();

  std::vector<std::unique_ptr<Stack[]>> chunks_;
  std::uint32_t count_ = 1;                              // with the empty one, which is in no chunk
  std::vector<Place> places_ = std::vector<Place>(128);  // by hash; as many as a power of two
};

}  // namespace undis::kernel
