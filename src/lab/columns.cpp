// SPDX-License-Identifier: MIT
//
// Columns in the order in which the threads first appear; a change of thread begins a new group, so that
// switches are seen.
#include "lab/columns.h"

#include <algorithm>

#include <fmt/format.h>

namespace undis::lab {
namespace {

constexpr std::size_t kTime = 10;
constexpr std::size_t kNarrowest = 18;
constexpr const char* kBetween = " | ";

/// Cut to `width` bytes, at no character's middle.
std::string cut(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  std::size_t end = width - 2;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "..";
}

/// Without "driver!" and "driver calls ".
std::string without(std::string text, const std::string& driver) {
  for (const std::string& prefix : {driver + "!", driver + " calls "})
    if (const std::size_t at = text.find(prefix); at != std::string::npos && at <= 2)
      text.erase(at, prefix.size());
  return text;
}

}  // namespace

std::vector<std::string> interleaving(const std::vector<std::string>& trace,
                                      const std::vector<verifier::TracePlace>& places,
                                      const std::string& driver, std::size_t width) {
  std::vector<std::string> threads;
  const std::size_t count = std::min(trace.size(), places.size());
  for (std::size_t i = 0; i < count; ++i)
    if (std::ranges::find(threads, places[i].thread) == threads.end()) threads.push_back(places[i].thread);
  if (threads.size() < 2) return {};

  const std::size_t between = std::string(kBetween).size();
  const std::size_t room = width > kTime ? (width - kTime) / threads.size() : 0;
  const std::size_t column = std::max(kNarrowest, room > between ? room - between : 0);
  const auto row = [&](const std::string& time, std::size_t thread, const std::string& text) {
    std::string line = fmt::format("{:>{}}", time, kTime);
    for (std::size_t i = 0; i < threads.size(); ++i)
      line += fmt::format("{}{:<{}}", kBetween, i == thread ? cut(text, column) : "", column);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
  };

  std::vector<std::string> lines;
  std::string head = fmt::format("{:>{}}", "ms", kTime);
  for (const std::string& thread : threads)
    head += fmt::format("{}{:<{}}", kBetween, cut(thread, column), column);
  lines.push_back(std::move(head));
  std::string shown;
  for (std::size_t i = 0; i < count; ++i) {
    const auto thread =
        static_cast<std::size_t>(std::ranges::find(threads, places[i].thread) - threads.begin());
    std::string time = fmt::format("{:.3f}", static_cast<double>(places[i].time) / 10'000);
    const bool again = time == shown;
    if (!again) shown = time;
    lines.push_back(row(again ? "" : time, thread, without(trace[i], driver)));
  }
  return lines;
}

}  // namespace undis::lab
