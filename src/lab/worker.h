// SPDX-License-Identifier: MIT
//
// A process that runs jobs, so that nothing a driver does can harm the one that reports.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/board.h"
#include "lab/job.h"
#include "machine/strategy.h"

namespace undis::lab {

/// What a worker is to do; it has a copy of all of it, as of its birth.
struct Work {
  const std::vector<loader::Image*>& images;
  const Play& suite;
  machine::Strategy& strategy;
  std::uint64_t skip = 0;  ///< schedules that workers before it have dealt with ...
  std::uint64_t number_before =
      0;  ///< jobs before the first of this worker, those that are skipped not counted
  std::vector<std::uint64_t> lost;  ///< ... these of them without a result, by their place in the order
  std::function<bool(std::uint64_t job, bool found)>
      more;               ///< asked before each job but the first; `found`: the last one found something
  bool tell_all = false;  ///< every result is told, with the trail's faults; else only those with findings
  verifier::Evidence evidence = verifier::Evidence::None;
  TrailPart part = TrailPart::None;  ///< of a trail that is told
  Board* board = nullptr;
};

class Worker {
 public:
  explicit Worker(const Work& work);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  enum class Said : std::uint8_t {
    Result,
    Enough,     ///< `more` said no
    Exhausted,  ///< the strategy has nothing more to try
    Died,       ///< the process is gone without a word
    Silent,     ///< no word within the time given
  };
  Said listen(std::chrono::milliseconds patience);
  const JobResult& result() const noexcept { return result_; }
  const machine::Trail& trail() const noexcept { return trail_; }
  /// After Died: how it ended ("signal 11 (Segmentation fault)").
  std::string death();

 private:
  bool read_line(std::string& line, std::chrono::milliseconds patience, bool& silent);

  pid_t pid_ = -1;
  int from_ = -1;
  std::string buffer_;
  JobResult result_;
  machine::Trail trail_;
};

/// Runs one schedule in a process of its own. nullopt: that died, or was silent for too long.
std::optional<JobResult> run_apart(const std::vector<loader::Image*>& images, const Play& suite,
                                   const machine::Schedule& schedule, machine::Trail& trail,
                                   verifier::Evidence evidence, std::chrono::milliseconds patience);

}  // namespace undis::lab
