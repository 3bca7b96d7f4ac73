// SPDX-License-Identifier: MIT
//
// Whether all that an image's code reads and writes is told to the machine, judged by the functions that it
// calls.
#pragma once

#include <string>
#include <vector>

namespace undis::loader {

/// "" if it is: the code was built by `undis cc --memory`, and each of `undefined` begins and ends with a
/// schedule point, tells what it touches, or touches nothing that matters. Else what is in the way.
std::string why_untold(const std::vector<std::string>& undefined);

}  // namespace undis::loader
