// SPDX-License-Identifier: MIT
//
// For tests that are run again while drivers are less watched: UNDIS_TEST_WATCH=0, 1 or 2.
#pragma once

#include <cstdlib>

#include "kernel/watch.h"

namespace undis::test {

inline kernel::Watch watch_wanted() noexcept {
  const char* const text = std::getenv("UNDIS_TEST_WATCH");
  return text == nullptr ? kernel::Watch::All : static_cast<kernel::Watch>(*text - '0');
}

}  // namespace undis::test
