// SPDX-License-Identifier: MIT
//
// `undis cc`: a compiler wrapper, as mpicc is, that makes a driver image out of a Windows driver's sources.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace undis::cli {

/// Runs `undis cc` with the words after "cc". Returns the exit code: 0, 1 (the sources do not compile or
/// link), 2 (usage).
int cc(const std::vector<std::string>& arguments);

/// What the user asked for cannot be done as asked; the text says what was found and what was expected.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace undis::cli
