// SPDX-License-Identifier: MIT
//
// Probabilistic concurrency testing: every strand has a random priority and the highest goes on; at depth - 1
// random points the strand that is running drops below all others. A bug that needs `depth` orderings is met
// with a known probability per run.
//
// Source   Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees
// of Finding Bugs (2010) Beyond   the clock takes part like a strand, with a new priority after each use; who
// polls for a clock tick drops as at a change
#include <algorithm>
#include <vector>

#include "machine/chooser.h"
#include "machine/strategy.h"

namespace undis::machine {
namespace {

class Pct final : public Chooser {
 public:
  explicit Pct(const Schedule& schedule)
      : random_{schedule.seed() ^ 0x5bd1e995U}, answers_{~schedule.seed()},
        clock_overtakes_(schedule.clock_overtakes()), focused_(schedule.focused()) {
    for (std::uint32_t i = 1; i < schedule.depth(); ++i)
      changes_.push_back(1 + random_.below(schedule.length()));
    std::ranges::sort(changes_);
    yes_in_16_ = 2 + 4 * answers_.below(4);
  }

  std::uint32_t wish(const Moment& moment) noexcept override {
    while (next_ < changes_.size() && changes_[next_] <= moment.total) ++next_;
    return next_ < changes_.size() ? static_cast<std::uint32_t>(changes_[next_] - moment.total) : 0;
  }
  bool wants_news() const noexcept override { return true; }
  bool lets_clock_overtake() const noexcept override { return clock_overtakes_; }
  bool counts_focused() const noexcept override { return focused_; }

  std::uint32_t pick(const Moment& moment, std::span<const std::uint32_t> options) noexcept override {
    if (next_ < changes_.size() && changes_[next_] <= moment.total) drop(moment.strand);
    std::uint32_t best = 0;
    std::uint64_t highest = priority(options[0]);
    for (std::uint32_t i = 1; i < options.size(); ++i) {
      const std::uint64_t own = priority(options[i]);
      if (own <= highest) continue;
      highest = own;
      best = i;
    }
    if (Turn::is_clock(options[best])) clocks_[options[best] - Turn::kClockElsewhere] = draw();
    return best;
  }
  bool answer(std::uint32_t) noexcept override { return answers_.below(16) < yes_in_16_; }
  void starved_others(std::uint32_t strand) noexcept override { drop(strand); }

 private:
  static constexpr std::uint64_t kHigh = std::uint64_t{1}
                                         << 32;  // drawn priorities; those after a drop are below, and sink
  std::uint64_t draw() noexcept { return kHigh + (random_.next() >> 32); }
  std::uint64_t& priority(std::uint32_t strand) noexcept {
    if (Turn::is_clock(strand)) {
      std::uint64_t& clock = clocks_[strand - Turn::kClockElsewhere];
      if (clock == 0) clock = draw();
      return clock;
    }
    while (priorities_.size() <= strand) priorities_.push_back(draw());
    return priorities_[strand];
  }
  void drop(std::uint32_t strand) noexcept { priority(strand) = --lowest_; }

  Random random_;
  Random answers_;
  std::vector<std::uint64_t> changes_;
  std::size_t next_ = 0;
  std::vector<std::uint64_t> priorities_;  // by strand, drawn in the order of their numbers
  std::uint64_t clocks_[2] = {};           // Turn::kClockElsewhere, kClock
  std::uint64_t lowest_ = kHigh;
  std::uint32_t yes_in_16_;
  bool clock_overtakes_;
  bool focused_;
};

class PctSearch final : public Strategy {
 public:
  using Strategy::Strategy;
  void learn(const Schedule&, const Trail& trail) override { lengths_.learn(trail); }

 protected:
  std::optional<Schedule> propose() override {
    const std::uint64_t seed = seed_at(index_++ * setup().shards + setup().shard);
    return lengths_.pct(setup().depth, flavoured(Schedule(seed)));
  }

 private:
  std::uint64_t index_ = 0;
  PctLengths lengths_;
};

}  // namespace

std::unique_ptr<Chooser> pct(const Schedule& schedule) {
  return std::make_unique<Pct>(schedule);
}

std::unique_ptr<Strategy> pct_search(const SearchSetup& setup) {
  return std::make_unique<PctSearch>(setup);
}

}  // namespace undis::machine
