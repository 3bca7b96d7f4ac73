// SPDX-License-Identifier: MIT
//
// The last step of `undis cc`: objects become a driver image, and a linker's complaint becomes one that names
// what is missing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace undis::cli {

/// A function that the linker did not find, and the first place that wants it.
struct MissingFunction {
  std::string name;
  std::string where;  ///< "file.c:12", or the object file, or empty
};

/// Reads "undefined reference" (GNU ld, gold) and "undefined symbol" (lld) out of a linker's messages: one
/// entry a name, by name.
std::vector<MissingFunction> missing_functions(std::string_view messages);

/// The messages with the lines that missing_functions() has understood taken out.
std::string other_messages(std::string_view messages);

/// The text of the version script that exports a driver's entry point and nothing else.
std::string export_script();

}  // namespace undis::cli
