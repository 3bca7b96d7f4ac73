// SPDX-License-Identifier: MIT
//
// Strategies by name, and the one that mixes the others.
#include "machine/strategy.h"

#include <array>
#include <utility>

#include "machine/chooser.h"

namespace undis::machine {
namespace {

using Make = std::unique_ptr<Strategy> (*)(const SearchSetup&);
constexpr std::array<std::pair<const char*, Make>, 6> kStrategies{{
    {"mixed", &mixed_search},
    {"random", &random_search},
    {"pct", &pct_search},
    {"round-robin", &round_robin_search},
    {"exhaustive", &exhaustive_search},
    {"coverage", &coverage_search},
}};

class Mixed final : public Strategy {
 public:
  using Strategy::Strategy;
  void learn(const Schedule&, const Trail& trail) override { lengths_.learn(trail); }

 protected:
  std::optional<Schedule> propose() override {
    const std::uint64_t index = index_ * setup().shards + setup().shard;
    ++index_;
    if (index == 0) return Schedule(setup().seed);
    if (index == 1) return Schedule::round_robin(1);
    // Where a search goes on after a crash, it begins with a seed of its own. Half of the schedules have a
    // clock that stands still, since one that overtakes takes time from all else; one in four looks outside
    // the drivers under test as well.
    const Schedule walk = Schedule(seed_at(index)).with_clock(index % 4 >= 2).with_focus(index / 4 % 4 != 3);
    if (index % 2 == 0) return walk;
    return lengths_.pct(2 + static_cast<std::uint32_t>(index / 4 % 3), walk);
  }

 private:
  std::uint64_t index_ = 0;
  PctLengths lengths_;
};

}  // namespace

std::uint64_t Strategy::seed_at(std::uint64_t index) const noexcept {
  if (index == 0 && setup_.restarts == 0) return setup_.seed;
  Random random{setup_.seed + index * 0x9E3779B97F4A7C15U + setup_.restarts * 0xD1B54A32D192ED03U};
  const std::uint64_t seed = random.next() & 0xFFFFFFU;
  return seed == 0 ? 1 : seed;
}

std::unique_ptr<Strategy> mixed_search(const SearchSetup& setup) {
  return std::make_unique<Mixed>(setup);
}

std::unique_ptr<Strategy> Strategy::make(std::string_view name, const SearchSetup& setup) {
  for (const auto& [known, maker] : kStrategies)
    if (name == known) return maker(setup);
  return nullptr;
}

const std::vector<std::string>& Strategy::names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& strategy : kStrategies) list.emplace_back(strategy.first);
    return list;
  }();
  return names;
}

}  // namespace undis::machine
