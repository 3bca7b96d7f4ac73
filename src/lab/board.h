// SPDX-License-Identifier: MIT
//
// Board: memory that the process which reports shares with its workers: what a worker is at, and what has
// been seen by all of them. It outlives a worker that dies, and costs no system call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "machine/trail.h"

namespace undis::lab {

class Board {
 public:
  /// Throws std::system_error: no memory.
  Board();
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  // ---- a worker's side ----
  void begin(const std::string& schedule) noexcept;
  void end(const machine::Trail& trail) noexcept;

  // ---- the other side ----
  std::uint64_t begun() const noexcept { return shared_->begun.load(std::memory_order_acquire); }
  std::uint64_t done() const noexcept { return shared_->done.load(std::memory_order_acquire); }
  std::uint64_t states() const noexcept { return shared_->states.load(std::memory_order_relaxed); }
  std::uint64_t pairs() const noexcept { return shared_->pairs.load(std::memory_order_relaxed); }
  std::uint64_t points() const noexcept { return shared_->points.load(std::memory_order_relaxed); }
  /// The schedule of the job that was begun last; empty if it was too long to be kept. Only while no worker
  /// runs.
  std::string schedule() const;

 private:
  /// A set of numbers that only grows; when it is full, what is new is not counted any more.
  template <std::size_t kSlots>
  struct Set {
    std::atomic<std::uint64_t> slots[kSlots];
    bool insert(std::uint64_t value) noexcept;
  };
  static constexpr std::size_t kLongest = 256 * 1024;
  struct Shared {
    std::atomic<std::uint64_t> begun;
    std::atomic<std::uint64_t> done;
    std::atomic<std::uint64_t> states;
    std::atomic<std::uint64_t> pairs;
    std::atomic<std::uint64_t> points;
    std::atomic<std::uint32_t> length;
    char schedule[kLongest];
    Set<(1U << 22)> state_set;
    Set<(1U << 18)> pair_set;
  };
  Shared* shared_ = nullptr;
};

}  // namespace undis::lab
