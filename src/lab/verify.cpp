// SPDX-License-Identifier: MIT
//
// `undis verify`: loads the images, runs the suites under schedules in worker processes, collects what was found, reports.
#include <algorithm>
#include <filesystem>
#include <chrono>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include "lab/inf_text.h"
#include "lab/job.h"
#include "lab/options.h"
#include "lab/report.h"
#include "lab/symbols.h"
#include "lab/worker.h"
#include "undis/rule_table.h"
#include "undis/version.h"

namespace undis::lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kDefaultSchedules = 100;        // a suite, if the budget allows
constexpr std::uint64_t kAfterFirstFinding = 40;        // schedules that a suite goes on for once it has found something
constexpr std::chrono::seconds kSilence{10};            // of real time in one job: a run takes milliseconds

/// Seeds of a search: the default schedule first, then random walks that follow from the given seed.
std::uint64_t seed_at(std::uint64_t first, std::uint64_t index) {
  if (index == 0) return first;
  std::uint64_t z = first + index * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return (z ^ (z >> 31)) & 0xFFFFFFU;  // short enough to type
}

class Verification {
 public:
  Verification(const VerifyOptions& options, std::vector<loader::Image*> images) : options_(options), images_(std::move(images)) {
    for (const loader::Image* image : images_) {
      report_.drivers.push_back(image->name());
      image_arguments_ += " " + image->path();
    }
    report_.version = undis_version();
  }

  Report run(const std::vector<const Play*>& suites) {
    const auto begun = Clock::now();
    const auto end = begun + options_.budget;
    for (std::size_t i = 0; i < suites.size(); ++i) {
      const auto left = std::max<Clock::duration>(end - Clock::now(), std::chrono::milliseconds(100));
      run_suite(*suites[i], Clock::now() + left / static_cast<int>(suites.size() - i));
    }
    clear_progress();
    report_.seconds = seconds_since(begun);
    conclude();
    return std::move(report_);
  }

  /// The one run that a report names, here in this process and with its whole trace.
  Report replay(const Play& suite, const machine::Schedule& schedule) {
    const auto begun = Clock::now();
    const JobResult result = run_job(images_, suite, schedule, true);
    if (!options_.quiet && options_.json != "-")
      for (const std::string& line : result.trace) fmt::print("{}\n", line);
    take(suite, result);
    report_.suites.push_back({suite.name, verdict_of(suite), 1, 1, seconds_since(begun), {}});
    report_.seconds = seconds_since(begun);
    conclude();
    return std::move(report_);
  }

 private:
  static double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

  void run_suite(const Play& suite, Clock::time_point until) {
    const auto begun = Clock::now();
    const std::uint64_t wanted = options_.schedules != 0 ? options_.schedules : kDefaultSchedules;
    const std::uint64_t seed = std::stoull(options_.seed, nullptr, 16);
    std::uint64_t index = 0;
    std::uint64_t runs = 0;
    std::uint64_t found_at = 0;
    std::uint32_t fault_points = 0;
    bool fits = true;
    bool more = true;
    while (more && fits) {
      // What the worker needs it has from the fork; `index` here only counts what it has said.
      const std::uint64_t from = index;
      Worker worker(images_, suite, [&, at = from](const std::optional<JobResult>& last) mutable -> std::optional<machine::Schedule> {
        if (last && !last->fits) return std::nullopt;
        if (Clock::now() >= until && at != from) return std::nullopt;
        if (suite.faults) {
          if ((last || runs != 0) && at > (last ? last->faults : fault_points)) return std::nullopt;  // every fault point has failed once
          ++at;
          return machine::Schedule(0, static_cast<std::uint32_t>(at));
        }
        if (at >= wanted || (found_at != 0 && at > found_at + kAfterFirstFinding)) return std::nullopt;
        if (last && !last->violations.empty() && found_at == 0) found_at = at;
        return machine::Schedule(seed_at(seed, at++));
      });
      more = listen(worker, suite, index, runs, fits, fault_points);
      more = more && Clock::now() < until && (suite.faults || index < wanted);
    }
    report_.suites.push_back({suite.name, fits ? verdict_of(suite) : "skipped", runs, runs, seconds_since(begun),
                              fits ? std::string() : "nothing in it concerns these drivers"});
  }

  /// True: the worker broke off, and another may go on after the job that broke it.
  bool listen(Worker& worker, const Play& suite, std::uint64_t& index, std::uint64_t& runs, bool& fits, std::uint32_t& fault_points) {
    for (;;) {
      switch (worker.listen(kSilence)) {
        case Worker::Said::Begun: ++index; break;
        case Worker::Said::Result:
          ++runs;
          fits = worker.result().fits;
          fault_points = worker.result().faults;
          take(suite, worker.result());
          show_progress(suite, runs);
          if (worker.result().poisoned) return true;
          break;
        case Worker::Said::Ended: return false;
        case Worker::Said::Silent:
          ++runs;
          add_own(suite, worker.schedule(), "Hang", fmt::format("no end after {} s of real time: a loop that never calls anything", kSilence.count()));
          return true;
        case Worker::Said::Died:
          ++runs;
          add_own(suite, worker.schedule(), "DriverCrash", "the process that ran the driver ended with " + worker.death());
          return true;
      }
    }
  }

  void add_own(const Play& suite, const std::string& schedule, const char* rule, std::string text) {
    JobResult result;
    result.suite = suite.name;
    result.schedule = schedule;
    verifier::Violation v;
    v.rule = rule;
    v.driver = report_.drivers.front();
    v.text = std::move(text);
    result.violations.push_back(std::move(v));
    take(suite, result);
  }

  void take(const Play& suite, const JobResult& result) {
    for (const verifier::Violation& v : result.violations) {
      const auto same = [&](const Violation& seen) { return seen.rule == v.rule && seen.function == v.function && seen.suite == suite.name; };
      if (const auto seen = std::ranges::find_if(report_.violations, same); seen != report_.violations.end()) {
        ++seen->times;
        continue;
      }
      report_.violations.push_back(described(suite, result, v));
    }
  }

  Violation described(const Play& suite, const JobResult& result, const verifier::Violation& v) {
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
    out.schedule = result.schedule;
    out.stack = symbols_.driver_lines(v.stack);
    out.origin = symbols_.driver_lines(v.origin);
    out.calls = v.calls;
    out.waiters = v.waiters;
    out.trace = v.trace;
    out.replay = fmt::format("undis verify{} --replay {}:{}", image_arguments_, suite.name, result.schedule);
    return out;
  }

  std::string verdict_of(const Play& suite) const {
    return std::ranges::any_of(report_.violations, [&](const Violation& v) { return v.suite == suite.name && v.severity == "error"; }) ? "fail" : "pass";
  }

  void conclude() {
    report_.verdict = std::ranges::any_of(report_.violations, [](const Violation& v) { return v.severity == "error"; }) ? "fail" : "pass";
  }

  void show_progress(const Play& suite, std::uint64_t runs) {
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    if (options_.quiet || (!terminal && !options_.progress)) return;
    const auto now = Clock::now();
    if (now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    fmt::print(stderr, "{}{}: {} runs, {} findings{}", terminal ? "\r\033[K" : "", suite.name, runs, report_.violations.size(), terminal ? "" : "\n");
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
  return fmt::format("{}: no image is called {}; an INF is for the image of its name, or for the only one", path, stem);
}

}  // namespace

int verify(const VerifyOptions& options) {
  if (options.list_suites) {
    for (const Play& suite : all_suites()) fmt::print("{:20} {}\n", suite.name, suite.what);
    return kClean;
  }
  std::vector<const Play*> suites;
  for (const std::string& word : options.suites)
    if (!select(word, suites)) return complain(fmt::format("no suite is called {}; there are {}", word, names_of_suites()));
  if (suites.empty())
    for (const Play& suite : all_suites()) suites.push_back(&suite);
  const Play* const replayed = options.replay_suite.empty() ? nullptr : find_suite(options.replay_suite);
  if (!options.replay_suite.empty() && replayed == nullptr)
    return complain(fmt::format("--replay: no suite is called {}; there are {}", options.replay_suite, names_of_suites()));
  std::string error;
  const auto schedule = machine::Schedule::parse(options.replay_suite.empty() ? "0" : options.replay_schedule, &error);
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

  for (const std::string& path : options.infs)
    if (const std::string wrong = install(path, images); !wrong.empty()) return complain(wrong);
  Verification verification(options, images);
  const Report report = replayed != nullptr ? verification.replay(*replayed, *schedule) : verification.run(suites);
  if (const std::string failure = write_report(report, options); !failure.empty()) return complain(failure);
  return report.verdict == "pass" ? kClean : kViolations;
}

}  // namespace undis::lab
