// SPDX-License-Identifier: MIT
//
// Where the string routines put their result: the caller's buffer, or pool of the calling driver.
#pragma once

#include <string>
#include <string_view>

#include <wdm.h>

namespace undis::kernel {

/// Writes `text` into `to`; allocates its buffer from paged pool if asked to. `zero`: a zero must follow (and
/// must fit). STATUS_BUFFER_OVERFLOW: too small; STATUS_NO_MEMORY: no pool; STATUS_INVALID_PARAMETER_2:
/// longer than a counted string can be.
NTSTATUS put_string(const char* function, PUNICODE_STRING to, std::u16string_view text, bool allocate,
                    bool zero);
NTSTATUS put_string(const char* function, PANSI_STRING to, std::string_view text, bool allocate, bool zero);

/// "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"
std::u16string guid_text(const GUID& guid);

/// One character a byte, as code page 1252 without its 0x80 to 0x9F; what it has not becomes '?'.
std::string to_ansi(std::u16string_view text);
std::u16string from_ansi(std::string_view text);

}  // namespace undis::kernel
