// SPDX-License-Identifier: MIT
//
// The command line of `undis`, read into what each command takes. `undis cc` has its own (cc_options.h).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lab/options.h"

namespace undis::cli {

struct RulesOptions {
  std::string wanted;
};

/// The command line is answered already: help, the version, or a complaint.
struct Answered {
  int exit_code = 0;
};

using Command = std::variant<lab::VerifyOptions, lab::RunOptions, lab::MergeOptions, RulesOptions, Answered>;

/// Reads the words after "undis". Prints help to standard output and complaints to standard error.
Command parse_command(const std::vector<std::string>& words);

}  // namespace undis::cli
