// SPDX-License-Identifier: MIT
//
// `undis verify`: loads the images, runs the suites under schedules in worker processes, collects what was
// found, reports.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/columns.h"
#include "lab/found.h"
#include "lab/inf_text.h"
#include "lab/job.h"
#include "lab/options.h"
#include "lab/report.h"
#include "lab/search.h"
#include "lab/symbols.h"
#include "lab/worker.h"
#include "undis/rule_table.h"
#include "undis/version.h"

namespace undis::lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kAfterFirstFinding =
    200;  // schedules that a suite goes on for once it has found something
constexpr std::chrono::milliseconds kShrinkOne{2'000};  // of real time, for one finding ...
constexpr std::chrono::milliseconds kShrinkLeast{100};  // ... and this even where kShrinkAll is over
constexpr std::chrono::milliseconds kShrinkAll{10'000};

class Verification {
 public:
  Verification(const VerifyOptions& options, std::vector<loader::Image*> images)
      : options_(options), images_(std::move(images)) {
    for (const loader::Image* image : images_) {
      report_.drivers.push_back(image->name());
      image_arguments_ += " " + image->path();
    }
    report_.version = undis_version();
  }

  Report run(const std::vector<const Play*>& suites) {
    const auto begun = Clock::now();
    const auto end = begun + options_.budget;
    report_.strategy = options_.strategy;
    report_.seed = options_.seed;
    report_.shard = options_.shard;
    report_.shards = options_.shards;
    if (options_.strategy == "exhaustive") tell_what_is_not_reduced();
    for (std::size_t i = 0; i < suites.size(); ++i) {
      const auto left = std::max<Clock::duration>(end - Clock::now(), std::chrono::milliseconds(50));
      run_suite(*suites[i], Clock::now() + left / static_cast<int>(suites.size() - i));
    }
    clear_progress();
    if (options_.shrink) shrink_findings();
    report_.seconds = seconds_since(begun);
    conclude();
    return std::move(report_);
  }

  /// The one run that a report names, here in this process and with its whole trace.
  Report replay(const Play& suite, const machine::Schedule& schedule) {
    const auto begun = Clock::now();
    machine::Trail trail;
    const JobResult result = run_job(images_, suite, schedule, trail, verifier::Evidence::Whole);
    if (!options_.quiet && options_.json != "-")
      for (const std::string& line : result.trace) fmt::print("{}\n", line);
    if (const auto& bound = schedule.bound();
        bound && bound->run && *bound->run != machine::run_mark(result.switch_hash)) {
      fmt::print(stderr, "undis verify: this run took another way than the one that was reported: a driver, "
                         "undis or an option is not what it was "
                         "then\n");
    }
    for (const verifier::Violation& v : result.violations) take(suite, result.schedule, v, 1, 0);
    Suite row;
    row.name = suite.name;
    row.verdict = verdict_of(suite);
    row.runs = row.schedules = 1;
    row.seconds = seconds_since(begun);
    report_.suites.push_back(row);
    report_.seconds = seconds_since(begun);
    conclude();
    return std::move(report_);
  }

 private:
  static double seconds_since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
  }

  void tell_what_is_not_reduced() const {
    if (options_.quiet) return;
    for (const loader::Image* image : images_)
      if (!image->untold().empty())
        fmt::print(stderr, "undis verify: {}: {}: the search leaves out nothing of what it does\n",
                   image->path(), image->untold());
  }

  void run_suite(const Play& suite, Clock::time_point until) {
    const auto begun = Clock::now();
    machine::SearchSetup setup;
    setup.seed = std::stoull(options_.seed, nullptr, 16);
    setup.bound = options_.bound;
    setup.depth = options_.depth;
    setup.processors = options_.processors;
    setup.shard = options_.shard;
    setup.shards = options_.shards;
    const bool by_budget = options_.schedules == 0;
    const SearchLimits limits{.until = until,
                              .schedules = options_.schedules,
                              .saturates = by_budget && (suite.faults || options_.strategy == "mixed"),
                              .after_finding = by_budget ? kAfterFirstFinding : 0};
    Search search(images_, suite, options_.strategy, setup, options_.fault_pairs, limits);
    std::uint64_t reported = 0;
    std::uint64_t runs = 0;
    Search::Listener listener;
    listener.result = [&](const JobResult& result) {
      reported += result.violations.size();
      for (const verifier::Violation& v : result.violations)
        take(suite, result.schedule, v, result.number, seconds_since(begun));
    };
    listener.broken = [&](const std::string& schedule, const char* rule, const std::string& what) {
      ++reported;
      verifier::Violation v;
      v.rule = rule;
      v.driver = report_.drivers.front();
      v.text = what;
      take(suite, schedule, v, runs, seconds_since(begun));
    };
    listener.progress = [&](const Board& board) {
      runs = board.begun();
      show_progress(suite, board, seconds_since(begun));
    };
    const SearchOutcome outcome = search.run(listener);
    Suite row;
    row.name = suite.name;
    row.verdict = outcome.fits ? verdict_of(suite) : "skipped";
    row.runs = row.schedules = outcome.runs;
    row.seconds = outcome.seconds;
    row.reason = outcome.fits ? "" : "nothing in it concerns these drivers";
    row.states = outcome.states;
    row.exhausted = outcome.exhausted;
    row.faults_seen = outcome.faults_seen;
    row.faults_failed = outcome.faults_failed;
    row.faults_reported = suite.faults ? reported : 0;
    report_.suites.push_back(row);
  }

  void take(const Play& suite, const std::string& schedule, const verifier::Violation& v, std::uint64_t runs,
            double seconds) {
    const auto same = [&](const Violation& seen) {
      return seen.rule == v.rule && seen.function == v.function && seen.suite == suite.name;
    };
    if (const auto seen = std::ranges::find_if(report_.violations, same); seen != report_.violations.end()) {
      ++seen->times;
      return;
    }
    Violation out = described(suite, schedule, v);
    out.found_after = std::max<std::uint64_t>(runs, 1);
    out.found_seconds = seconds;
    out.found_schedule = schedule;
    report_.violations.push_back(std::move(out));
    to_shrink_.push_back({report_.violations.size() - 1, &suite, schedule, v});
  }

  /// What was found, made short; after the search, so that it takes none of its time.
  void shrink_findings() {
    const auto until = Clock::now() + kShrinkAll;
    for (const ToShrink& one : to_shrink_) {
      if (one.schedule.empty()) continue;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      Violation& reported = report_.violations[one.index];
      const std::optional<Found> found = shrink_finding(images_, *one.suite, one.schedule, one.violation,
                                                        std::clamp(left, kShrinkLeast, kShrinkOne));
      if (!found) continue;
      Violation better = described(*one.suite, found->schedule.text(), found->violation);
      better.times = reported.times;
      better.found_after = reported.found_after;
      better.found_seconds = reported.found_seconds;
      better.found_schedule = reported.found_schedule;
      better.found_length = found->found_length;
      better.length = found->length;
      reported = std::move(better);
    }
  }

  Violation described(const Play& suite, const std::string& schedule, const verifier::Violation& v) {
    Violation out;
    out.rule = v.rule;
    if (const RuleInfo* rule = find_rule(v.rule); rule != nullptr) {
      out.title = rule->title;
      out.severity = rule->severity;
      out.page = rule->page;
      out.bugcheck = rule->bugcheck;
    }
    out.text = v.text;
    out.driver = v.driver == "host" && report_.drivers.size() == 1 ? report_.drivers.front() : v.driver;
    out.function = v.function;
    out.object = v.object;
    out.holder = v.holder;
    out.suite = suite.name;
    out.schedule = schedule;
    out.stack = symbols_.driver_lines(v.stack);
    out.origin = symbols_.driver_lines(v.origin);
    out.calls = v.calls;
    for (std::size_t i = 0; i < v.waiters.size(); ++i) {
      out.waiters.push_back(v.waiters[i]);
      if (i >= v.waiter_stacks.size()) continue;
      for (const std::string& line : symbols_.driver_lines(v.waiter_stacks[i]))
        out.waiters.push_back("    " + line);
    }
    out.trace = v.trace;
    out.interleaving = interleaving(v.trace, v.places, v.driver);
    out.replay = fmt::format("undis verify{} --replay {}:{}", image_arguments_, suite.name, schedule);
    return out;
  }

  std::string verdict_of(const Play& suite) const {
    return std::ranges::any_of(
               report_.violations,
               [&](const Violation& v) { return v.suite == suite.name && v.severity == "error"; })
               ? "fail"
               : "pass";
  }

  void conclude() {
    report_.verdict =
        std::ranges::any_of(report_.violations, [](const Violation& v) { return v.severity == "error"; })
            ? "fail"
            : "pass";
  }

  void show_progress(const Play& suite, const Board& board, double seconds) {
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    if (options_.quiet || (!terminal && !options_.progress)) return;
    const auto now = Clock::now();
    if (now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    const double rate = seconds > 0 ? static_cast<double>(board.done()) / seconds : 0;
    fmt::print(stderr, "{}{}: {} schedules, {:.0f}/s, {} states, {} findings{}", terminal ? "\r\033[K" : "",
               suite.name, board.done(), rate, board.states(), report_.violations.size(),
               terminal ? "" : "\n");
    std::fflush(stderr);
  }

  void clear_progress() const {
    if (shown_ != Clock::time_point{} && ::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
  }

  const VerifyOptions& options_;
  std::vector<loader::Image*> images_;
  std::string image_arguments_;
  Report report_;
  Symbols symbols_;
  Clock::time_point shown_{};
  struct ToShrink {
    std::size_t index;  // in report_.violations
    const Play* suite;
    std::string schedule;
    verifier::Violation violation;
  };
  std::vector<ToShrink> to_shrink_;
};

/// The suites that a word names: one, or all that begin with "word.".
bool select(const std::string& word, std::vector<const Play*>& chosen) {
  bool any = false;
  for (const Play& suite : all_suites()) {
    if (word != suite.name && !std::string_view(suite.name).starts_with(word + ".")) continue;
    any = true;
    if (std::ranges::find(chosen, &suite) == chosen.end()) chosen.push_back(&suite);
  }
  return any;
}

std::string names_of_suites() {
  std::string names;
  for (const Play& suite : all_suites()) names += fmt::format("{}{}", names.empty() ? "" : ", ", suite.name);
  return names;
}

int complain(const std::string& text) {
  fmt::print(stderr, "undis verify: {}\n", text);
  return kUsage;
}

}  // namespace

namespace {

/// Puts an INF to the image that it is for. "" or what is wrong.
std::string install(const std::string& path, const std::vector<loader::Image*>& images) {
  auto inf = Inf::read(path);
  if (!inf) return inf.error();
  const std::string stem = std::filesystem::path(path).stem().string();
  for (const loader::Image* image : images)
    if (images.size() == 1 || same_name(image->name(), stem)) return Scene::install(*image, std::move(*inf));
  return fmt::format("{}: no image is called {}; an INF is for the image of its name, or for the only one",
                     path, stem);
}

}  // namespace

int verify(const VerifyOptions& options) {
  if (options.list_suites) {
    for (const Play& suite : all_suites()) fmt::print("{:20} {}\n", suite.name, suite.what);
    return kClean;
  }
  std::vector<const Play*> suites;
  for (const std::string& word : options.suites)
    if (!select(word, suites))
      return complain(fmt::format("no suite is called {}; there are {}", word, names_of_suites()));
  if (suites.empty())
    for (const Play& suite : all_suites()) suites.push_back(&suite);
  const Play* const replayed = options.replay_suite.empty() ? nullptr : find_suite(options.replay_suite);
  if (!options.replay_suite.empty() && replayed == nullptr)
    return complain(fmt::format("--replay: no suite is called {}; there are {}", options.replay_suite,
                                names_of_suites()));
  std::string error;
  const auto schedule =
      machine::Schedule::parse(options.replay_suite.empty() ? "0" : options.replay_schedule, &error);
  if (!schedule) return complain("--replay: " + error);

  std::vector<std::unique_ptr<loader::Image>> opened;
  std::vector<loader::Image*> images;
  for (const std::string& path : options.images) {
    auto image = loader::Image::open(path);
    if (!image) return complain(image.error());
    opened.push_back(std::move(*image));
    images.push_back(opened.back().get());
  }
  if (images.empty()) return complain("no driver image is named; expected: undis verify DRIVER.so ...");
  if (replayed != nullptr && schedule->bound()) {
    std::vector<std::string> names;
    for (const loader::Image* image : images) names.push_back(image->name());
    if (schedule->bound()->drivers != machine::drivers_mark(names))
      return complain(fmt::format("--replay: the schedule {} was found with other drivers than {}; a "
                                  "schedule shows nothing with others",
                                  options.replay_schedule, fmt::join(names, ", ")));
  }

  for (const std::string& path : options.infs)
    if (const std::string wrong = install(path, images); !wrong.empty()) return complain(wrong);
  Verification verification(options, images);
  const Report report =
      replayed != nullptr ? verification.replay(*replayed, *schedule) : verification.run(suites);
  if (const std::string failure = write_report(report, options); !failure.empty()) return complain(failure);
  return report.verdict == "pass" ? kClean : kViolations;
}

}  // namespace undis::lab
