// SPDX-License-Identifier: MIT
//
// The suites of `undis verify`: each a short play on a Scene, run under many schedules.
#pragma once

#include <span>
#include <string_view>

#include "lab/scene.h"

namespace undis::lab {

struct Play {
  const char* name;      ///< "lifecycle.unbind"
  const char* what;      ///< one line for --list-suites
  bool (*play)(Scene&);  ///< on a kernel thread. False: the suite does not fit these drivers
  bool faults;           ///< its schedules are "0.f1", "0.f2" ...: each fallible call fails once
};

std::span<const Play> all_suites() noexcept;
const Play* find_suite(std::string_view name) noexcept;

}  // namespace undis::lab
