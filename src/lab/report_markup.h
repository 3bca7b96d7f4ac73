// SPDX-License-Identifier: MIT
//
// Text that goes into XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace undis::lab {

/// With & < > and quotes escaped; control characters, which XML 1.0 does not have, and bytes that are not
/// UTF-8 become "?".
std::string escaped(std::string_view text);

}  // namespace undis::lab
