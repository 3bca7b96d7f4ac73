// SPDX-License-Identifier: MIT
//
// The C run time of kernel drivers: formatting, 16-bit wide strings, case, numbers. See include/wdk/crt.h.
//
// IRQL    any, for memory that is not paged
#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ntddk.h>

#include "kernel/format.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

/// As C99: what fits, always with a zero if there is room for anything; the whole length.
template <class Char>
int put(Char* buffer, std::size_t count, const std::basic_string<Char>& text) noexcept {
  if (count != 0) {
    const std::size_t fits = std::min(text.size(), count - 1);
    std::copy_n(text.data(), fits, buffer);
    buffer[fits] = Char(0);
  }
  return static_cast<int>(text.size());
}

/// As Windows' _snprintf: -1 when cut, and no zero when there is no room for it.
template <class Char>
int put_windows(Char* buffer, std::size_t count, const std::basic_string<Char>& text) noexcept {
  const std::size_t fits = std::min(text.size(), count);
  if (buffer != nullptr) std::copy_n(text.data(), fits, buffer);
  if (buffer != nullptr && fits < count) buffer[fits] = Char(0);
  return text.size() > count ? -1 : static_cast<int>(text.size());
}

char lower_ascii(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char upper_ascii(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

int compare_text(const auto* one, const auto* other, std::size_t count, auto fold) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const int left =
        static_cast<int>(static_cast<std::make_unsigned_t<decltype(fold(one[i]))>>(fold(one[i])));
    const int right =
        static_cast<int>(static_cast<std::make_unsigned_t<decltype(fold(other[i]))>>(fold(other[i])));
    if (left != right || left == 0) return left - right;
  }
  return 0;
}
constexpr std::size_t kAll = static_cast<std::size_t>(-1);
std::uint16_t unit(WCHAR c) noexcept {
  return c;
}
std::uint16_t folded(WCHAR c) noexcept {
  return downcase(c);
}

template <class Char>
Char* number(ULONGLONG value, bool negative, Char* text, int radix) noexcept {
  Char digits[72];
  std::size_t count = 0;
  const auto base = static_cast<ULONGLONG>(radix >= 2 && radix <= 36 ? radix : 10);
  do {
    digits[count++] = static_cast<Char>("0123456789abcdefghijklmnopqrstuvwxyz"[value % base]);
    value /= base;
  } while (value != 0);
  Char* at = text;
  if (negative) *at++ = Char('-');
  while (count != 0) *at++ = digits[--count];
  *at = Char(0);
  return text;
}

template <class Char>
Char* signed_number(LONGLONG value, ULONGLONG as_unsigned, Char* text, int radix) noexcept {
  const bool negative = radix == 10 && value < 0;  // only decimal numbers have a sign
  return number<Char>(negative ? 0 - static_cast<ULONGLONG>(value) : as_unsigned, negative, text, radix);
}

bool is_one_of(WCHAR c, const WCHAR* set) noexcept {
  for (; *set != 0; ++set)
    if (*set == c) return true;
  return false;
}

}  // namespace

// ---- formatting ----

int undis_crt_vsnprintf(CHAR* buffer, size_t count, const CHAR* format, va_list arguments) {
  return put(buffer, count, format_text(format, arguments));
}

int undis_crt_vsnwprintf(WCHAR* buffer, size_t count, const WCHAR* format, va_list arguments) {
  return put(buffer, count, format_text(format, arguments));
}

int undis_crt_vsprintf(CHAR* buffer, const CHAR* format, va_list arguments) {
  return put(buffer, kAll, format_text(format, arguments));
}

int undis_crt_sprintf(CHAR* buffer, const CHAR* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = undis_crt_vsprintf(buffer, format, arguments);
  va_end(arguments);
  return length;
}

int undis_crt_snprintf(CHAR* buffer, size_t count, const CHAR* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = undis_crt_vsnprintf(buffer, count, format, arguments);
  va_end(arguments);
  return length;
}

int _vsnprintf(CHAR* buffer, size_t count, const CHAR* format, va_list arguments) {
  return put_windows(buffer, count, format_text(format, arguments));
}

int _snprintf(CHAR* buffer, size_t count, const CHAR* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = _vsnprintf(buffer, count, format, arguments);
  va_end(arguments);
  return length;
}

int _vsnwprintf(WCHAR* buffer, size_t count, const WCHAR* format, va_list arguments) {
  return put_windows(buffer, count, format_text(format, arguments));
}

int _snwprintf(WCHAR* buffer, size_t count, const WCHAR* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = _vsnwprintf(buffer, count, format, arguments);
  va_end(arguments);
  return length;
}

// ---- comparing without regard to case, changing case ----

int _stricmp(const CHAR* one, const CHAR* other) {
  return compare_text(one, other, kAll, lower_ascii);
}
int _strnicmp(const CHAR* one, const CHAR* other, size_t count) {
  return compare_text(one, other, count, lower_ascii);
}
int _wcsicmp(const WCHAR* one, const WCHAR* other) {
  return compare_text(one, other, kAll, folded);
}
int _wcsnicmp(const WCHAR* one, const WCHAR* other, size_t count) {
  return compare_text(one, other, count, folded);
}

CHAR* _strlwr(CHAR* text) {
  for (CHAR* at = text; *at != 0; ++at) *at = lower_ascii(*at);
  return text;
}
CHAR* _strupr(CHAR* text) {
  for (CHAR* at = text; *at != 0; ++at) *at = upper_ascii(*at);
  return text;
}
WCHAR* _wcslwr(WCHAR* text) {
  for (WCHAR* at = text; *at != 0; ++at) *at = downcase(*at);
  return text;
}
WCHAR* _wcsupr(WCHAR* text) {
  for (WCHAR* at = text; *at != 0; ++at) *at = upcase(*at);
  return text;
}

// ---- numbers ----

CHAR* _itoa(int value, CHAR* text, int radix) {
  return signed_number<CHAR>(value, static_cast<unsigned>(value), text, radix);
}
CHAR* _ultoa(ULONG value, CHAR* text, int radix) {
  return number<CHAR>(value, false, text, radix);
}
CHAR* _i64toa(LONGLONG value, CHAR* text, int radix) {
  return signed_number<CHAR>(value, static_cast<ULONGLONG>(value), text, radix);
}
CHAR* _ui64toa(ULONGLONG value, CHAR* text, int radix) {
  return number<CHAR>(value, false, text, radix);
}
WCHAR* _itow(int value, WCHAR* text, int radix) {
  return signed_number<WCHAR>(value, static_cast<unsigned>(value), text, radix);
}
WCHAR* _ultow(ULONG value, WCHAR* text, int radix) {
  return number<WCHAR>(value, false, text, radix);
}

int _wtoi(const WCHAR* text) {
  const std::u16string_view all(text);
  std::string narrow;
  for (const char16_t c : all)
    narrow.push_back(c < 0x80 ? static_cast<char>(c) : 'x');  // what is no digit ends it
  return static_cast<int>(std::strtol(narrow.c_str(), nullptr, 10));
}

// ---- wide strings ----

size_t undis_crt_wcslen(const WCHAR* text) {
  return std::u16string_view(text).size();
}

size_t undis_crt_wcsnlen(const WCHAR* text, size_t count) {
  size_t length = 0;
  while (length < count && text[length] != 0) ++length;
  return length;
}

WCHAR* undis_crt_wcscpy(WCHAR* to, const WCHAR* from) {
  std::copy_n(from, undis_crt_wcslen(from) + 1, to);
  return to;
}

WCHAR* undis_crt_wcsncpy(WCHAR* to, const WCHAR* from, size_t count) {
  const size_t length = undis_crt_wcsnlen(from, count);
  std::copy_n(from, length, to);
  std::fill_n(to + length, count - length, WCHAR{0});
  return to;
}

WCHAR* undis_crt_wcscat(WCHAR* to, const WCHAR* from) {
  undis_crt_wcscpy(to + undis_crt_wcslen(to), from);
  return to;
}

WCHAR* undis_crt_wcsncat(WCHAR* to, const WCHAR* from, size_t count) {
  WCHAR* const end = to + undis_crt_wcslen(to);
  const size_t length = undis_crt_wcsnlen(from, count);
  std::copy_n(from, length, end);
  end[length] = 0;
  return to;
}

int undis_crt_wcscmp(const WCHAR* one, const WCHAR* other) {
  return compare_text(one, other, kAll, unit);
}
int undis_crt_wcsncmp(const WCHAR* one, const WCHAR* other, size_t count) {
  return compare_text(one, other, count, unit);
}

WCHAR* undis_crt_wcschr(const WCHAR* text, WCHAR character) {
  for (;; ++text) {
    if (*text == character) return const_cast<WCHAR*>(text);
    if (*text == 0) return nullptr;
  }
}

WCHAR* undis_crt_wcsrchr(const WCHAR* text, WCHAR character) {
  const WCHAR* found = nullptr;
  for (;; ++text) {
    if (*text == character) found = text;
    if (*text == 0) return const_cast<WCHAR*>(found);
  }
}

WCHAR* undis_crt_wcsstr(const WCHAR* text, const WCHAR* part) {
  const std::size_t found = std::u16string_view(text).find(part);
  return found == std::u16string_view::npos ? nullptr : const_cast<WCHAR*>(text + found);
}

size_t undis_crt_wcsspn(const WCHAR* text, const WCHAR* accept) {
  size_t length = 0;
  while (text[length] != 0 && is_one_of(text[length], accept)) ++length;
  return length;
}

size_t undis_crt_wcscspn(const WCHAR* text, const WCHAR* reject) {
  size_t length = 0;
  while (text[length] != 0 && !is_one_of(text[length], reject)) ++length;
  return length;
}
