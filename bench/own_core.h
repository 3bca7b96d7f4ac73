// SPDX-License-Identifier: MIT
//
// Timing while the core is one's own.
//
// A virtual processor may be one of two threads of a core, and somebody else has the other one for
// milliseconds at a time. Instructions then take up to twice as long, a wait for memory or for a jump to be
// foreseen does not: a ratio of the two says what the neighbour does. So short slices are timed, each between
// two bursts of additions that wait for nothing. Where one of those took longer than the quickest that was
// ever seen, the slice counts for nothing and is done again.
#pragma once

#include <cstddef>
#include <cstdint>

#include <benchmark/benchmark.h>

namespace undis::bench {

class OwnCore {
 public:
  OwnCore() noexcept;
  /// The seconds of this thread that `slice` took, while nobody else computed on the core; while somebody
  /// did, if that does not end.
  template <class Slice>
  double time(const Slice& slice) {
    for (;;) {
      wait_for_quiet();
      const double from = thread_seconds();
      slice();
      const double spent = thread_seconds() - from;
      const bool quiet = is_quiet();
      if (!quiet && patience > 0) {
        patience -= spent;
        continue;
      }
      ++slices_;
      disturbed_ += quiet ? 0 : 1;
      return spent;
    }
  }
  /// Whether a burst of additions is as quick as it can be, now.
  static bool is_quiet() noexcept;
  /// Until that is so, or no patience is left.
  static void wait_for_quiet() noexcept;
  /// Of all slices, the share of those that were not alone on the core.
  double disturbed() const noexcept {
    return slices_ == 0 ? 0 : static_cast<double>(disturbed_) / static_cast<double>(slices_);
  }

 private:
  static double thread_seconds() noexcept;

  static double patience;  ///< seconds that all of a program may still lose by waiting for quiet
  std::size_t slices_ = 0;
  std::size_t disturbed_ = 0;
};

/// Does `round` over and over, in slices. The benchmark takes its time by hand (UseManualTime); each round is
/// `items` of what it counts.
template <class Round>
void measure(benchmark::State& state, std::size_t items, const Round& round) {
  constexpr double kSlice = 25e-6;  ///< seconds: long beside the clock, short beside what a neighbour does
  OwnCore core;
  std::size_t rounds = 1;
  const auto slice = [&] {
    for (std::size_t i = 0; i < rounds; ++i) round();
  };
  while (core.time(slice) < kSlice) rounds *= 2;
  for (auto _ : state) state.SetIterationTime(core.time(slice));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rounds * items));
  state.counters["disturbed"] = core.disturbed();
}

}  // namespace undis::bench
