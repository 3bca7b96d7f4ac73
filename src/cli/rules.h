// SPDX-License-Identifier: MIT
//
// `undis rules`: what the verifier looks for.
#pragma once

#include <string>

namespace undis::cli {

/// Lists all rules (""), those whose id, title or function has `wanted` in it, or tells all of the one that
/// is named so. Exit code.
int rules(const std::string& wanted);

}  // namespace undis::cli
