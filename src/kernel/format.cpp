// SPDX-License-Identifier: MIT
//
// The formatter: reads a conversion, fetches its argument by the Windows rules, lets the C library print
// numbers.
//
// Page  "Format specification syntax: printf and wprintf functions" (C runtime reference);
// wdm/nf-wdm-dbgprint for %Z
#include "kernel/format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string_view>
#include <type_traits>

#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

enum class Size : std::uint8_t { Default, Byte, Short, Long, Wide, LongLong, Pointer };

struct Conversion {
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  int width = 0;
  int precision = -1;
  Size size = Size::Default;
  char type = 0;
};

/// The arguments, in a struct so that it can be passed by reference (va_list is an array on x64).
struct Arguments {
  va_list list;
};

template <class Char>
int read_number(const Char*& at, Arguments& arguments) {
  if (*at == Char('*')) {
    ++at;
    return va_arg(arguments.list, int);
  }
  int value = 0;
  while (*at >= Char('0') && *at <= Char('9')) {
    const int digit = static_cast<int>(*at++) - '0';
    value = value > (std::numeric_limits<int>::max() - digit) / 10 ? std::numeric_limits<int>::max()
                                                                   : value * 10 + digit;
  }
  return value;
}

/// Reads what stands between % and the type, and the type.
template <class Char>
Conversion read_conversion(const Char*& at, Arguments& arguments) {
  Conversion c;
  for (bool more = true; more;) {
    switch (static_cast<std::uint32_t>(*at)) {
    case '-':
      c.left = true;
      break;
    case '+':
      c.plus = true;
      break;
    case ' ':
      c.space = true;
      break;
    case '0':
      c.zero = true;
      break;
    case '#':
      c.alternate = true;
      break;
    default:
      more = false;
    }
    if (more) ++at;
  }
  c.width = read_number(at, arguments);
  if (c.width < 0) {
    c.left = true;
    c.width = c.width == std::numeric_limits<int>::min() ? 0 : -c.width;
  }
  if (*at == Char('.')) {
    ++at;
    c.precision = read_number(at, arguments);
  }
  const auto take = [&at](const char* text) {
    const Char* probe = at;
    for (; *text != '\0'; ++text, ++probe)
      if (*probe != static_cast<Char>(*text)) return false;
    at = probe;
    return true;
  };
  if (take("I64") || take("ll"))
    c.size = Size::LongLong;
  else if (take("I32"))
    c.size = Size::Long;
  else if (take("I") || take("z") || take("t") || take("j"))
    c.size = Size::Pointer;
  else if (take("hh"))
    c.size = Size::Byte;
  else if (take("h"))
    c.size = Size::Short;
  else if (take("l"))
    c.size = Size::Long;
  else if (take("w"))
    c.size = Size::Wide;
  else if (take("L"))
    c.size = Size::LongLong;
  if (*at != Char(0)) c.type = static_cast<std::uint32_t>(*at) < 0x80 ? static_cast<char>(*at) : '?';
  if (*at != Char(0)) ++at;
  return c;
}

/// Widths are the driver's; a mad one must not take all memory.
constexpr int kWidest = 4096;

std::string number_text(const Conversion& c, const char* length, auto value) {
  std::string spec = "%";
  if (c.left) spec += '-';
  if (c.plus) spec += '+';
  if (c.space) spec += ' ';
  if (c.zero) spec += '0';
  if (c.alternate) spec += '#';
  spec += "*.*";
  spec += length;
  spec += c.type;
  const int width = std::min(c.width, kWidest);
  const int precision = std::min(c.precision, kWidest);
  std::array<char, 64> small{};
  const int need = std::snprintf(small.data(), small.size(), spec.c_str(), width, precision, value);
  if (need < 0) return {};
  if (static_cast<std::size_t>(need) < small.size())
    return std::string(small.data(), static_cast<std::size_t>(need));
  std::string large(static_cast<std::size_t>(need) + 1, '\0');
  std::snprintf(large.data(), large.size(), spec.c_str(), width, precision, value);
  large.resize(static_cast<std::size_t>(need));
  return large;
}

std::string integer_text(const Conversion& c, Arguments& arguments) {
  const bool is_signed = c.type == 'd' || c.type == 'i';
  std::uint64_t raw = 0;
  if (c.size == Size::LongLong || c.size == Size::Pointer)
    raw = va_arg(arguments.list, std::uint64_t);
  else
    raw = va_arg(arguments.list, std::uint32_t);
  switch (c.size) {
  case Size::Byte:
    raw = is_signed ? static_cast<std::uint64_t>(static_cast<std::int8_t>(raw)) : raw & 0xFF;
    break;
  case Size::Short:
    raw = is_signed ? static_cast<std::uint64_t>(static_cast<std::int16_t>(raw)) : raw & 0xFFFF;
    break;
  case Size::LongLong:
  case Size::Pointer:
    break;
  default:
    if (is_signed)
      raw = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(raw)));
  }
  return is_signed ? number_text(c, "ll", static_cast<long long>(raw))
                   : number_text(c, "ll", static_cast<unsigned long long>(raw));
}

std::string pointer_text(Conversion c, Arguments& arguments) {
  c.type = 'X';
  c.precision = 16;
  c.zero = c.alternate = false;
  return number_text(
      c, "ll",
      static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(va_arg(arguments.list, void*))));
}

template <class Char>
std::basic_string_view<Char> bounded(const Char* text, int precision) {
  if (precision < 0) return text;
  std::size_t size = 0;
  while (size < static_cast<std::size_t>(precision) && text[size] != Char(0)) ++size;
  return {text, size};
}

template <class To>
std::basic_string<To> converted(std::string_view text) {
  if constexpr (std::is_same_v<To, char>)
    return std::string(text);
  else
    return to_utf16(text);
}
template <class To>
std::basic_string<To> converted(std::u16string_view text) {
  if constexpr (std::is_same_v<To, char>)
    return to_utf8(text);
  else
    return std::u16string(text);
}

template <class Char>
std::basic_string<Char> string_text(const Conversion& c, Arguments& arguments, bool& used_wide) {
  const bool wide_call = !std::is_same_v<Char, char>;
  bool wide = wide_call;
  if (c.type == 'S' || c.type == 'C') wide = !wide;
  if (c.size == Size::Long || c.size == Size::Wide) wide = true;
  if (c.size == Size::Short) wide = false;
  if (c.type == 'Z') wide = c.size == Size::Wide || c.size == Size::Long;
  used_wide = used_wide || wide;
  if (c.type == 'c' || c.type == 'C') {
    const int character = va_arg(arguments.list, int);
    if (wide) return converted<Char>(std::u16string(1, static_cast<char16_t>(character)));
    return converted<Char>(std::string(1, static_cast<char>(character)));
  }
  void* const pointer = va_arg(arguments.list, void*);
  if (pointer == nullptr) return converted<Char>(std::string_view("(null)"));
  if (c.type == 'Z') {
    if (wide) return converted<Char>(view(static_cast<const UNICODE_STRING*>(pointer)));
    const auto* const text = static_cast<const STRING*>(pointer);
    return converted<Char>(text->Buffer == nullptr ? std::string_view{}
                                                   : std::string_view(text->Buffer, text->Length));
  }
  if (wide) return converted<Char>(bounded(static_cast<const char16_t*>(pointer), c.precision));
  return converted<Char>(bounded(static_cast<const char*>(pointer), c.precision));
}

template <class Char>
void pad(std::basic_string<Char>& out, std::basic_string<Char> text, const Conversion& c) {
  const auto width = static_cast<std::size_t>(std::min(c.width, kWidest));
  const std::size_t fill = width > text.size() ? width - text.size() : 0;
  if (!c.left) out.append(fill, Char(' '));
  out += text;
  if (c.left) out.append(fill, Char(' '));
}

template <class Char>
std::basic_string<Char> format_all(const Char* format, Arguments& arguments, bool& used_wide) {
  std::basic_string<Char> out;
  for (const Char* at = format; *at != Char(0);) {
    if (*at != Char('%')) {
      out.push_back(*at++);
      continue;
    }
    ++at;
    if (*at == Char('%')) {
      out.push_back(*at++);
      continue;
    }
    const Conversion c = read_conversion(at, arguments);
    switch (c.type) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      out += converted<Char>(std::string_view(integer_text(c, arguments)));
      break;
    case 'p':
      out += converted<Char>(std::string_view(pointer_text(c, arguments)));
      break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      out += converted<Char>(std::string_view(number_text(c, "", va_arg(arguments.list, double))));
      break;
    case 'c':
    case 'C':
    case 's':
    case 'S':
    case 'Z':
      pad(out, string_text<Char>(c, arguments, used_wide), c);
      break;
    case 0:
      break;
    default:
      out.push_back(static_cast<Char>(c.type));  // unknown: the character stands for itself
    }
  }
  return out;
}

}  // namespace

std::string format_text(const char* format, va_list arguments, bool* used_wide) {
  Arguments copy;
  va_copy(copy.list, arguments);
  bool wide = false;
  std::string out = format_all(format, copy, wide);
  va_end(copy.list);
  if (used_wide != nullptr) *used_wide = wide;
  return out;
}

std::u16string format_text(const WCHAR* format, va_list arguments) {
  Arguments copy;
  va_copy(copy.list, arguments);
  bool wide = false;
  std::u16string out = format_all(reinterpret_cast<const char16_t*>(format), copy, wide);
  va_end(copy.list);
  return out;
}

}  // namespace undis::kernel
