// SPDX-License-Identifier: MIT
#include "cli/duration.h"

#include <charconv>
#include <cstdint>

namespace undis::cli {
namespace {

constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);

/// The unit at the beginning of `text`, which loses it. nullopt: there is none.
std::optional<std::chrono::milliseconds> take_unit(std::string_view& text) {
  for (const auto& [word, unit] :
       {std::pair<std::string_view, std::chrono::milliseconds>{"ms", std::chrono::milliseconds(1)},
        {"s", std::chrono::seconds(1)},
        {"m", std::chrono::minutes(1)},
        {"h", std::chrono::hours(1)}}) {
    if (text.starts_with(word)) {
      text.remove_prefix(word.size());
      return unit;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::chrono::milliseconds total{0};
  for (bool first = true; !text.empty(); first = false) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::optional<std::chrono::milliseconds> unit = take_unit(text);
    if (!unit && first && text.empty()) unit = std::chrono::seconds(1);
    if (!unit) return std::nullopt;
    const double milliseconds = number * static_cast<double>(unit->count());
    if (milliseconds > static_cast<double>((kLongest - total).count())) return std::nullopt;
    total += std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
  }
  return total;
}

}  // namespace undis::cli
