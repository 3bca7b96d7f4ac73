// SPDX-License-Identifier: MIT
//
// The search of one suite: a strategy's schedules run in workers, one worker after another where a driver
// takes one down.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lab/board.h"
#include "lab/job.h"
#include "lab/worker.h"
#include "machine/fault_search.h"
#include "machine/strategy.h"

namespace undis::lab {

struct SearchLimits {
  std::chrono::steady_clock::time_point until;
  std::uint64_t schedules = 0;      ///< at most so many; 0: as many as there is time for
  bool saturates = false;           ///< it ends early when runs for long have met no new pair of places
  std::uint64_t after_finding = 0;  ///< so many more once something is found; 0: no limit
};

struct SearchOutcome {
  std::uint64_t runs = 0;
  std::uint64_t states = 0;  ///< different ones that runs went through
  std::uint64_t pairs = 0;   ///< different pairs of places with a switch from one to the other
  bool fits = true;
  bool exhausted = false;         ///< the strategy has nothing more to try
  std::uint64_t faults_seen = 0;  ///< distinct stacks of fallible calls
  std::uint64_t faults_failed = 0;
  double seconds = 0;
};

class Search {
 public:
  /// What a search tells while it goes on.
  struct Listener {
    std::function<void(const JobResult&)> result;  ///< one with findings
    /// The process ended, or was silent for too long, in this schedule ("": it is not known).
    std::function<void(const std::string& schedule, const char* rule, const std::string& what)> broken;
    std::function<void(const Board&)> progress;  ///< now and then
  };

  Search(const std::vector<loader::Image*>& images, const Play& suite, std::string strategy,
         const machine::SearchSetup& setup, bool fault_pairs, const SearchLimits& limits);

  SearchOutcome run(const Listener& listener);

 private:
  std::unique_ptr<machine::Strategy> make_strategy() const;
  void mirror(const machine::Trail* trail);
  bool follow(Worker& worker, const Listener& listener);
  JobResult with_evidence(JobResult result);

  const std::vector<loader::Image*>& images_;
  const Play& suite_;
  std::string strategy_name_;
  machine::SearchSetup setup_;
  bool fault_pairs_;
  SearchLimits limits_;
  Board board_;
  /// Of a suite whose calls fail: learns here what its copy in the worker learns there.
  std::unique_ptr<machine::FaultSearch> faults_;
  SearchOutcome outcome_;
  std::vector<verifier::Violation> known_;  ///< one of each kind that was found
  std::vector<std::uint64_t> lost_;
  std::uint64_t first_finding_ = 0;  ///< job after which something was found; 0: nothing yet
};

}  // namespace undis::lab
