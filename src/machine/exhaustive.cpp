// SPDX-License-Identifier: MIT
//
// Exhaustive search with a bound: every schedule with no departure from the default run, then every one with
// a single departure, and so on up to the bound. A departure is a pre-emption, another choice of who goes on
// where somebody must, or an answer of yes.
//
// Order   depth first within one bound; each schedule is run once, those with fewer departures once more a
// bound (for their decisions) Beyond  no partial-order reduction: what a driver does to its memory between
// two schedule points is not seen, so no two stretches
//         of its code are known to commute
#include <vector>

#include "machine/strategy.h"

namespace undis::machine {
namespace {

class Exhaustive final : public Strategy {
 public:
  using Strategy::Strategy;

  void prepare(Trail& trail) const override {
    trail.want_decisions = inner_;
    trail.want_places = true;
  }
  bool needs_to_learn() const override { return inner_; }

  void learn(const Schedule&, const Trail& trail) override {
    if (!inner_) return;
    nodes_.back().decisions = trail.decisions;
    nodes_.back().options = trail.options;
    skip_to_departure(nodes_.back());
    inner_ = false;
  }
  void lost() override { inner_ = false; }  // a node without decisions has no children

 protected:
  std::optional<Schedule> propose() override {
    if (level_ == 0) {
      ++level_;
      if (setup().shard == 0) return Schedule::given({});
    }
    for (;;) {
      if (nodes_.empty()) {
        if (finished_ || level_ > setup().bound) return std::nullopt;
        return open({}, {});  // the root of this level, to learn its decisions
      }
      Node& node = nodes_.back();
      if (advance(node)) return child(node);
      nodes_.pop_back();
      if (nodes_.empty()) {
        finished_ = !level_had_children_;
        level_had_children_ = false;
        ++level_;
      }
    }
  }

 private:
  /// A run whose departures are followed by one more.
  struct Node {
    std::vector<Turn> turns;
    std::vector<std::uint32_t> yes;
    std::vector<Trail::Decision> decisions;
    std::vector<std::uint32_t> options;
    std::size_t decision = 0;  // of the departure tried last
    std::uint32_t option = 0;  // 0: none yet
  };

  Schedule open(std::vector<Turn> turns, std::vector<std::uint32_t> yes) {
    Schedule schedule = Schedule::given(turns, yes);
    nodes_.push_back({std::move(turns), std::move(yes), {}, {}, 0, 0});
    inner_ = true;
    return schedule;
  }

  /// Only what comes after the last departure is tried: what comes before belongs to another node.
  void skip_to_departure(Node& node) const {
    const std::size_t wanted = node.turns.size() + node.yes.size();
    std::size_t seen = 0;
    for (std::size_t i = 0; i < node.decisions.size() && seen < wanted; ++i) {
      if (node.decisions[i].chosen == 0) continue;
      ++seen;
      node.decision = i;
      node.option = node.decisions[i].count;  // so that advance() goes on to the next
    }
  }

  /// To the next departure of the node. False: there is none.
  bool advance(Node& node) {
    const bool root = node.turns.empty() && node.yes.empty();
    for (; node.decision < node.decisions.size(); ++node.decision, node.option = 0) {
      // The parts of a search that is split are those of the root's decisions.
      if (root && node.decision % setup().shards != setup().shard) continue;
      if (++node.option < node.decisions[node.decision].count) return true;
    }
    return false;
  }

  Schedule child(const Node& node) {
    level_had_children_ = true;
    const Trail::Decision& at = node.decisions[node.decision];
    std::vector<Turn> turns = node.turns;
    std::vector<std::uint32_t> yes = node.yes;
    if (at.question) {
      yes.push_back(at.point);
    } else {
      turns.push_back({at.strand, at.point, node.options[at.first + node.option]});
    }
    if (turns.size() + yes.size() < level_) return open(std::move(turns), std::move(yes));
    return Schedule::given(std::move(turns), std::move(yes));
  }

  std::uint32_t level_ = 0;  // departures of the schedules that are tried at the moment
  std::vector<Node> nodes_;
  bool inner_ = false;  // the schedule given last is that of nodes_.back()
  bool level_had_children_ = false;
  bool finished_ = false;  // a level without schedules: nothing is left at any bound
};

}  // namespace

std::unique_ptr<Strategy> exhaustive_search(const SearchSetup& setup) {
  return std::make_unique<Exhaustive>(setup);
}

}  // namespace undis::machine
