// SPDX-License-Identifier: MIT
//
// Functions of the host's C library that a driver calls though the kernel has none of the kind: they would
// link, and work here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace undis::cli {

/// Those of `undefined` that only the host has, in order. What NT's kernel exports too (strlen, qsort ...)
/// and what the compiler itself calls is none of them.
std::vector<std::string> host_functions(const std::vector<std::string>& undefined);

/// "malloc is the host's, not the kernel's: use ExAllocatePool2 or NdisAllocateMemoryWithTagPriority".
std::string why_host_function(std::string_view function);

}  // namespace undis::cli
