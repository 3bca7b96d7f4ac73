// SPDX-License-Identifier: MIT
//
// A schedule: every choice that a run of the simulated machine leaves open, as a short text from which the
// same run comes again.
//
// Text     a way, then parts with a dot before each, in any order:
//          "0", "7f3a", "pct3-7f3a.c.f5", "x3@17=5,0@4=clock.y2.p4"
// Ways     <hex>               random walk from that seed; "0" never pre-empts, and every question is
//                              answered with no
//          rr<n>               round robin: each strand has n schedule points, then the next has its turn
//          pct<d>-<hex>[-<n>]  probabilistic concurrency testing of depth d, over a run of about n points
//          x<turns>            exactly these turns, all else as "0":
//                              "<strand>@<point>=<strand that goes on, clock, or clock2>", with
//                              commas
// Parts    c                   (random walk, pct) the clock may overtake who could go on; without it, time
//                              passes only when nobody can
//          d                   (random walk, pct) of the schedule points, those inside the drivers under test
//                              count; without it, all of them
//          f<k>[,<k>...]       the k-th fault points (from 1) fail; f<k>+<n>: the k-th and the n that follow
//          y<k>[,<k>...]       (way x) the k-th questions (from 1) are answered with yes
//          p<n>                n virtual processors instead of two
//          v<n>-<hex>[-<hex>]  the form of this text, the drivers that it is for, and the switches that its
//                              run made; without it nothing of the kind is checked
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace undis::machine {

/// A departure from the default run: at its `point`-th decision, `strand` gives way to `to`.
struct Turn {
  static constexpr std::uint32_t kClock = ~std::uint32_t{0};    ///< as `to`: time passes to the next timer
  static constexpr std::uint32_t kClockElsewhere = kClock - 1;  ///< the same; another processor takes it
  static constexpr bool is_clock(std::uint32_t to) noexcept { return to >= kClockElsewhere; }
  std::uint32_t strand = 0;
  std::uint32_t point = 0;
  std::uint32_t to = 0;
  friend bool operator==(const Turn&, const Turn&) = default;
};

/// Fault points `first` to `first + more`, counted from 1.
struct Failure {
  std::uint32_t first = 0;
  std::uint32_t more = 0;
  friend bool operator==(const Failure&, const Failure&) = default;
};

class Schedule {
 public:
  enum class Way : std::uint8_t { Random, RoundRobin, Pct, Given };
  static constexpr std::uint32_t kForm = 1;  ///< of the text; another one is refused
  static constexpr std::uint32_t kDefaultProcessors = 2;
  static constexpr std::uint32_t kDefaultLength = 2000;  ///< of a run, for Way::Pct

  Schedule() = default;
  explicit Schedule(std::uint64_t seed, std::uint32_t failing_fault = 0) : seed_(seed) {
    if (failing_fault != 0) failures_.push_back({failing_fault, 0});
  }
  static Schedule round_robin(std::uint32_t quantum);
  static Schedule pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t length = kDefaultLength);
  static Schedule given(std::vector<Turn> turns, std::vector<std::uint32_t> answers = {});

  /// The schedule that `text` names. nullopt: it names none, and `error` (unless nullptr) says what was
  /// expected.
  static std::optional<Schedule> parse(std::string_view text, std::string* error = nullptr);
  std::string text() const;

  Way way() const noexcept { return way_; }
  std::uint64_t seed() const noexcept { return seed_; }
  std::uint32_t quantum() const noexcept { return size_; }   ///< RoundRobin
  std::uint32_t depth() const noexcept { return size_; }     ///< Pct
  std::uint32_t length() const noexcept { return length_; }  ///< Pct
  const std::vector<Turn>& turns() const noexcept { return turns_; }
  const std::vector<std::uint32_t>& answers() const noexcept { return answers_; }
  const std::vector<Failure>& failures() const noexcept { return failures_; }
  std::uint32_t processors() const noexcept { return processors_; }
  bool clock_overtakes() const noexcept { return clock_overtakes_; }
  /// Of Random and Pct: only points inside the drivers under test count.
  Schedule with_focus(bool focused) const;
  bool focused() const noexcept { return focused_; }
  /// The default run: nothing pre-empts, nothing fails.
  bool is_default() const noexcept { return way_ == Way::Random && seed_ == 0; }

  Schedule with_failures(std::vector<Failure> failures) const;
  Schedule with_processors(std::uint32_t count) const;
  /// Of Random and Pct: `overtakes`: the clock is one of the ways to go on; where the others leave it to
  /// themselves (RoundRobin: it is none; Given: where a turn says so), nothing changes.
  Schedule with_clock(bool overtakes) const;
  /// As a report prints it: bound to these drivers (see drivers_mark()) and to the way that its run took.
  Schedule bound_to(std::uint16_t drivers, std::uint16_t run) const;
  /// Without what bound_to() added.
  Schedule unbound() const;

  struct Bound {
    std::uint16_t drivers = 0;
    std::optional<std::uint16_t> run;
    friend bool operator==(const Bound&, const Bound&) = default;
  };
  const std::optional<Bound>& bound() const noexcept { return bound_; }

  /// True: the `number`-th fault point (from 1) fails.
  bool fails(std::uint32_t number) const noexcept;

  friend bool operator==(const Schedule&, const Schedule&) = default;

 private:
  Way way_ = Way::Random;
  bool clock_overtakes_ = false;
  bool focused_ = false;
  std::uint32_t size_ = 0;
  std::uint32_t length_ = kDefaultLength;
  std::uint32_t processors_ = kDefaultProcessors;
  std::uint64_t seed_ = 0;
  std::vector<Turn> turns_;             // by strand, then by point
  std::vector<std::uint32_t> answers_;  // ascending
  std::vector<Failure> failures_;       // ascending
  std::optional<Bound> bound_;
};

/// What bound_to() takes for the drivers of these names in this order: no matter where they lie or how often
/// they are rebuilt.
std::uint16_t drivers_mark(const std::vector<std::string>& names) noexcept;
/// What bound_to() takes for a run: of its Machine::switch_hash().
std::uint16_t run_mark(std::uint64_t switch_hash) noexcept;

}  // namespace undis::machine
