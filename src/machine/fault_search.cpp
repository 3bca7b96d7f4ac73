// SPDX-License-Identifier: MIT
//
// FaultSearch.
#include "machine/fault_search.h"

#include <algorithm>

namespace undis::machine {

void FaultSearch::prepare(Trail& trail) const {
  trail.want_decisions = false;
  trail.want_places = true;
  trail.want_faults = true;
}

void FaultSearch::learn(const Schedule& schedule, const Trail& trail) {
  most_points_ = std::max(most_points_, trail.fault_points);
  const bool base = schedule.failures().empty();
  const bool phase = std::ranges::any_of(schedule.failures(), [](const Failure& f) { return f.more != 0; });
  std::uint64_t last_failed = 0;
  for (const Trail::FaultPoint& point : trail.faults) {
    const bool is_new = places_.insert(point.place).second;
    if (point.failed) {
      failed_.insert(point.place);
      last_failed = point.place;
    }
    if (point.failed || phase) continue;
    // The parts of a split search are made from the run without failures, which each of them makes.
    if (is_new && base && point.place % setup().shards != setup().shard) continue;
    if (is_new) {
      // Up to there the run is the same: only what failed before it brought it about.
      std::vector<Failure> failures;
      for (const Failure& before : schedule.failures())
        if (before.first < point.number) failures.push_back(before);
      if (failures.size() >= kDeepest) continue;
      failures.push_back({point.number, 0});
      queue_.push_back(schedule.with_failures(std::move(failures)));
      if (base) later_.push_back(schedule.with_failures({{point.number, kAll}}));
    } else if (pairs_ && schedule.is_default() && last_failed != 0 && schedule.failures().size() == 1) {
      if (paired_.insert(last_failed * 0x9e3779b97f4a7c15U ^ point.place).second)
        queue_.push_back(schedule.with_failures({schedule.failures()[0], {point.number, 0}}));
    }
  }
}

std::optional<Schedule> FaultSearch::propose() {
  if (!begun_) {
    begun_ = true;
    return Schedule(0);
  }
  for (auto* queue : {&queue_, &later_}) {
    if (queue->empty()) continue;
    Schedule schedule = std::move(queue->front());
    queue->pop_front();
    return schedule;
  }
  if (most_points_ == 0) return std::nullopt;  // nothing in it can fail
  const std::uint64_t seed = seed_at(++random_runs_ * setup().shards + setup().shard);
  Random random{seed};
  return Schedule(seed).with_failures({{1 + random.below(most_points_), 0}});
}

}  // namespace undis::machine
