// SPDX-License-Identifier: MIT
//
// The text of an INF: its encoding, its lines, its strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/inf.h"

namespace undis::lab {

/// What is wrong with an INF, and in which line; 0: in the file as a whole.
struct InfWrong {
  int line;
  std::string text;
};

/// UTF-8 of what the file holds. Throws InfWrong.
std::string decode_inf(std::string_view bytes);
/// Sections in order, those of one name together, tokens (%name%, and $ARCH$ of templates) replaced. Throws
/// InfWrong.
std::vector<InfSection> split_inf(const std::string& source);
bool same_name(std::string_view a, std::string_view b) noexcept;  ///< ignoring the case of ASCII letters

}  // namespace undis::lab
