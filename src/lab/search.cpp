// SPDX-License-Identifier: MIT
//
// Search: workers one after another.
#include "lab/search.h"

#include <algorithm>

#include <fmt/format.h>

#include "lab/found.h"

namespace undis::lab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kListen{100};
constexpr std::uint64_t kSettled = 100;  // runs without a new pair of places that a search goes on at least
constexpr std::chrono::seconds kSilence{10};  // of real time in one job: a run takes milliseconds

}  // namespace

Search::Search(const std::vector<loader::Image*>& images, const Play& suite, std::string strategy,
               const machine::SearchSetup& setup, bool fault_pairs, const SearchLimits& limits)
    : images_(images), suite_(suite), strategy_name_(std::move(strategy)), setup_(setup),
      fault_pairs_(fault_pairs), limits_(limits) {
  if (suite_.faults) faults_ = std::make_unique<machine::FaultSearch>(setup_, fault_pairs_);
}

std::unique_ptr<machine::Strategy> Search::make_strategy() const {
  return machine::Strategy::make(strategy_name_, setup_);
}

/// The parent's copy takes the step that the worker's has taken. nullptr: the worker died of it.
void Search::mirror(const machine::Trail* trail) {
  if (faults_ == nullptr) return;
  const std::optional<machine::Schedule> schedule = faults_->next();
  if (!schedule) return;
  if (trail != nullptr) {
    faults_->learn(*schedule, *trail);
  } else {
    faults_->lost();
  }
}

SearchOutcome Search::run(const Listener& listener) {
  const auto begun = Clock::now();
  for (bool more = true; more;) {
    const std::uint64_t before = board_.begun();
    std::unique_ptr<machine::Strategy> fresh;
    if (faults_ == nullptr) fresh = make_strategy();
    // Coverage cannot be had again but by running all of it again: it begins anew, elsewhere.
    const bool resumes = faults_ == nullptr && strategy_name_ != "coverage";
    machine::Strategy& strategy = faults_ != nullptr ? static_cast<machine::Strategy&>(*faults_) : *fresh;
    const Work work{
        .images = images_,
        .suite = suite_,
        .strategy = strategy,
        .skip = resumes ? before : 0,
        .number_before = resumes ? 0 : before,
        .lost = lost_,
        .more =
            [this, &strategy, first = first_finding_, offset = resumes ? 0 : before, pairs = std::uint64_t{0},
             grew = std::uint64_t{0}](std::uint64_t job, bool found) mutable {
              job += offset;
              if (found && first == 0) first = job;
              if (board_.pairs() != pairs) {
                pairs = board_.pairs();
                grew = job;
              }
              // Nothing new for long: the time is better spent on the suites that follow.
              if (limits_.saturates && job >= kSettled + 4 * grew && !strategy.owes()) return false;
              if (limits_.schedules != 0 && job >= limits_.schedules) return false;
              if (limits_.schedules == 0 && Clock::now() >= limits_.until) return false;
              return limits_.after_finding == 0 || first == 0 || strategy.owes() ||
                     job < first + limits_.after_finding;
            },
        .tell_all = faults_ != nullptr,
        .evidence = verifier::Evidence::None,
        .part = faults_ != nullptr ? TrailPart::Faults : TrailPart::None,
        .board = &board_,
    };
    {
      Worker worker(work);
      more = follow(worker, listener);
    }
    if (board_.begun() == before) more = false;  // a worker that did nothing
    ++setup_.restarts;
    if (limits_.schedules != 0 && board_.begun() >= limits_.schedules) more = false;
    if (limits_.schedules == 0 && Clock::now() >= limits_.until) more = false;
    if (limits_.after_finding != 0 && first_finding_ != 0 && !strategy.owes() &&
        board_.begun() >= first_finding_ + limits_.after_finding)
      more = false;
  }
  outcome_.runs = board_.begun();
  outcome_.states = board_.states();
  outcome_.pairs = board_.pairs();
  if (faults_ != nullptr) {
    outcome_.faults_seen = faults_->places_seen();
    outcome_.faults_failed = faults_->places_failed();
  }
  outcome_.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  return outcome_;
}

/// Runs keep nothing for reports, for most find nothing. What is found for the first time is had again, in a
/// process of its own.
JobResult Search::with_evidence(JobResult result) {
  const auto in = [](const std::vector<verifier::Violation>& list, const verifier::Violation& wanted) {
    return std::ranges::find_if(list, [&](const verifier::Violation& v) {
      return same_finding(v, wanted) && v.object == wanted.object;
    });
  };
  bool any_new = false;
  for (const verifier::Violation& v : result.violations) {
    if (in(known_, v) != known_.end()) continue;
    known_.push_back(v);
    any_new = true;
  }
  if (!any_new) return result;
  const std::optional<machine::Schedule> schedule = machine::Schedule::parse(result.schedule);
  if (!schedule) return result;
  machine::Trail trail;
  const auto again = run_apart(images_, suite_, *schedule, trail, verifier::Evidence::Tail, kSilence);
  if (!again) return result;
  for (verifier::Violation& v : result.violations)
    if (const auto same = in(again->violations, v); same != again->violations.end()) v = *same;
  return result;
}

/// Hears one worker out. True: it broke off, and another may go on after the job that broke it.
bool Search::follow(Worker& worker, const Listener& listener) {
  auto last_word = Clock::now();
  std::uint64_t last_done = board_.done();
  const auto broke_off = [&] {
    lost_.push_back(board_.begun() - 1);
    if (first_finding_ == 0) first_finding_ = board_.begun();
    return true;
  };
  for (;;) {
    listener.progress(board_);
    switch (worker.listen(kListen)) {
    case Worker::Said::Result: {
      const JobResult& result = worker.result();
      mirror(&worker.trail());
      if (!result.fits) {
        outcome_.fits = false;
        return false;
      }
      if (!result.violations.empty()) {
        listener.result(with_evidence(result));
        if (first_finding_ == 0) first_finding_ = board_.begun();
      }
      if (result.poisoned) {
        lost_.push_back(board_.begun() - 1);
        return true;
      }
      break;
    }
    case Worker::Said::Enough:
      return false;
    case Worker::Said::Exhausted:
      outcome_.exhausted = true;
      return false;
    case Worker::Said::Silent:
      if (board_.done() != last_done) {
        last_done = board_.done();
        last_word = Clock::now();
      } else if (Clock::now() - last_word >= kSilence) {
        listener.broken(board_.schedule(), "Hang",
                        fmt::format("no end after {} s of real time: a loop that never calls anything",
                                    kSilence.count()));
        mirror(nullptr);
        return broke_off();
      }
      break;
    case Worker::Said::Died:
      listener.broken(board_.schedule(), "DriverCrash",
                      "the process that ran the driver ended with " + worker.death());
      mirror(nullptr);
      return broke_off();
    }
  }
}

}  // namespace undis::lab
