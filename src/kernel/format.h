// SPDX-License-Identifier: MIT
//
// printf with the formats of Windows: %S %ws %wZ %Z %I64d %p ..., and `l` as 32 bits, since `long` has 32
// bits in driver code.
#pragma once

#include <cstdarg>
#include <string>

#include <wdm.h>

namespace undis::kernel {

/// In narrow text %s and %c are narrow, %S and %C wide. `used_wide`: a wide argument was converted
/// (PASSIVE_LEVEL only on Windows).
std::string format_text(const char* format, va_list arguments, bool* used_wide = nullptr);
/// In wide text %s and %c are wide, %S and %C narrow.
std::u16string format_text(const WCHAR* format, va_list arguments);

}  // namespace undis::kernel
