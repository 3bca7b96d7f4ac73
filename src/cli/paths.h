// SPDX-License-Identifier: MIT
//
// Where the driver headers and libundis.so are, seen from the running `undis`: in a build tree or where it
// was installed.
#pragma once

#include <string>

namespace undis::cli {

struct Paths {
  std::string wdk;      ///< the directory that holds ndis.h
  std::string library;  ///< libundis.so
};

/// Throws UsageError, naming the places looked at, when they are not there.
Paths find_paths();

}  // namespace undis::cli
