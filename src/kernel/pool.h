// SPDX-License-Identifier: MIT
//
// The tagged pool: every block knows its tag, its size, the driver that asked for it and from where.
//
// Blocks live in slabs of one size class; what is known of a block stands beside the slab and not in front of
// the block, so that an overrun of the driver cannot damage it and any address, also a foreign one, can be
// looked up without being read. When AddressSanitizer is in the process, each block is a malloc block of its
// own: its redzones and quarantine say more than ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <wdm.h>

#include "kernel/lock.h"
#include "kernel/observer.h"

namespace undis::kernel {

class Driver;

enum class PoolKind : std::uint8_t { NonPaged, NonPagedExecute, Paged };

/// What is known of one block.
struct PoolBlock {
  const void* address = nullptr;
  std::size_t size = 0;  ///< as asked for
  ULONG tag = 0;
  PoolKind kind = PoolKind::NonPaged;
  bool live = false;                 ///< false: freed, not used again yet
  Driver* owner = nullptr;           ///< nullptr: the host
  const Stack* allocated = nullptr;  ///< as long as the pool is there
  const Stack* freed = nullptr;      ///< an empty one while live
};

/// Live blocks of one tag and driver.
struct PoolCount {
  ULONG tag;
  Driver* owner;
  std::size_t blocks;
  std::size_t bytes;
};

class Pool {
 public:
  Pool();
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  struct Request {
    std::size_t size = 0;
    ULONG tag = 0;
    PoolKind kind = PoolKind::NonPaged;
    bool zero = false;
    std::size_t alignment =
        16;  ///< a power of two up to 4096; blocks of a page or more are page aligned anyway
    Driver* owner = nullptr;
  };
  /// nullptr: no memory. Not a fault point: the DDI decides that (pool.cpp's entry points do). What is not
  /// zeroed is filled with 0xCD.
  void* allocate(const Request& request) noexcept EXCLUDES(lock_);

  enum class Freed : std::uint8_t { Ok, NotOurs, Twice, WrongTag, Corrupt };
  /// Frees a block; a tag of 0 matches any. What is wrong is returned and reported as Misuse of `function`,
  /// by `blame`; with WrongTag and Corrupt the block is freed all the same.
  Freed free(void* block, ULONG tag, const char* function, Driver* blame) noexcept EXCLUDES(lock_);

  /// Looks for the block, live or freed, that holds `address` (any byte of it). False: none of ours.
  bool find(const void* address, PoolBlock& found) const noexcept EXCLUDES(lock_);

  /// Live blocks of the driver, oldest first.
  std::vector<PoolBlock> live_of(const Driver* owner) const EXCLUDES(lock_);
  /// All that is live, by tag and driver, in order of first allocation.
  std::vector<PoolCount> counts() const EXCLUDES(lock_);
  std::size_t live_blocks(const Driver* owner) const noexcept EXCLUDES(lock_);
  std::size_t live_bytes(const Driver* owner) const noexcept EXCLUDES(lock_);

  /// Reports each live block of the driver as Misuse::PoolLeak, looks for damaged guard bytes and for writes
  /// into freed blocks, then frees them. Returns the number of leaked blocks. Harness drivers are swept
  /// without a report.
  std::size_t sweep(Driver& owner) EXCLUDES(lock_);

  /// Stacks of allocation and free cost some 200 ns each; off for benchmarks. On by default.
  void keep_stacks(bool on) noexcept { keep_stacks_ = on; }

 private:
  struct Parts;
  mutable Lock lock_;
  std::unique_ptr<Parts> parts_ GUARDED_BY(lock_);
  bool keep_stacks_ = true;
};

/// "ABCD" of a tag as !poolused shows it; unprintable characters become '.'.
struct PoolTagText {
  char text[5];
};
PoolTagText pool_tag_text(ULONG tag) noexcept;

}  // namespace undis::kernel
