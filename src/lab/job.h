// SPDX-License-Identifier: MIT
//
// One run of one suite under one schedule, and what came of it, as plain data that can go through a pipe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/suites.h"
#include "machine/trail.h"
#include "verifier/violation.h"

namespace undis::lab {

struct JobResult {
  std::uint64_t number = 0;  ///< of the job in its search, from 1
  std::string suite;
  std::string schedule;
  bool fits = true;       ///< false: the suite has nothing to do with these drivers
  bool poisoned = false;  ///< a crash, hang or bug check: the process is of no further use
  std::uint64_t trace_hash = 0;
  std::uint64_t switch_hash = 0;
  std::vector<verifier::Violation> violations;
  std::vector<std::string> trace;            ///< with Evidence::Whole
  std::vector<verifier::TracePlace> places;  ///< of each line of it
};

/// Runs it in this process; `trail` is filled in.
JobResult run_job(const std::vector<loader::Image*>& images, const Play& suite,
                  const machine::Schedule& schedule, machine::Trail& trail, verifier::Evidence evidence);

/// What of a trail crosses to another process.
enum class TrailPart : std::uint8_t { None, Turns, Faults };

/// One line, and back. Stacks travel as addresses: both ends have the same images at the same places.
std::string to_line(const JobResult& result, const machine::Trail& trail, TrailPart part);
JobResult from_line(const std::string& line, machine::Trail& trail);

}  // namespace undis::lab
