// SPDX-License-Identifier: MIT
//
// The interleaving of a run as a table: a column for each thread, time downwards.
#pragma once

#include <string>
#include <vector>

#include "verifier/violation.h"

namespace undis::lab {

/// One line each; empty if there is only one thread in it. `driver`: whose name is left out, since most lines
/// would have it. `width`: of the whole table.
std::vector<std::string> interleaving(const std::vector<std::string>& trace,
                                      const std::vector<verifier::TracePlace>& places,
                                      const std::string& driver, std::size_t width = 126);

}  // namespace undis::lab
