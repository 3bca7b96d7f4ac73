// SPDX-License-Identifier: MIT
//
// A schedule: every choice that a run of the simulated machine leaves open, as a short text from which the same run comes again.
//
// Text    <seed in hex>[.f<k>]: "0", "7f3a", "7f3a.f5"
// Seed    0: never pre-empts, every choose() is false. Any other: a random walk, whose pre-emption rate follows from the seed.
// .f<k>   the k-th fault point (from 1) fails
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace undis::machine {

class Schedule {
 public:
  Schedule() noexcept : Schedule(0) {}
  explicit Schedule(std::uint64_t seed, std::uint32_t failing_fault = 0) noexcept;

  /// The schedule that `text` names. nullopt: it names none, and `error` (unless nullptr) says what was expected.
  static std::optional<Schedule> parse(std::string_view text, std::string* error = nullptr);
  std::string text() const;

  std::uint64_t seed() const noexcept { return seed_; }
  bool preempts() const noexcept { return seed_ != 0; }

  /// How many schedule points pass until the next pre-emption. Only for a schedule that pre-empts.
  std::uint32_t points_until_preemption() noexcept;
  /// One of `count` ways to go on; always the first in the default schedule.
  std::uint32_t pick(std::uint32_t count) noexcept;
  /// A yes or no; always no in the default schedule.
  bool choose() noexcept;
  /// Passes one fault point. True: this is the one to fail.
  bool fault() noexcept { return ++faults_seen_ == failing_fault_; }
  /// How many fault points were passed so far, so that a search knows how many there are to fail.
  std::uint32_t faults_seen() const noexcept { return faults_seen_; }

 private:
  /// splitmix64: small, the same on every machine, good enough to spread choices.
  struct Random {
    std::uint64_t state;
    std::uint64_t next() noexcept;
    std::uint32_t below(std::uint32_t bound) noexcept;
  };

  std::uint64_t seed_;
  std::uint32_t failing_fault_;
  std::uint32_t faults_seen_ = 0;
  std::uint32_t mean_distance_ = 1;  ///< of two pre-emptions, in schedule points
  std::uint32_t yes_in_16_ = 8;      ///< how often choose() says yes
  // Two streams: asking one more yes/no does not move the pre-emptions after it.
  Random walk_;
  Random answers_;
};

}  // namespace undis::machine
