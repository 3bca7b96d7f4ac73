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
  Pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t length, bool clock)
      : random_{seed ^ 0x5bd1e995U}, answers_{~seed}, lets_clock_overtake_(clock) {
    for (std::uint32_t i = 1; i < depth; ++i) changes_.push_back(1 + random_.below(length));
    std::ranges::sort(changes_);
    yes_in_16_ = 2 + 4 * answers_.below(4);
  }

  std::uint32_t wish(const Moment& moment) noexcept override {
    while (next_ < changes_.size() && changes_[next_] <= moment.total) ++next_;
    return next_ < changes_.size() ? static_cast<std::uint32_t>(changes_[next_] - moment.total) : 0;
  }
  bool wants_news() const noexcept override { return true; }
  bool lets_clock_overtake() const noexcept override { return lets_clock_overtake_; }

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
    if (options[best] == Turn::kClock) clock_ = draw();
    return best;
  }
  bool answer(std::uint32_t) noexcept override { return answers_.below(16) < yes_in_16_; }
  void starved_others(std::uint32_t strand) noexcept override { drop(strand); }

 private:
  static constexpr std::uint64_t kHigh = std::uint64_t{1}
                                         << 32;  // drawn priorities; those after a drop are below, and sink
  std::uint64_t draw() noexcept { return kHigh + (random_.next() >> 32); }
  std::uint64_t& priority(std::uint32_t strand) noexcept {
    if (strand == Turn::kClock) {
      if (clock_ == 0) clock_ = draw();
      return clock_;
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
  std::uint64_t clock_ = 0;
  std::uint64_t lowest_ = kHigh;
  std::uint32_t yes_in_16_;
  bool lets_clock_overtake_;
};

class PctSearch final : public Strategy {
 public:
  using Strategy::Strategy;
  void learn(const Schedule&, const Trail& trail) override {
    // A power of two, so that a run that is a little longer makes no other schedules.
    if (length_ == 0 && trail.points != 0)
      for (length_ = 64; length_ < trail.points && length_ < (1U << 20); length_ *= 2) {
      }
  }

 protected:
  std::optional<Schedule> propose() override {
    const std::uint64_t seed = seed_at(index_++ * setup().shards + setup().shard);
    return Schedule::pct(setup().depth, seed, length_ == 0 ? Schedule::kDefaultLength : length_)
        .with_clock(clock_for(seed));
  }

 private:
  std::uint64_t index_ = 0;
  std::uint32_t length_ = 0;
};

}  // namespace

std::unique_ptr<Chooser> pct(const Schedule& schedule) {
  return std::make_unique<Pct>(schedule.depth(), schedule.seed(), schedule.length(), schedule.clock_overtakes());
}

std::unique_ptr<Strategy> pct_search(const SearchSetup& setup) {
  return std::make_unique<PctSearch>(setup);
}

}  // namespace undis::machine
