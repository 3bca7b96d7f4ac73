// SPDX-License-Identifier: MIT
//
// Trail: what a run of the simulated machine leaves for a search to learn from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "machine/schedule.h"

namespace undis::machine {

struct Trail {
  // ---- what is to be noted ----
  bool want_decisions = false;   ///< each decision with its options: every schedule point becomes one
  bool want_footprints = false;  ///< with the decisions: what each stretch read and wrote
  bool want_places = false;      ///< states and pairs
  bool want_faults = false;      ///< fault points with the place of each

  // ---- always noted ----
  std::vector<Turn> turns;         ///< every departure from the default run, in order
  std::vector<std::uint32_t> yes;  ///< the questions that were answered with yes
  std::uint32_t questions = 0;
  std::uint32_t fault_points = 0;
  std::uint64_t points = 0;
  std::uint64_t focused_points = 0;  ///< those of them inside drivers under test

  // ---- noted if wanted ----
  struct Decision {
    std::uint32_t strand;
    std::uint32_t point;  ///< of a question: its number
    std::uint32_t first;  ///< of its options in `options`
    std::uint32_t count;
    std::uint32_t chosen;  ///< its place among them; of a question: 1 is yes
    bool forced;
    bool question;
    std::uint8_t irql = 0;        ///< of the strand
    std::uint32_t stretches = 0;  ///< that had ended when it was taken: the last of them came to it
    std::uint64_t state = 0;      ///< what the run had come to: equal numbers, equal states
  };
  std::vector<Decision> decisions;
  std::vector<std::uint32_t> options;
  /// What a strand did up to a decision or until it gave way (footprint.h).
  struct Stretch {
    std::uint32_t strand;
    std::uint32_t first;  ///< of its accesses in `accesses`
    std::uint32_t count;
    bool known;    ///< false: it may have accessed anything
    bool machine;  ///< it changed who is ready, or armed a timer, or the like
  };
  struct Access {
    std::uint32_t object;  ///< in the order in which the run came to them
    bool written;
  };
  std::vector<Stretch> stretches;
  std::vector<Access> accesses;
  bool polled = false;  ///< the clock ticked, or nearly: then how many points anybody passes counts
  /// At each switch: a number for what every strand is at; and one for the place that was left with the one
  /// that was gone to.
  std::vector<std::uint64_t> states;
  std::vector<std::uint64_t> pairs;
  struct FaultPoint {
    std::uint32_t number;
    std::uint64_t place;  ///< equal for equal stacks
    bool failed;
  };
  std::vector<FaultPoint> faults;

  std::span<const std::uint32_t> options_of(const Decision& decision) const {
    return std::span(options).subspan(decision.first, decision.count);
  }
  /// The same run as a list of turns and answers.
  Schedule given(const Schedule& of) const {
    return Schedule::given(turns, yes).with_failures(of.failures()).with_processors(of.processors());
  }
  void clear() {
    turns.clear();
    yes.clear();
    questions = fault_points = 0;
    points = focused_points = 0;
    decisions.clear();
    options.clear();
    stretches.clear();
    accesses.clear();
    polled = false;
    states.clear();
    pairs.clear();
    faults.clear();
  }
};

}  // namespace undis::machine
