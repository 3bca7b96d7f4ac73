// SPDX-License-Identifier: MIT
//
// `undis merge`: the reports of the parts of one search as one report.
//
// Suites      runs and failed calls add up; of states and of calls seen, which parts may share, the most that
// one part has counted Violations  the same rule, driver, function and suite is one finding: the shortest
// schedule is kept, how often it was seen adds up
#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/options.h"
#include "lab/report.h"

namespace undis::lab {
namespace {

int complain(const std::string& text) {
  fmt::print(stderr, "undis merge: {}\n", text);
  return kUsage;
}

/// Why the second does not belong to the same search as the first; "": it does.
std::string difference(const Report& a, const Report& b) {
  if (a.version != b.version)
    return fmt::format("it is of undis {}, the first of undis {}", b.version, a.version);
  if (a.drivers != b.drivers)
    return fmt::format("it is about {}, the first about {}", fmt::join(b.drivers, ", "),
                       fmt::join(a.drivers, ", "));
  if (a.strategy != b.strategy)
    return fmt::format("its strategy is {}, that of the first {}", b.strategy, a.strategy);
  if (a.seed != b.seed) return fmt::format("its seed is {}, that of the first {}", b.seed, a.seed);
  if (a.shards != b.shards) return fmt::format("it is a part of {}, the first one of {}", b.shards, a.shards);
  return {};
}

void add(Suite& whole, const Suite& part) {
  whole.runs += part.runs;
  whole.schedules += part.schedules;
  whole.seconds += part.seconds;
  whole.states = std::max(whole.states, part.states);
  whole.exhausted = whole.exhausted && part.exhausted;
  whole.faults_seen = std::max(whole.faults_seen, part.faults_seen);
  whole.faults_failed = std::min(whole.faults_failed + part.faults_failed, whole.faults_seen);
  whole.faults_reported += part.faults_reported;
  if (part.verdict == "fail" || whole.verdict == "skipped") whole.verdict = part.verdict;
}

void add(Report& whole, const Report& part) {
  for (const Suite& suite : part.suites) {
    const auto same =
        std::ranges::find_if(whole.suites, [&](const Suite& s) { return s.name == suite.name; });
    if (same == whole.suites.end()) {
      whole.suites.push_back(suite);
    } else {
      add(*same, suite);
    }
  }
  for (const Violation& violation : part.violations) {
    const auto same = std::ranges::find_if(whole.violations, [&](const Violation& v) {
      return v.rule == violation.rule && v.driver == violation.driver && v.function == violation.function &&
             v.suite == violation.suite;
    });
    if (same == whole.violations.end()) {
      whole.violations.push_back(violation);
      continue;
    }
    const std::uint64_t times = same->times + violation.times;
    if (violation.length < same->length) *same = violation;
    same->times = times;
  }
  whole.seconds += part.seconds;
  if (part.verdict == "fail") whole.verdict = part.verdict;
}

}  // namespace

int merge(const MergeOptions& options) {
  std::optional<Report> whole;
  std::vector<std::string> parts;  // the file of each part
  for (const std::string& path : options.reports) {
    std::ifstream file(path);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) return complain(fmt::format("{}: it cannot be read", path));
    Report report;
    try {
      report = report_from_json(text.str());
    } catch (const std::exception& error) {
      return complain(fmt::format("{}: no report of undis verify --json ({})", path, error.what()));
    }
    if (!whole) {
      parts.resize(report.shards);
    } else if (const std::string why = difference(*whole, report); !why.empty()) {
      return complain(fmt::format("{}: {}; parts of one search were expected", path, why));
    }
    if (report.shard >= parts.size())
      return complain(fmt::format("{}: part {} of {} is none", path, report.shard + 1, report.shards));
    if (std::string& known = parts[report.shard]; !known.empty())
      return complain(
          fmt::format("{} and {} are both part {} of {}", known, path, report.shard + 1, report.shards));
    parts[report.shard] = path;
    if (whole) {
      add(*whole, report);
    } else {
      whole = std::move(report);
    }
  }
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].empty()) missing.push_back(i + 1);
  if (!missing.empty())
    fmt::print(stderr, "undis merge: not all of the search: of {} parts, {} {} missing\n", parts.size(),
               fmt::join(missing, ", "), missing.size() == 1 ? "is" : "are");
  if (missing.empty()) {
    whole->shard = 0;
    whole->shards = 1;
  }
  if (const std::string failure = write_report(*whole, options.output); !failure.empty())
    return complain(failure);
  return whole->verdict == "pass" ? kClean : kViolations;
}

}  // namespace undis::lab
