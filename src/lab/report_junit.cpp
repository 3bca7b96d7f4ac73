// SPDX-License-Identifier: MIT
//
// The JUnit form, for CTest, Jenkins, GitLab: a suite is a <testsuite>; it has one <testcase> a violation, or
// one that passed.
#include <fmt/format.h>

#include <vector>

#include "lab/report.h"
#include "lab/report_markup.h"

namespace undis::lab {
namespace {

std::string block(const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string text = fmt::format("{}:\n", title);
  for (const std::string& line : lines) text += fmt::format("  {}\n", line);
  return text;
}

std::string details(const Violation& violation) {
  std::string text = violation.text + "\n";
  for (const auto& [name, value] : {std::pair{"object", violation.object},
                                    {"held by", violation.holder},
                                    {"schedule", violation.schedule},
                                    {"replay", violation.replay},
                                    {"page", page_address(violation.page)},
                                    {"Windows", violation.bugcheck}}) {
    if (!value.empty()) text += fmt::format("{}: {}\n", name, value);
  }
  return text + block("stack", violation.stack) + block("from", violation.origin) +
         block("trace", violation.trace);
}

/// A failing case; a warning or a note is told, but fails nothing.
std::string violation_case(const Violation& violation, const std::string& suite) {
  const bool fails = violation.severity == "error";
  const std::string text = escaped(details(violation));
  const std::string name = escaped(fmt::format("{}: {}", violation.rule, violation.function));
  std::string body;
  if (fails) {
    body = fmt::format("<failure type=\"{}\" message=\"{}\">{}</failure>", escaped(violation.rule),
                       escaped(violation.title), text);
  } else {
    body = fmt::format("<system-out>{}: {}\n{}</system-out>", violation.severity, escaped(violation.title),
                       text);
  }
  return fmt::format("    <testcase classname=\"{}.{}\" name=\"{}\" time=\"0\">\n      {}\n    </testcase>\n",
                     escaped(violation.driver), escaped(suite), name, body);
}

}  // namespace

std::string report_junit(const Report& report) {
  std::string suites;
  std::size_t all_cases = 0;
  std::size_t all_failures = 0;
  std::size_t all_skipped = 0;
  for (const Suite& suite : report.suites) {
    std::string cases;
    std::size_t count = 0;
    std::size_t failures = 0;
    for (const Violation& violation : report.violations) {
      if (violation.suite != suite.name) continue;
      cases += violation_case(violation, suite.name);
      ++count;
      if (violation.severity == "error") ++failures;
    }
    const bool skipped = suite.verdict == "skipped";
    if (count == 0) {
      const std::string driver = report.drivers.empty() ? "undis" : report.drivers.front();
      cases = fmt::format("    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3f}\">{}</testcase>\n",
                          escaped(driver), escaped(suite.name), escaped(suite.name), suite.seconds,
                          skipped ? fmt::format("<skipped message=\"{}\"/>", escaped(suite.reason)) : "");
      count = 1;
    }
    suites += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" "
                          "time=\"{:.3f}\">\n{}  </testsuite>\n",
                          escaped(suite.name), count, failures, skipped ? 1 : 0, suite.seconds, cases);
    all_cases += count;
    all_failures += failures;
    all_skipped += skipped ? 1 : 0;
  }
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"undis verify\" "
                     "tests=\"{}\" failures=\"{}\" "
                     "errors=\"0\" skipped=\"{}\" time=\"{:.3f}\">\n{}</testsuites>\n",
                     all_cases, all_failures, all_skipped, report.seconds, suites);
}

}  // namespace undis::lab
