// SPDX-License-Identifier: MIT
//
// Looks at a file before it is loaded: whether it is a whole driver image, and what it wants from outside.
// dlopen() itself trusts a file's headers and dies of a truncated one.
#pragma once

#include <string>
#include <vector>

#include "loader/result.h"

namespace undis::loader {

struct ElfFacts {
  std::string entry;  ///< the exported entry point: "DriverEntry" or "GsDriverEntry"
  std::vector<std::string>
      undefined;  ///< names that others must define (weak ones left out), in the file's order
};

/// The facts of the driver image at `path`, or why it is none: what was found and what was expected.
Result<ElfFacts> inspect(const std::string& path);

}  // namespace undis::loader
