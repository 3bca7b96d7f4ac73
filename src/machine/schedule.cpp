// SPDX-License-Identifier: MIT
//
// Schedule: its text form and the numbers drawn from it.
#include "machine/schedule.h"

#include <charconv>

namespace undis::machine {

namespace {

constexpr std::uint64_t kAnswers = 0x9e3779b97f4a7c15;  // sets the second stream apart from the first

constexpr std::string_view kExpected =
    "expected a schedule such as \"0\", \"7f3a\" or \"7f3a.f5\": up to 16 hex digits, then optionally \".f\" and the number of the "
    "fault point that fails";

template <class T>
bool read_number(std::string_view text, int base, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return !text.empty() && error == std::errc{} && stop == end;
}

}  // namespace

std::uint64_t Schedule::Random::next() noexcept {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint32_t Schedule::Random::below(std::uint32_t bound) noexcept {
  return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
}

Schedule::Schedule(std::uint64_t seed, std::uint32_t failing_fault) noexcept
    : seed_(seed), failing_fault_(failing_fault), walk_{seed}, answers_{seed ^ kAnswers} {
  if (!preempts()) return;
  // Bugs differ in how many switches they need and how close together: each seed searches at one density of 2 to 128 points.
  mean_distance_ = 2U << walk_.below(7);
  yes_in_16_ = 2 + 4 * answers_.below(4);
}

std::optional<Schedule> Schedule::parse(std::string_view text, std::string* error) {
  const std::size_t dot = text.find('.');
  std::uint64_t seed = 0;
  std::uint32_t fault = 0;
  bool good = read_number(text.substr(0, dot), 16, seed);
  if (good && dot != std::string_view::npos) {
    const std::string_view part = text.substr(dot + 1);
    good = part.starts_with('f') && read_number(part.substr(1), 10, fault) && fault != 0;
  }
  if (good) return Schedule(seed, fault);
  if (error != nullptr) *error = "\"" + std::string(text) + "\" is no schedule: " + std::string(kExpected);
  return std::nullopt;
}

std::string Schedule::text() const {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, seed_, 16);
  std::string text(digits, end);
  if (failing_fault_ != 0) text += ".f" + std::to_string(failing_fault_);
  return text;
}

std::uint32_t Schedule::points_until_preemption() noexcept { return 1 + walk_.below(2 * mean_distance_); }

std::uint32_t Schedule::pick(std::uint32_t count) noexcept {
  return preempts() && count > 1 ? walk_.below(count) : 0;
}

bool Schedule::choose() noexcept { return preempts() && answers_.below(16) < yes_in_16_; }

}  // namespace undis::machine
