// SPDX-License-Identifier: MIT
//
// What becomes of a finding before it is reported: its schedule is shrunk, and it is run once more for its
// trace.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/job.h"

namespace undis::lab {

/// The same finding: what counts when a smaller schedule is to show it again.
bool same_finding(const verifier::Violation& a, const verifier::Violation& b);

struct Found {
  verifier::Violation violation;  ///< as the small schedule shows it, with its whole trace
  machine::Schedule schedule;     ///< bound to the drivers and to its run
  std::size_t found_length = 0;   ///< departures from the default run in the schedule that found it ...
  std::size_t length = 0;         ///< ... and in this one
  std::uint32_t tried = 0;        ///< runs that this took
};

/// nullopt: the schedule does not show it again in a process of its own (`violation` depends on something
/// else, or the process died).
std::optional<Found> shrink_finding(const std::vector<loader::Image*>& images, const Play& suite,
                                    const std::string& schedule, const verifier::Violation& violation,
                                    std::chrono::milliseconds budget);

}  // namespace undis::lab
