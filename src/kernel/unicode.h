// SPDX-License-Identifier: MIT
//
// UTF-16 as the kernel keeps it: conversions, and comparison without regard to case.
//
// Case is the simple one-to-one mapping of the Latin, Greek, Cyrillic and Armenian blocks, independent of the
// process' locale.
#pragma once

#include <string>
#include <string_view>

#include <wdm.h>

namespace undis::kernel {

/// Ill-formed input becomes U+FFFD, one for each offending unit.
std::u16string to_utf16(std::string_view utf8);
std::string to_utf8(std::u16string_view utf16);

char16_t upcase(char16_t c) noexcept;
char16_t downcase(char16_t c) noexcept;
std::u16string upcased(std::u16string_view text);
/// <0, 0, >0, as RtlCompareUnicodeString orders: by unit, the shorter first.
int compare(std::u16string_view a, std::u16string_view b, bool ignore_case) noexcept;
bool equal_ignore_case(std::u16string_view a, std::u16string_view b) noexcept;

/// What a counted string holds; "" for nullptr or an empty buffer.
inline std::u16string_view view(const UNICODE_STRING* string) noexcept {
  if (string == nullptr || string->Buffer == nullptr) return {};
  return {reinterpret_cast<const char16_t*>(string->Buffer), string->Length / sizeof(char16_t)};
}
/// A zero-terminated WCHAR string of a driver.
inline std::u16string_view view(const WCHAR* text) noexcept {
  return text == nullptr ? std::u16string_view{}
                         : std::u16string_view{reinterpret_cast<const char16_t*>(text)};
}
/// Points the counted string at `text`, which must outlive it and is not written through it.
UNICODE_STRING counted(const std::u16string& text) noexcept;

}  // namespace undis::kernel
