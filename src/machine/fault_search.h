// SPDX-License-Identifier: MIT
//
// FaultSearch: makes every fallible call fail, once for each distinct stack from which it is made.
//
// Order   a run without failures, to see what there is; then each place fails alone, also those that are only
// come to after another
//         failure (together with that one); then, on demand, each two of a run; then everything from each
//         place on (memory has run out); then single failures at random under random schedules, without end
#pragma once

#include <deque>
#include <unordered_set>

#include "machine/chooser.h"
#include "machine/strategy.h"

namespace undis::machine {

class FaultSearch final : public Strategy {
 public:
  FaultSearch(const SearchSetup& setup, bool pairs) : Strategy(setup), pairs_(pairs) {}

  void prepare(Trail& trail) const override;
  bool owes() const override { return !through(); }
  bool needs_to_learn() const override { return true; }
  void learn(const Schedule& schedule, const Trail& trail) override;

  /// Distinct places of fallible calls, and how many of them have failed.
  std::size_t places_seen() const noexcept { return places_.size(); }
  std::size_t places_failed() const noexcept { return failed_.size(); }
  /// True: every place seen has failed once, and pairs and phases are through.
  bool through() const noexcept { return begun_ && queue_.empty() && later_.empty(); }

 protected:
  std::optional<Schedule> propose() override;

 private:
  static constexpr std::size_t kDeepest = 4;       ///< failures that a place may need before it is come to
  static constexpr std::uint32_t kAll = 1U << 30;  ///< more fault points than a run has

  bool pairs_;
  bool begun_ = false;
  std::deque<Schedule> queue_;
  std::deque<Schedule> later_;                // phases
  std::unordered_set<std::uint64_t> places_;  // looked up only
  std::unordered_set<std::uint64_t> failed_;
  std::unordered_set<std::uint64_t> paired_;
  std::uint32_t most_points_ = 0;
  std::uint64_t random_runs_ = 0;
};

}  // namespace undis::machine
