// SPDX-License-Identifier: MIT
//
// Where the pool's memory comes from: cells, each with a record that stands elsewhere, found again from any
// address inside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <wdm.h>

#include "kernel/pool.h"

namespace undis::kernel {

struct PoolOwner;

/// The record of one cell.
struct PoolCell {
  enum class State : std::uint8_t { Free, Live, Quarantined };
  std::byte* address = nullptr;
  std::size_t capacity = 0;  ///< bytes of the cell: what is beyond `size` are guard bytes
  std::size_t size = 0;
  PoolOwner* owner = nullptr;
  PoolCell* next = nullptr;  ///< live: the owner's list; free: the size class' list
  PoolCell* previous = nullptr;
  ULONG tag = 0;
  std::uint32_t allocated = 0;  ///< index into the table of stacks
  std::uint32_t freed = 0;
  PoolKind kind = PoolKind::NonPaged;
  State state = State::Free;
  bool poisoned = false;  ///< its first bytes hold kPoison, written when it was freed
};

class PoolStore {
 public:
  virtual ~PoolStore() = default;
  /// A cell for `size` bytes; nullptr: no memory.
  virtual PoolCell* take(std::size_t size, std::size_t alignment) noexcept = 0;
  /// Back to the store; the record may be used for another block from now on.
  virtual void give(PoolCell& cell) noexcept = 0;
  /// The cell that holds the address, whatever its state; nullptr: no memory of this store.
  virtual PoolCell* at(const void* address) noexcept = 0;
  /// True: the store's memory is watched by AddressSanitizer, so freed cells go back at once and are not read
  /// again.
  virtual bool sanitized() const noexcept = 0;

  /// Slabs, or malloc when AddressSanitizer is in the process.
  static std::unique_ptr<PoolStore> make();
};

}  // namespace undis::kernel
