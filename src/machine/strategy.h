// SPDX-License-Identifier: MIT
//
// Strategy: which schedule a search tries next, given what came of those before. One file each, beside the
// chooser that it is about.
//
// A strategy is a function of its setup and of what it has learned: the same search again tries the same
// schedules in the same order.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/schedule.h"
#include "machine/trail.h"

namespace undis::machine {

struct SearchSetup {
  std::uint64_t seed = 0;   ///< where random ones begin
  std::uint32_t bound = 2;  ///< exhaustive: how many departures from the default run
  std::uint32_t depth = 3;  ///< pct
  std::uint32_t processors = Schedule::kDefaultProcessors;
  std::uint32_t shard = 0;     ///< this search takes one of ...
  std::uint32_t shards = 1;    ///< ... so many parts of all schedules; parts do not overlap
  bool reduces = true;         ///< exhaustive: leaves out what comes to the same as another run
  std::uint32_t restarts = 0;  ///< how often the search has lost what it had learned
};

/// How many points a run has, for Schedule::pct: learned of the first one.
class PctLengths {
 public:
  void learn(const Trail& trail) noexcept {
    if (all_ == 0) all_ = rounded(trail.points);
    if (focused_ == 0) focused_ = rounded(trail.focused_points);
  }
  /// With the seed and the flavour of `walk`.
  Schedule pct(std::uint32_t depth, const Schedule& walk) const {
    const bool focused = walk.focused() && focused_ != 0;
    const std::uint32_t length = focused ? focused_ : all_ != 0 ? all_ : Schedule::kDefaultLength;
    return Schedule::pct(depth, walk.seed(), length).with_clock(walk.clock_overtakes()).with_focus(focused);
  }

 private:
  /// A power of two, so that a run that is a little longer makes no other schedules.
  static std::uint32_t rounded(std::uint64_t points) noexcept {
    if (points == 0) return 0;
    std::uint32_t length = 16;
    while (length < points && length < (1U << 20)) length *= 2;
    return length;
  }
  std::uint32_t all_ = 0;
  std::uint32_t focused_ = 0;
};

class Strategy {
 public:
  explicit Strategy(const SearchSetup& setup) : setup_(setup) {}
  virtual ~Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;

  /// nullptr: no strategy is called so.
  static std::unique_ptr<Strategy> make(std::string_view name, const SearchSetup& setup);
  static const std::vector<std::string>& names();

  /// The next schedule; nullopt: there is none left to try.
  std::optional<Schedule> next() {
    std::optional<Schedule> schedule = propose();
    if (schedule) schedule = schedule->with_processors(setup_.processors);
    return schedule;
  }
  /// Sets what it wants to have noted in the run of the schedule that next() gave last.
  virtual void prepare(Trail& trail) const {
    trail.want_decisions = trail.want_footprints = false;
    trail.want_places = true;
  }
  /// True: it cannot go on without learn() of the schedule that next() gave last.
  virtual bool needs_to_learn() const { return false; }
  /// True: it has schedules that each search makes, however little seems to come of them.
  virtual bool owes() const { return false; }
  /// What came of that schedule.
  virtual void learn(const Schedule&, const Trail&) {}
  /// That run ended the process: nothing is to be learned.
  virtual void lost() {}

 protected:
  virtual std::optional<Schedule> propose() = 0;
  const SearchSetup& setup() const noexcept { return setup_; }
  /// The seed of the `index`-th random schedule: short enough to type, and different for each shard.
  std::uint64_t seed_at(std::uint64_t index) const noexcept;
  /// In half of the seeds' schedules the clock overtakes, in three of four points inside drivers count; the
  /// same for each shard.
  static Schedule flavoured(const Schedule& schedule) {
    const std::uint64_t seed = schedule.seed();
    return schedule.with_clock(std::popcount(seed) % 2 != 0).with_focus(seed % 4 != 0);
  }

 private:
  SearchSetup setup_;
};

std::unique_ptr<Strategy>
mixed_search(const SearchSetup& setup);  ///< the default run, then round robin, random, pct in turn
std::unique_ptr<Strategy> random_search(const SearchSetup& setup);
std::unique_ptr<Strategy> round_robin_search(const SearchSetup& setup);
std::unique_ptr<Strategy> pct_search(const SearchSetup& setup);
std::unique_ptr<Strategy> exhaustive_search(const SearchSetup& setup);
std::unique_ptr<Strategy> coverage_search(const SearchSetup& setup);

}  // namespace undis::machine
