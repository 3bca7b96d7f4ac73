// SPDX-License-Identifier: MIT
//
// UTF-8 to UTF-16 and back, simple case mapping.
#include "kernel/unicode.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace undis::kernel {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

/// Decodes one code point at `at` and moves behind it; an ill-formed sequence costs one byte.
char32_t decode(std::string_view text, std::size_t& at) noexcept {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  std::size_t more = 0;
  char32_t value = 0;
  char32_t least = 0;
  if ((first & 0xE0u) == 0xC0u) {
    more = 1;
    value = first & 0x1Fu;
    least = 0x80;
  } else if ((first & 0xF0u) == 0xE0u) {
    more = 2;
    value = first & 0x0Fu;
    least = 0x800;
  } else if ((first & 0xF8u) == 0xF0u) {
    more = 3;
    value = first & 0x07u;
    least = 0x10000;
  } else {
    return kReplacement;
  }
  if (at + more > text.size()) return kReplacement;
  for (std::size_t i = 0; i < more; ++i) {
    if (!is_continuation(text[at + i])) return kReplacement;
    value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return kReplacement;
  at += more;
  return value;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::u16string to_utf16(std::string_view utf8) {
  std::u16string out;
  out.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = decode(utf8, at);
    if (c < 0x10000) {
      out.push_back(static_cast<char16_t>(c));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    }
  }
  return out;
}

std::string to_utf8(std::u16string_view utf16) {
  std::string out;
  out.reserve(utf16.size());
  for (std::size_t at = 0; at < utf16.size(); ++at) {
    const char16_t c = utf16[at];
    if (c < 0xD800 || c >= 0xE000) {
      append_utf8(out, c);
    } else if (c < 0xDC00 && at + 1 < utf16.size() && utf16[at + 1] >= 0xDC00 && utf16[at + 1] < 0xE000) {
      append_utf8(out, 0x10000 + ((static_cast<char32_t>(c) - 0xD800) << 10) +
                           (static_cast<char32_t>(utf16[at + 1]) - 0xDC00));
      ++at;
    } else {
      append_utf8(out, kReplacement);
    }
  }
  return out;
}

char16_t upcase(char16_t c) noexcept {
  const auto minus = [c](int by) { return static_cast<char16_t>(c - by); };
  if (c < 0x80) return c >= 'a' && c <= 'z' ? minus(0x20) : c;
  if (c < 0x100) return c == 0xFF ? char16_t{0x178} : (c >= 0xE0 && c != 0xF7 ? minus(0x20) : c);
  if (c < 0x180) {  // pairs; in two ranges the small letter is the even one
    if (c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17F) return c;
    const bool even_is_small = (c >= 0x139 && c <= 0x148) || c >= 0x179;
    return (c % 2 == 0) == even_is_small ? minus(1) : c;
  }
  if (c >= 0x3AC && c <= 0x3CE) {
    if (c == 0x3AC) return 0x386;
    if (c <= 0x3AF) return minus(0x25);
    if (c == 0x3B0 || c == 0x3C2) return c;
    if (c <= 0x3CB) return minus(0x20);
    return c == 0x3CC ? char16_t{0x38C} : minus(0x3F);
  }
  if (c >= 0x430 && c <= 0x44F) return minus(0x20);
  if (c >= 0x450 && c <= 0x45F) return minus(0x50);
  if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F))
    return c % 2 != 0 ? minus(1) : c;
  if (c >= 0x561 && c <= 0x586) return minus(0x30);
  if (c >= 0x1E00 && c <= 0x1E95) return c % 2 != 0 ? minus(1) : c;
  if (c >= 0x1EA0 && c <= 0x1EFF) return c % 2 != 0 ? minus(1) : c;
  if (c >= 0xFF41 && c <= 0xFF5A) return minus(0x20);
  return c;
}

char16_t downcase(char16_t c) noexcept {
  const auto plus = [c](int by) { return static_cast<char16_t>(c + by); };
  // The inverse of upcase: the small letter is at one of few distances.
  for (const int distance : {0x20, 1, 0x50, 0x25, 0x3F, 0x30}) {
    const char16_t candidate = plus(distance);
    if (candidate != c && upcase(candidate) == c && upcase(c) == c) return candidate;
  }
  if (c == 0x178) return 0xFF;
  if (c == 0x386) return 0x3AC;
  if (c == 0x38C) return 0x3CC;
  return c;
}

std::u16string upcased(std::u16string_view text) {
  std::u16string out(text);
  std::transform(out.begin(), out.end(), out.begin(), upcase);
  return out;
}

int compare(std::u16string_view a, std::u16string_view b, bool ignore_case) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  constexpr std::size_t kStep = 4;  // most names are written as they were before
  while (i + kStep <= common && std::memcmp(a.data() + i, b.data() + i, kStep * sizeof(char16_t)) == 0)
    i += kStep;
  for (; i < common; ++i) {
    if (a[i] == b[i]) continue;
    const int left = ignore_case ? upcase(a[i]) : a[i];
    const int right = ignore_case ? upcase(b[i]) : b[i];
    if (left != right) return left - right;
  }
  if (a.size() == b.size()) return 0;
  return a.size() < b.size() ? -1 : 1;
}

bool equal_ignore_case(std::u16string_view a, std::u16string_view b) noexcept {
  return a.size() == b.size() && compare(a, b, true) == 0;
}

UNICODE_STRING counted(const std::u16string& text) noexcept {
  UNICODE_STRING string{};
  string.Length = static_cast<USHORT>(text.size() * sizeof(char16_t));
  string.MaximumLength = static_cast<USHORT>(string.Length + sizeof(char16_t));
  string.Buffer = reinterpret_cast<WCHAR*>(const_cast<char16_t*>(text.c_str()));
  return string;
}

}  // namespace undis::kernel
