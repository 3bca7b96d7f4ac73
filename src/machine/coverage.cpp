// SPDX-License-Identifier: MIT
//
// Coverage-guided search: a run in which some place was left for another for the first time is kept, and
// varied: a turn more, some turns less, a question answered otherwise. What is kept last is varied most.
#include <algorithm>
#include <unordered_set>
#include <vector>

#include "machine/chooser.h"
#include "machine/strategy.h"

namespace undis::machine {
namespace {

class Coverage final : public Strategy {
 public:
  explicit Coverage(const SearchSetup& setup)
      : Strategy(setup), random_{setup.seed ^ (std::uint64_t{setup.shard} << 32) ^
                                 (std::uint64_t{setup.restarts} << 48) ^ 0xC0FFEE} {}

  void prepare(Trail& trail) const override {
    trail.want_decisions = true;
    trail.want_places = true;
  }
  bool needs_to_learn() const override { return true; }

  void learn(const Schedule&, const Trail& trail) override {
    bool news = false;
    for (const std::uint64_t pair : trail.pairs) news = pairs_.insert(pair).second || news;
    if (!news) return;
    Kept kept{trail.turns, trail.yes, {}, trail.questions};
    for (const Trail::Decision& decision : trail.decisions) {
      if (decision.question || decision.count < 2) continue;
      for (const std::uint32_t option : trail.options_of(decision)) {
        if (option != trail.options[decision.first + decision.chosen])
          kept.ways.push_back({decision.strand, decision.point, option});
      }
    }
    kept_.push_back(std::move(kept));
  }

 protected:
  std::optional<Schedule> propose() override {
    const std::uint64_t index = index_++;
    if (index == 0 && setup().restarts == 0) return Schedule(setup().seed);
    // Some fresh ones first, and one now and then.
    if (index < 8 || kept_.empty() || index % 16 == 0) {
      return flavoured(Schedule(seed_at(index * setup().shards + setup().shard + 1)));
    }
    return vary(choose());
  }

 private:
  struct Kept {
    std::vector<Turn> turns;
    std::vector<std::uint32_t> yes;
    std::vector<Turn> ways;  // that were open and not gone
    std::uint32_t questions;
  };

  const Kept& choose() {
    const auto count = static_cast<std::uint32_t>(kept_.size());
    const std::uint32_t recent = std::min(count, 16U);
    if (random_.below(2) == 0) return kept_[count - 1 - random_.below(recent)];
    return kept_[random_.below(count)];
  }

  Schedule vary(const Kept& parent) {
    std::vector<Turn> turns = parent.turns;
    std::vector<std::uint32_t> yes = parent.yes;
    if (!turns.empty() && random_.below(3) != 0) {
      // A stretch is left out: everything after a point, or a few in the middle.
      const std::uint32_t from = random_.below(static_cast<std::uint32_t>(turns.size()));
      const bool rest = random_.below(4) == 0;
      const std::size_t length =
          rest ? turns.size() - from : std::min<std::size_t>(1 + random_.below(8), turns.size() - from);
      turns.erase(turns.begin() + from, turns.begin() + from + static_cast<std::ptrdiff_t>(length));
    }
    for (std::uint32_t i = 1 + random_.below(3); i-- > 0 && !parent.ways.empty();) {
      const Turn added = parent.ways[random_.below(static_cast<std::uint32_t>(parent.ways.size()))];
      std::erase_if(
          turns, [&](const Turn& turn) { return turn.strand == added.strand && turn.point == added.point; });
      turns.push_back(added);
    }
    if (parent.questions != 0 && random_.below(2) == 0) {
      const std::uint32_t question = 1 + random_.below(parent.questions);
      if (std::erase(yes, question) == 0) yes.push_back(question);
    }
    return Schedule::given(std::move(turns), std::move(yes));
  }

  Random random_;
  std::uint64_t index_ = 0;
  std::unordered_set<std::uint64_t> pairs_;  // looked up only
  std::vector<Kept> kept_;
};

}  // namespace

std::unique_ptr<Strategy> coverage_search(const SearchSetup& setup) {
  return std::make_unique<Coverage>(setup);
}

}  // namespace undis::machine
