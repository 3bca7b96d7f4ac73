// SPDX-License-Identifier: MIT
//
// Exhaustive search with a bound: every schedule with no departure from the default run, then every one with
// a single departure, and so on up to the bound. A departure is a pre-emption, another choice of who goes on
// where somebody must, or an answer of yes.
//
// Order    depth first within one bound, the last decision of a run first; each schedule is run once, those
//          with fewer departures once more a bound (for their decisions)
// Left out what comes to the same as another run with as many departures (footprint.h: what stretches touch):
//          - what would follow a state that another run of the same bound has come to with no more departures
//          - of the last departure: to give way at one point, if to give way at the next one is run, and what
//            the strand does in between has nothing to do with what the others do until it goes on
//          Both hold for a bounded search; the usual sleep sets do not (docs/decisions.md#reduction)
#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "machine/strategy.h"

namespace undis::machine {
namespace {

/// What everybody else did from a departure until the strand that had given way went on.
struct Absence {
  bool known = false;
  std::vector<Trail::Access> accesses;  // by object, each once
};

/// Of the last departure of a run. Not known: one of them may have accessed anything, or the strand never
/// went on.
Absence absence_of(const Trail& trail) {
  Absence absence;
  const auto left = std::find_if(trail.decisions.rbegin(), trail.decisions.rend(),
                                 [](const auto& d) { return d.chosen != 0; });
  if (trail.polled || left == trail.decisions.rend() || left->question) return absence;
  for (std::size_t i = left->stretches; i < trail.stretches.size(); ++i) {
    const Trail::Stretch& stretch = trail.stretches[i];
    if (stretch.strand == left->strand) {
      absence.known = true;
      break;
    }
    if (!stretch.known) return absence;
    const auto first = trail.accesses.begin() + stretch.first;
    absence.accesses.insert(absence.accesses.end(), first, first + stretch.count);
  }
  auto& all = absence.accesses;
  // Each object once: as written, if it was.
  std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.object != other.object ? one.object < other.object : one.written && !other.written;
  });
  all.erase(std::unique(all.begin(), all.end(),
                        [](const auto& one, const auto& other) { return one.object == other.object; }),
            all.end());
  return absence;
}

class Exhaustive final : public Strategy {
 public:
  using Strategy::Strategy;

  void prepare(Trail& trail) const override {
    trail.want_footprints = setup().reduces && (inner_ || told_);
    trail.want_decisions = inner_ || trail.want_footprints;
    trail.want_places = true;
  }
  bool needs_to_learn() const override { return inner_ || told_; }

  void learn(const Schedule&, const Trail& trail) override {
    if (!inner_) {
      if (told_ && !nodes_.empty()) nodes_.back().now[nodes_.back().option] = absence_of(trail);
      return;
    }
    inner_ = false;
    Node& node = nodes_.back();
    node.decisions = trail.decisions;
    node.options = trail.options;
    node.first = after_departures(node);
    node.decision = node.decisions.size();
    if (!setup().reduces || trail.polled) return;
    node.stretches = trail.stretches;
    node.accesses = trail.accesses;
    told_ = told_ || std::ranges::any_of(trail.stretches, &Trail::Stretch::known);
    if (told_) node.decision = up_to_known_state(node);
  }
  void lost() override {
    inner_ = false;
  }  // a node without decisions has no children; nothing is known of a leaf

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
        finished_ = !level_had_leaves_;
        level_had_leaves_ = false;
        ++level_;
        states_.clear();
      }
    }
  }

 private:
  static constexpr std::size_t kMostStates = std::size_t{1}
                                             << 22;  // some 200 MB; those beyond are not known again

  /// A run whose departures are followed by one more.
  struct Node {
    static constexpr std::uint32_t kThrough = 1U << 31;  // more than any decision has: its options are tried
    std::vector<Turn> turns;
    std::vector<std::uint32_t> yes;
    std::vector<Trail::Decision> decisions;
    std::vector<std::uint32_t> options;
    std::vector<Trail::Stretch> stretches;
    std::vector<Trail::Access> accesses;
    std::size_t first =
        0;  // decision at which one more departure may be: what comes before belongs to another node
    std::size_t decision =
        0;  // of the departure tried last; at the beginning, one behind the last to be tried
    std::uint32_t option = kThrough;
    std::vector<Absence> now;    // by option, of `decision`
    std::vector<Absence> later;  // of the decision behind it
  };

  Schedule open(std::vector<Turn> turns, std::vector<std::uint32_t> yes) {
    Schedule schedule = Schedule::given(turns, yes);
    nodes_.emplace_back();
    nodes_.back().turns = std::move(turns);
    nodes_.back().yes = std::move(yes);
    inner_ = true;
    return schedule;
  }

  static std::uint32_t departures(const Node& node) {
    return static_cast<std::uint32_t>(node.turns.size() + node.yes.size());
  }

  static std::size_t after_departures(const Node& node) {
    std::size_t at = 0;
    for (std::uint32_t seen = 0; at < node.decisions.size() && seen < departures(node); ++at)
      if (node.decisions[at].chosen != 0) ++seen;
    return at;
  }

  /// The first decision whose state another node has come to with no more departures: what follows is the
  /// same there.
  std::size_t up_to_known_state(const Node& node) {
    const std::uint32_t used = departures(node);
    for (std::size_t at = node.first; at < node.decisions.size(); ++at) {
      const Trail::Decision& decision = node.decisions[at];
      if (decision.question) continue;
      const auto known = states_.find(decision.state);
      if (known == states_.end()) {
        if (states_.size() < kMostStates) states_.emplace(decision.state, used);
      } else if (known->second <= used) {
        return at;
      } else {
        known->second = used;
      }
    }
    return node.decisions.size();
  }

  /// To the next departure of the node. False: there is none.
  bool advance(Node& node) {
    const bool root = departures(node) == 0;
    for (;;) {
      while (node.decision < node.decisions.size() && ++node.option < node.decisions[node.decision].count) {
        if (!comes_to_the_same(node)) return true;
        node.now[node.option] = node.later[node.option];
      }
      do {
        if (node.decision == node.first) return false;
        --node.decision;
        node.later = std::exchange(node.now, {});
        // The parts of a search that is split are those of the root's decisions.
      } while (root && node.decision % setup().shards != setup().shard);
      node.option = 0;
      node.now.resize(node.decisions[node.decision].count);
    }
  }

  /// True: this last departure of a schedule, and the same one decision later, make two runs that differ in
  /// nothing but the order of what has nothing to do with each other.
  bool comes_to_the_same(const Node& node) const {
    if (!told_ || departures(node) + 1 < level_ || node.later.size() <= node.option ||
        !node.later[node.option].known)
      return false;
    const Trail::Decision& here = node.decisions[node.decision];
    const Trail::Decision& next = node.decisions[node.decision + 1];
    if (here.question || next.question || here.forced || next.forced || here.strand != next.strand ||
        here.irql != next.irql)
      return false;
    const auto options = [&node](const Trail::Decision& decision) {
      const auto first = node.options.begin() + decision.first;
      return std::pair(first, first + decision.count);
    };
    const auto [first, last] = options(here);
    const auto [first_next, last_next] = options(next);
    if (!std::equal(first, last, first_next, last_next)) return false;
    const std::vector<Trail::Access>& others = node.later[node.option].accesses;
    for (std::uint32_t i = here.stretches; i < next.stretches; ++i) {
      const Trail::Stretch& stretch = node.stretches[i];
      if (stretch.strand != here.strand || !stretch.known || stretch.machine) return false;
      for (std::uint32_t a = stretch.first; a < stretch.first + stretch.count; ++a) {
        const Trail::Access& own = node.accesses[a];
        const auto other = std::lower_bound(
            others.begin(), others.end(), own.object,
            [](const Trail::Access& access, std::uint32_t object) { return access.object < object; });
        if (other != others.end() && other->object == own.object && (other->written || own.written))
          return false;
      }
    }
    return true;
  }

  Schedule child(const Node& node) {
    const Trail::Decision& at = node.decisions[node.decision];
    std::vector<Turn> turns = node.turns;
    std::vector<std::uint32_t> yes = node.yes;
    if (at.question) {
      yes.push_back(at.point);
    } else {
      turns.push_back({at.strand, at.point, node.options[at.first + node.option]});
    }
    if (turns.size() + yes.size() < level_) return open(std::move(turns), std::move(yes));
    level_had_leaves_ = true;
    return Schedule::given(std::move(turns), std::move(yes));
  }

  std::uint32_t level_ = 0;  // departures of the schedules that are tried at the moment
  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      states_;          // that this level has come to, with so many departures
  bool told_ = false;   // some stretch was known: there is something to leave out
  bool inner_ = false;  // the schedule given last is that of nodes_.back()
  bool level_had_leaves_ = false;
  bool finished_ = false;  // a level without schedules: nothing is left at any bound
};

}  // namespace

std::unique_ptr<Strategy> exhaustive_search(const SearchSetup& setup) {
  return std::make_unique<Exhaustive>(setup);
}

}  // namespace undis::machine
