// SPDX-License-Identifier: MIT
//
// Random walk: pre-empts at random distances, goes on in a random way, answers at random. Seed 0 is the
// default run.
#include "machine/chooser.h"
#include "machine/strategy.h"

namespace undis::machine {
namespace {

constexpr std::uint64_t kAnswers = 0x9e3779b97f4a7c15;  // sets the second stream apart from the first

class RandomWalk final : public Chooser {
 public:
  explicit RandomWalk(const Schedule& schedule)
      : walk_{schedule.seed()}, answers_{schedule.seed() ^ kAnswers}, clock_(schedule.clock_overtakes()),
        focused_(schedule.focused()) {
    // Bugs differ in how many switches they need and how close together: each seed searches at one density of
    // 2 to 128 points, of those inside drivers 1 to 32.
    mean_distance_ = focused_ ? 1U << walk_.below(6) : 2U << walk_.below(7);
    yes_in_16_ = 2 + 4 * answers_.below(4);
  }

  std::uint32_t wish(const Moment&) noexcept override { return 1 + walk_.below(2 * mean_distance_); }
  std::uint32_t pick(const Moment&, std::span<const std::uint32_t> options) noexcept override {
    return walk_.below(static_cast<std::uint32_t>(options.size()));
  }
  bool answer(std::uint32_t) noexcept override { return answers_.below(16) < yes_in_16_; }
  bool lets_clock_overtake() const noexcept override { return clock_; }
  bool counts_focused() const noexcept override { return focused_; }

 private:
  // Two streams: asking one more question does not move the pre-emptions after it.
  Random walk_;
  Random answers_;
  std::uint32_t mean_distance_;
  std::uint32_t yes_in_16_;  ///< how often the answer is yes
  bool clock_;
  bool focused_;
};

class DefaultRun final : public Chooser {
 public:
  std::uint32_t pick(const Moment&, std::span<const std::uint32_t>) noexcept override { return 0; }
};

class RandomSearch final : public Strategy {
 public:
  using Strategy::Strategy;

 protected:
  std::optional<Schedule> propose() override {
    const std::uint64_t seed = seed_at(index_++ * setup().shards + setup().shard);
    return flavoured(Schedule(seed));
  }

 private:
  std::uint64_t index_ = 0;
};

}  // namespace

std::unique_ptr<Chooser> random_walk(const Schedule& schedule) {
  if (schedule.seed() == 0) return std::make_unique<DefaultRun>();
  return std::make_unique<RandomWalk>(schedule);
}

std::unique_ptr<Chooser> Chooser::make(const Schedule& schedule) {
  switch (schedule.way()) {
  case Schedule::Way::RoundRobin:
    return round_robin(schedule);
  case Schedule::Way::Pct:
    return pct(schedule);
  case Schedule::Way::Given:
    return given_turns(schedule);
  case Schedule::Way::Random:
    break;
  }
  return random_walk(schedule);
}

std::unique_ptr<Strategy> random_search(const SearchSetup& setup) {
  return std::make_unique<RandomSearch>(setup);
}

}  // namespace undis::machine
