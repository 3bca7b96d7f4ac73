// SPDX-License-Identifier: MIT
//
// Chooser: what a schedule decides while its run is under way. One for each way of Schedule; a file each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "machine/schedule.h"

namespace undis::machine {

/// A moment at which somebody has to go on.
struct Moment {
  std::uint32_t strand;  ///< the one whose code has come here
  std::uint32_t point;   ///< the number of this decision among those of the strand, from 1
  std::uint64_t total;   ///< schedule points of the run so far, of all strands; of those that it counts
  bool forced;           ///< it cannot go on itself: the first option is somebody else
};

class Chooser {
 public:
  Chooser() = default;
  virtual ~Chooser() = default;
  Chooser(const Chooser&) = delete;
  Chooser& operator=(const Chooser&) = delete;

  /// The chooser of `schedule`, which outlives it.
  static std::unique_ptr<Chooser> make(const Schedule& schedule);

  /// How many more schedule points pass before it is asked again, from 1; 0: not before something is forced.
  /// It is asked for this after each pick of its own; with follows_strands() also after each switch, about
  /// the strand that goes on then.
  virtual std::uint32_t wish(const Moment&) noexcept { return 0; }
  virtual bool follows_strands() const noexcept { return false; }
  /// True: it is asked as soon as a strand has become able to run.
  virtual bool wants_news() const noexcept { return false; }
  /// True: of the schedule points, it counts those of focused strands only (Strand::focused).
  virtual bool counts_focused() const noexcept { return false; }
  /// True: the clock is among the options of pick(), if a timer is due soon.
  virtual bool lets_clock_overtake() const noexcept { return false; }
  /// One of `options` (their strands' numbers, or Turn::is_clock); the first is to go on as the default run
  /// does.
  virtual std::uint32_t pick(const Moment&, std::span<const std::uint32_t> options) noexcept = 0;
  /// The answer to the `number`-th question of the run, from 1.
  virtual bool answer(std::uint32_t /*number*/) noexcept { return false; }
  /// The strand has run for so long without waiting that the machine gave its processor to another one.
  virtual void starved_others(std::uint32_t /*strand*/) noexcept {}
};

/// splitmix64: small, the same on every machine, good enough to spread choices.
struct Random {
  std::uint64_t state = 0;
  std::uint64_t next() noexcept {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
};

// ---- the ways ----
std::unique_ptr<Chooser> random_walk(const Schedule& schedule);
std::unique_ptr<Chooser> round_robin(const Schedule& schedule);
std::unique_ptr<Chooser> pct(const Schedule& schedule);
std::unique_ptr<Chooser> given_turns(const Schedule& schedule);

}  // namespace undis::machine
