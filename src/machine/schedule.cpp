// SPDX-License-Identifier: MIT
//
// Schedule: its text form, forth and back.
#include "machine/schedule.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace undis::machine {
namespace {

constexpr std::string_view kExpected = "expected a schedule such as \"0\", \"7f3a\", \"7f3a.f5\", \"rr3\", "
                                       "\"pct3-7f3a.c\" or \"x3@17=5,0@4=clock.y2.f5.p4\" "
                                       "(docs/schedules.md)";

template <class T>
bool read_number(std::string_view text, int base, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return !text.empty() && error == std::errc{} && stop == end;
}

/// Calls `take` with each piece between commas; false as soon as it refuses one.
template <class Take>
bool each_piece(std::string_view text, char between, Take take) {
  for (;;) {
    const std::size_t end = text.find(between);
    if (!take(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool read_turn(std::string_view text, Turn& turn) {
  const std::size_t at = text.find('@');
  const std::size_t is = text.find('=');
  if (at == std::string_view::npos || is == std::string_view::npos || is < at) return false;
  const std::string_view to = text.substr(is + 1);
  if (!read_number(text.substr(0, at), 10, turn.strand) ||
      !read_number(text.substr(at + 1, is - at - 1), 10, turn.point))
    return false;
  if (turn.point == 0) return false;
  if (to == "clock" || to == "clock2") {
    turn.to = to == "clock" ? Turn::kClock : Turn::kClockElsewhere;
    return true;
  }
  return read_number(to, 10, turn.to) && !Turn::is_clock(turn.to);
}

bool read_failure(std::string_view text, Failure& failure) {
  const std::size_t plus = text.find('+');
  if (!read_number(text.substr(0, plus), 10, failure.first) || failure.first == 0) return false;
  return plus == std::string_view::npos || read_number(text.substr(plus + 1), 10, failure.more);
}

bool read_ascending(std::string_view text, std::vector<std::uint32_t>& numbers) {
  return each_piece(text, ',', [&numbers](std::string_view piece) {
    std::uint32_t number = 0;
    if (!read_number(piece, 10, number) || number == 0 || (!numbers.empty() && numbers.back() >= number))
      return false;
    numbers.push_back(number);
    return true;
  });
}

std::string hex(std::uint64_t value, std::size_t digits = 1) {
  char text[16];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value, 16);
  std::string out(text, end);
  return out.size() < digits ? std::string(digits - out.size(), '0') + out : out;
}

bool by_place(const Turn& a, const Turn& b) {
  return std::tie(a.strand, a.point) < std::tie(b.strand, b.point);
}

}  // namespace

Schedule Schedule::round_robin(std::uint32_t quantum) {
  Schedule made;
  made.way_ = Way::RoundRobin;
  made.size_ = quantum;
  return made;
}

Schedule Schedule::pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t length) {
  Schedule made;
  made.way_ = Way::Pct;
  made.size_ = depth;
  made.seed_ = seed;
  made.length_ = length;
  return made;
}

Schedule Schedule::given(std::vector<Turn> turns, std::vector<std::uint32_t> answers) {
  Schedule made;
  made.way_ = Way::Given;
  made.turns_ = std::move(turns);
  made.answers_ = std::move(answers);
  std::ranges::stable_sort(made.turns_, by_place);
  std::ranges::sort(made.answers_);
  return made;
}

Schedule Schedule::with_failures(std::vector<Failure> failures) const {
  Schedule made = *this;
  made.failures_ = std::move(failures);
  return made;
}

Schedule Schedule::with_processors(std::uint32_t count) const {
  Schedule made = *this;
  made.processors_ = count;
  return made;
}

Schedule Schedule::with_clock(bool overtakes) const {
  Schedule made = *this;
  made.clock_overtakes_ = overtakes && (way_ == Way::Random || way_ == Way::Pct);
  return made;
}

Schedule Schedule::with_focus(bool focused) const {
  Schedule made = *this;
  made.focused_ = focused && (way_ == Way::Random || way_ == Way::Pct);
  return made;
}

Schedule Schedule::bound_to(std::uint16_t drivers, std::uint16_t run) const {
  Schedule made = *this;
  made.bound_ = Bound{drivers, run};
  return made;
}

Schedule Schedule::unbound() const {
  Schedule made = *this;
  made.bound_.reset();
  return made;
}

bool Schedule::fails(std::uint32_t number) const noexcept {
  for (const Failure& failure : failures_)
    if (number >= failure.first && number - failure.first <= failure.more) return true;
  return false;
}

namespace {

/// The way itself, the text before the first dot. False: it is none.
bool read_way(std::string_view text, Schedule& schedule) {
  std::uint64_t seed = 0;
  if (text.starts_with("rr")) {
    std::uint32_t quantum = 0;
    if (!read_number(text.substr(2), 10, quantum) || quantum == 0) return false;
    schedule = Schedule::round_robin(quantum);
    return true;
  }
  if (text.starts_with("pct")) {
    text.remove_prefix(3);
    std::string_view parts[3];
    std::size_t count = 0;
    const bool fits = each_piece(text, '-', [&](std::string_view piece) {
      if (count == 3) return false;
      parts[count++] = piece;
      return true;
    });
    std::uint32_t depth = 0;
    std::uint32_t length = Schedule::kDefaultLength;
    if (!fits || count < 2 || !read_number(parts[0], 10, depth) || !read_number(parts[1], 16, seed))
      return false;
    if (count == 3 && !read_number(parts[2], 10, length)) return false;
    if (depth == 0 || depth > 64 || length == 0) return false;
    schedule = Schedule::pct(depth, seed, length);
    return true;
  }
  if (text.starts_with("x")) {
    text.remove_prefix(1);
    std::vector<Turn> turns;
    const bool good = text.empty() || each_piece(text, ',', [&turns](std::string_view piece) {
                        Turn turn;
                        if (!read_turn(piece, turn)) return false;
                        turns.push_back(turn);
                        return true;
                      });
    if (!good) return false;
    std::vector<Turn> sorted = turns;
    std::ranges::sort(sorted, by_place);
    const auto same_place = [](const Turn& a, const Turn& b) {
      return a.strand == b.strand && a.point == b.point;
    };
    if (std::ranges::adjacent_find(sorted, same_place) != sorted.end()) return false;
    schedule = Schedule::given(std::move(turns));
    return true;
  }
  if (!read_number(text, 16, seed)) return false;
  schedule = Schedule(seed);
  return true;
}

}  // namespace

std::optional<Schedule> Schedule::parse(std::string_view text, std::string* error) {
  const auto refuse = [&](const std::string& why) {
    if (error != nullptr)
      *error = "\"" + std::string(text) + "\" is no schedule: " + why + std::string(kExpected);
    return std::nullopt;
  };
  const std::size_t dot = text.find('.');
  Schedule schedule;
  if (!read_way(text.substr(0, dot), schedule)) return refuse("");
  std::string_view rest = dot == std::string_view::npos ? std::string_view() : text.substr(dot);
  bool has_answers = false;
  bool has_failures = false;
  bool has_processors = false;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = rest.find('.');
    const std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    const std::string_view value = part.empty() ? part : part.substr(1);
    const std::string why = "its part \"" + std::string(part) + "\" cannot be read; ";
    if (part == "c" && !schedule.clock_overtakes_) {
      schedule = schedule.with_clock(true);
      if (!schedule.clock_overtakes_) return refuse(why);
    } else if (part == "d" && !schedule.focused_) {
      schedule = schedule.with_focus(true);
      if (!schedule.focused_) return refuse(why);
    } else if (part.starts_with('f') && !has_failures) {
      has_failures = true;
      const bool good = each_piece(value, ',', [&schedule](std::string_view piece) {
        Failure failure;
        if (!read_failure(piece, failure)) return false;
        if (!schedule.failures_.empty() && schedule.failures_.back().first >= failure.first) return false;
        schedule.failures_.push_back(failure);
        return true;
      });
      if (!good) return refuse(why);
    } else if (part.starts_with('y') && schedule.way_ == Way::Given && !has_answers) {
      has_answers = true;
      if (!read_ascending(value, schedule.answers_)) return refuse(why);
    } else if (part.starts_with('p') && !has_processors) {
      has_processors = true;
      if (!read_number(value, 10, schedule.processors_) || schedule.processors_ == 0 ||
          schedule.processors_ > 64)
        return refuse(why + "1 to 64 processors are possible; ");
    } else if (part.starts_with('v') && !schedule.bound_) {
      std::uint32_t form = 0;
      Bound bound;
      std::size_t count = 0;
      bool good = each_piece(value, '-', [&](std::string_view piece) {
        switch (count++) {
        case 0:
          return read_number(piece, 10, form);
        case 1:
          return read_number(piece, 16, bound.drivers);
        case 2: {
          std::uint16_t run = 0;
          const bool read = read_number(piece, 16, run);
          bound.run = run;
          return read;
        }
        default:
          return false;
        }
      });
      if (count != 0 && form != 0 && form != kForm) {
        if (error != nullptr) {
          *error = "\"" + std::string(text) + "\" is a schedule of form " + std::to_string(form) +
                   ", made by another version of undis; " + "this one reads form " + std::to_string(kForm) +
                   ": search again with this version";
        }
        return std::nullopt;
      }
      good = good && count >= 2;
      if (!good) return refuse(why);
      schedule.bound_ = bound;
    } else {
      return refuse(why);
    }
  }
  return schedule;
}

std::string Schedule::text() const {
  std::string text;
  switch (way_) {
  case Way::Random:
    text = hex(seed_);
    break;
  case Way::RoundRobin:
    text = "rr" + std::to_string(size_);
    break;
  case Way::Pct:
    text = "pct" + std::to_string(size_) + "-" + hex(seed_);
    if (length_ != kDefaultLength) text += "-" + std::to_string(length_);
    break;
  case Way::Given:
    text = "x";
    for (const Turn& turn : turns_) {
      if (text.size() > 1) text += ',';
      text += std::to_string(turn.strand) + "@" + std::to_string(turn.point) + "=";
      if (!Turn::is_clock(turn.to))
        text += std::to_string(turn.to);
      else
        text += turn.to == Turn::kClock ? "clock" : "clock2";
    }
    break;
  }
  if (clock_overtakes_) text += ".c";
  if (focused_) text += ".d";
  for (std::size_t i = 0; i < answers_.size(); ++i)
    text += (i == 0 ? ".y" : ",") + std::to_string(answers_[i]);
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    text += (i == 0 ? ".f" : ",") + std::to_string(failures_[i].first);
    if (failures_[i].more != 0) text += "+" + std::to_string(failures_[i].more);
  }
  if (processors_ != kDefaultProcessors) text += ".p" + std::to_string(processors_);
  if (bound_) {
    text += ".v" + std::to_string(kForm) + "-" + hex(bound_->drivers, 4);
    if (bound_->run) text += "-" + hex(*bound_->run, 4);
  }
  return text;
}

std::uint16_t drivers_mark(const std::vector<std::string>& names) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::string& name : names) {
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    hash = (hash ^ 0xFFU) * 0x100000001b3U;  // ends a name
  }
  return run_mark(hash);
}

std::uint16_t run_mark(std::uint64_t switch_hash) noexcept {
  return static_cast<std::uint16_t>(switch_hash ^ switch_hash >> 16 ^ switch_hash >> 32 ^ switch_hash >> 48);
}

}  // namespace undis::machine
