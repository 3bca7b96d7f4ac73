// SPDX-License-Identifier: MIT
//
// The form for people: the verdict first, then a block a violation, each line of it short.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "lab/report.h"

namespace undis::lab {
namespace {

class Painter {
 public:
  explicit Painter(bool on) : on_(on) {}
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string red(std::string_view text) const { return paint("1;31", text); }
  std::string green(std::string_view text) const { return paint("1;32", text); }
  std::string yellow(std::string_view text) const { return paint("1;33", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }

 private:
  std::string paint(const char* code, std::string_view text) const {
    return on_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  bool on_;
};

std::string counted(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string severity_of(const Violation& violation, const Painter& paint) {
  return violation.severity == "error" ? paint.red("error") : paint.yellow(violation.severity);
}

/// "  stack    first line" and the others below it; nothing for an empty list.
std::string rows(const Painter& paint, std::string_view name, const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += fmt::format("  {} {}\n", paint.dim(fmt::format("{:<9}", i == 0 ? name : "")), lines[i]);
  }
  return text;
}

std::string row(const Painter& paint, std::string_view name, const std::string& value) {
  return value.empty() ? std::string() : rows(paint, name, {value});
}

std::string violation_text(const Violation& violation, const Painter& paint) {
  std::string text =
      fmt::format("{} {}: {}\n", severity_of(violation, paint), paint.bold(violation.rule), violation.title);
  text += row(paint, "found", violation.text);
  text += row(paint, "driver",
              violation.function.empty() ? violation.driver
                                         : fmt::format("{}, in {}", violation.driver, violation.function));
  text += row(paint, "object", violation.object);
  text += row(paint, "held by", violation.holder);
  text += rows(paint, "waits", violation.waiters);
  text += rows(paint, "calls", violation.calls);
  text += rows(paint, "stack", violation.stack);
  text += rows(paint, "from", violation.origin);
  if (violation.interleaving.empty()) {
    text += rows(paint, "trace", violation.trace);
  } else {
    text += rows(paint, "order", violation.interleaving);
  }
  const std::string times = violation.times > 1 ? fmt::format(" (seen {} times)", violation.times) : "";
  std::string found =
      violation.found_after == 0 ? "" : fmt::format(", found in run {}", violation.found_after);
  if (violation.found_length > violation.length)
    found += fmt::format("; shrunk from {} departures to {}", violation.found_length, violation.length);
  text += row(paint, "suite",
              fmt::format("{}, schedule {}{}{}", violation.suite, violation.schedule, times, found));
  text += row(paint, "Windows",
              violation.bugcheck.empty() ? "" : fmt::format("bug check {}", violation.bugcheck));
  text += row(paint, "page", page_address(violation.page));
  text += row(paint, "again", violation.replay);
  return text;
}

std::string suite_lines(const Report& report, const Painter& paint) {
  std::size_t width = 0;
  for (const Suite& suite : report.suites) width = std::max(width, suite.name.size());
  std::string text;
  for (const Suite& suite : report.suites) {
    const std::string verdict = suite.verdict == "pass"   ? paint.green("pass")
                                : suite.verdict == "fail" ? paint.red("fail")
                                                          : paint.yellow(suite.verdict);
    text += fmt::format("  {} {:<{}}  ", verdict, suite.name, width);
    if (!suite.reason.empty()) {
      text += suite.reason + "\n";
      continue;
    }
    text += fmt::format("{}, {}", counted(suite.runs, "run"), counted(suite.states, "state"));
    if (suite.exhausted) text += ", exhausted";
    if (suite.faults_seen != 0)
      text +=
          fmt::format("; {} of {} failed", suite.faults_failed, counted(suite.faults_seen, "fallible call"));
    text += "\n";
  }
  return text;
}

}  // namespace

std::string count_of_findings(const Report& report) {
  const auto notes =
      static_cast<std::uint64_t>(std::ranges::count(report.violations, "note", &Violation::severity));
  const std::uint64_t others = report.violations.size() - notes;
  if (notes == 0) return others == 0 ? "no violation" : counted(others, "violation");
  return others == 0 ? counted(notes, "note")
                     : fmt::format("{}, {}", counted(others, "violation"), counted(notes, "note"));
}

std::string report_text(const Report& report, bool colored, bool quiet) {
  const Painter paint(colored);
  std::uint64_t runs = 0;
  for (const Suite& suite : report.suites) runs += suite.runs;
  const std::string verdict = report.verdict == "pass" ? paint.green("pass") : paint.red(report.verdict);
  const std::string summary =
      fmt::format("{}: {}: {} in {} of {}, {:.1f} s\n", fmt::join(report.drivers, ", "), verdict,
                  count_of_findings(report), counted(runs, "run"), counted(report.suites.size(), "suite"),
                  report.seconds);
  if (quiet) return summary;
  std::string text;
  for (const Violation& violation : report.violations) text += violation_text(violation, paint) + "\n";
  return text + suite_lines(report, paint) + summary;
}

}  // namespace undis::lab
