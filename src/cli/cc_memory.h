// SPDX-License-Identifier: MIT
//
// `undis cc --memory`: the compiler's calls before each read and write (those of -fsanitize=thread), and
// where they lead: to undis_touched() of libundis.so, while a search wants to know (docs/schedules.md).
#pragma once

#include <string>
#include <vector>

namespace undis::cli {

/// For the compiler, for each source.
std::vector<std::string> memory_compile_flags();
/// For the linker: functions of the C library that read and write are called by way of memory_source().
std::vector<std::string> memory_link_flags();
/// The C source that goes into each such image: the functions that the compiler calls.
std::string memory_source();

}  // namespace undis::cli
