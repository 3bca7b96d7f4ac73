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

#include "lab/job.h"

namespace undis::lab {

class Worker {
 public:
  /// `next` gives the schedule of the next job, given the result of the last one; nullopt: no more. It runs in the worker.
  using Next = std::function<std::optional<machine::Schedule>(const std::optional<JobResult>& last)>;

  Worker(const std::vector<loader::Image*>& images, const Play& suite, Next next);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  enum class Said : std::uint8_t { Begun, Result, Ended, Died, Silent };
  /// Waits for the next word: the schedule of a job that begins, a result, the end; Died: the process is gone without an end;
  /// Silent: no word within `patience`.
  Said listen(std::chrono::milliseconds patience);
  const std::string& schedule() const noexcept { return schedule_; }   ///< of the job that was begun last
  const JobResult& result() const noexcept { return result_; }
  /// After Died: how it ended ("signal 11 (Segmentation fault)").
  std::string death();

 private:
  bool read_line(std::string& line, std::chrono::milliseconds patience, bool& silent);

  pid_t pid_ = -1;
  int from_ = -1;
  std::string buffer_;
  std::string schedule_;
  JobResult result_;
};

}  // namespace undis::lab
