// SPDX-License-Identifier: MIT
//
// What docs/ddi.md says of a function, for the messages about functions that an image needs and undis does
// not have.
#pragma once

#include <string>
#include <string_view>

namespace undis::loader {

/// Whether docs/ddi.md has a row for this function.
bool has_row(std::string_view function);

/// One sentence: "NdisFoo is not in undis yet (docs/ddi.md: status none)".
std::string why_missing(std::string_view function);

}  // namespace undis::loader
