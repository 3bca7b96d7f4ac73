// SPDX-License-Identifier: MIT
//
// Shrinking: of the turns and answers that led to something, those without which it does not happen.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "machine/trail.h"

namespace undis::machine {

struct Shrunk {
  Schedule schedule;
  std::uint32_t tried = 0;  ///< schedules
};

/// The run `trail` of `schedule` showed it. `shows` runs a schedule and says whether it does as well; `more`
/// whether there is time. Returns the smallest schedule found that shows it: no single turn, answer or
/// failure of it can be left out, unless time ran out. nullopt: not even the same turns again show it, so it
/// does not follow from the schedule alone.
std::optional<Shrunk> shrink(const Schedule& schedule, const Trail& trail,
                             const std::function<bool(const Schedule&)>& shows,
                             const std::function<bool()>& more);

}  // namespace undis::machine
