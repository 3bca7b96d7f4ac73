// SPDX-License-Identifier: MIT
//
// Counters of which each processor has its own, for objects of which there may be many: a gate, a passage.
//
// Layout  a chunk has a row for each processor; a tally is the same place in each of them. So what one
//         processor writes is in lines that no other one writes, and still side by side with its other
//         tallies.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/lock.h"
#include "machine/processor.h"

namespace undis::kernel {

/// Of one processor, which alone counts in it. A user may leave on another one than it entered on.
struct Tally {
  std::atomic<std::uint64_t> entered;
  std::atomic<std::uint64_t> left;

  void enter(std::uint64_t users = 1) noexcept { count(entered, users); }
  void leave(std::uint64_t users = 1) noexcept { count(left, users); }

 private:
  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t users) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + users, std::memory_order_release);
  }
};

class TallyPool {
 public:
  explicit TallyPool(std::size_t processors) noexcept : processors_(processors) {}
  TallyPool(const TallyPool&) = delete;
  TallyPool& operator=(const TallyPool&) = delete;

  /// The first processor's, all of them zero.
  Tally* take() EXCLUDES(lock_);
  void give(Tally* first) noexcept EXCLUDES(lock_);
  static Tally& of(Tally* first, std::size_t processor) noexcept { return first[processor * kRow]; }
  /// Of the calling processor.
  static Tally& own(Tally* first) noexcept { return of(first, machine::processor_here->index); }

  /// Entered and not left, by all processors together. Never too few: who comes or goes meanwhile may be
  /// counted as inside.
  std::uint64_t inside(Tally* first) const noexcept;

 private:
  static constexpr std::size_t kRow = 64;
  struct alignas(64) Row {
    std::array<Tally, kRow> tallies;
  };
  const std::size_t processors_;
  Lock lock_;
  std::vector<std::unique_ptr<Row[]>> chunks_ GUARDED_BY(lock_);
  std::size_t used_ GUARDED_BY(lock_) = kRow;  ///< of the last chunk
  Tally* free_ GUARDED_BY(lock_) = nullptr;    ///< linked by what was `entered`
};

}  // namespace undis::kernel
