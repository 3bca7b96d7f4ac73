// SPDX-License-Identifier: MIT
//
// Conversions: ANSI, UTF-8, integers and GUIDs to and from counted Unicode strings.
//
// Pages   wdm/nf-wdm-rtlansistringtounicodestring, -rtlunicodestringtoansistring, -rtlintegertounicodestring,
//         -rtlunicodestringtointeger, -rtlguidfromstring, -rtlstringfromguid
// IRQL    PASSIVE_LEVEL
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/pool.h"
#include "kernel/string_buffer.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace undis::kernel {
namespace {

constexpr ULONG kStringTag = 0x69727453;  // 'Stri'

template <class String, class Char>
NTSTATUS put(const char* function, String* to, std::basic_string_view<Char> text, bool allocate, bool zero) {
  const std::size_t bytes = text.size() * sizeof(Char);
  const std::size_t with_zero = bytes + sizeof(Char);
  if (with_zero > 0xFFFF) return STATUS_INVALID_PARAMETER_2;
  if (allocate) {
    if (fault_point(function)) return STATUS_NO_MEMORY;
    Pool::Request request;
    request.size = with_zero;
    request.tag = kStringTag;
    request.kind = PoolKind::Paged;
    request.owner = current_driver();
    to->Buffer = static_cast<decltype(to->Buffer)>(System::current().pool().allocate(request));
    if (to->Buffer == nullptr) return STATUS_NO_MEMORY;
    to->MaximumLength = static_cast<USHORT>(with_zero);
  } else if ((zero ? with_zero : bytes) > to->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  if (bytes != 0) std::memcpy(to->Buffer, text.data(), bytes);
  to->Length = static_cast<USHORT>(bytes);
  if (with_zero <= to->MaximumLength) to->Buffer[text.size()] = 0;
  return STATUS_SUCCESS;
}

void free_buffer(const char* function, void* buffer) {
  const KernelCall call(function, PASSIVE_LEVEL);
  if (buffer != nullptr) System::current().pool().free(buffer, 0, function, current_driver());
}

/// The digits of `text` in `base`; 0: told by a prefix 0x, 0o, 0b. Leading space and one sign are skipped, it
/// ends at the first character that is no digit.
template <class Char>
bool to_integer(std::basic_string_view<Char> text, ULONG base, ULONG& value) {
  std::size_t at = 0;
  while (at < text.size() && text[at] <= Char(' ')) ++at;
  bool negative = false;
  if (at < text.size() && (text[at] == Char('-') || text[at] == Char('+')))
    negative = text[at++] == Char('-');
  if (base == 0) {
    base = 10;
    if (at + 1 < text.size() && text[at] == Char('0')) {
      const Char kind = text[at + 1];
      base = kind == Char('x') ? 16 : kind == Char('o') ? 8 : kind == Char('b') ? 2 : 10;
      if (base != 10) at += 2;
    }
  }
  if (base != 2 && base != 8 && base != 10 && base != 16) return false;
  ULONG result = 0;
  for (; at < text.size(); ++at) {
    const auto c = static_cast<std::uint32_t>(text[at]);
    std::uint32_t digit = 99;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (c >= 'A' && c <= 'F')
      digit = c - 'A' + 10;
    else if (c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    if (digit >= base) break;
    result = result * base + digit;
  }
  value = negative ? 0u - result : result;
  return true;
}

NTSTATUS from_integer(const char* function, ULONGLONG value, ULONG base, PUNICODE_STRING to) {
  const KernelCall call(function, PASSIVE_LEVEL);
  if (base == 0) base = 10;
  if (base != 2 && base != 8 && base != 10 && base != 16) return STATUS_INVALID_PARAMETER;
  std::u16string digits;
  do {
    digits.push_back(u"0123456789ABCDEF"[value % base]);
    value /= base;
  } while (value != 0);
  std::reverse(digits.begin(), digits.end());
  return put_string(function, to, digits, false, false);
}

}  // namespace

NTSTATUS put_string(const char* function, PUNICODE_STRING to, std::u16string_view text, bool allocate,
                    bool zero) {
  return put(function, to, text, allocate, zero);
}
NTSTATUS put_string(const char* function, PANSI_STRING to, std::string_view text, bool allocate, bool zero) {
  return put(function, to, text, allocate, zero);
}

std::u16string guid_text(const GUID& guid) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", guid.Data1,
                guid.Data2, guid.Data3, guid.Data4[0], guid.Data4[1], guid.Data4[2], guid.Data4[3],
                guid.Data4[4], guid.Data4[5], guid.Data4[6], guid.Data4[7]);
  return to_utf16(text.data());
}

std::string to_ansi(std::u16string_view text) {
  std::string out(text.size(), '?');
  std::transform(text.begin(), text.end(), out.begin(),
                 [](char16_t c) { return c < 0x100 ? static_cast<char>(c) : '?'; });
  return out;
}

std::u16string from_ansi(std::string_view text) {
  std::u16string out(text.size(), u'\0');
  std::transform(text.begin(), text.end(), out.begin(),
                 [](char c) { return static_cast<char16_t>(static_cast<unsigned char>(c)); });
  return out;
}

}  // namespace undis::kernel

namespace {

std::string_view narrow(PCANSI_STRING string) noexcept {
  return string->Buffer == nullptr ? std::string_view{} : std::string_view(string->Buffer, string->Length);
}

/// Copies as much of `text` as fits whole; reports the bytes written.
template <class Char>
NTSTATUS copy_out(Char* to, ULONG room, PULONG written, std::basic_string_view<Char> text) {
  const std::size_t bytes = text.size() * sizeof(Char);
  const std::size_t fits = to == nullptr ? bytes : std::min<std::size_t>(bytes, room - room % sizeof(Char));
  if (to != nullptr && fits != 0) std::memcpy(to, text.data(), fits);
  if (written != nullptr) *written = static_cast<ULONG>(fits);
  return fits == bytes ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

}  // namespace

// Page wdm/nf-wdm-rtlansistringtounicodestring
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                      BOOLEAN AllocateDestinationString) {
  const KernelCall call("RtlAnsiStringToUnicodeString", PASSIVE_LEVEL);
  return put_string(call.name(), DestinationString, from_ansi(narrow(SourceString)),
                    AllocateDestinationString != FALSE, true);
}

// Page wdm/nf-wdm-rtlunicodestringtoansistring
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString) {
  const KernelCall call("RtlUnicodeStringToAnsiString", PASSIVE_LEVEL);
  return put_string(call.name(), DestinationString, to_ansi(view(SourceString)),
                    AllocateDestinationString != FALSE, true);
}

// Page ntifs/nf-ntifs-rtlduplicateunicodestring. Flags: 1 a zero is to follow, 2 an empty string gets a
// buffer too.
NTSTATUS RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING StringIn, PUNICODE_STRING StringOut) {
  const KernelCall call("RtlDuplicateUnicodeString", PASSIVE_LEVEL);
  const std::u16string_view text = view(StringIn);
  *StringOut = {};
  if (text.empty() && (Flags & 2) == 0) return STATUS_SUCCESS;
  return put_string(call.name(), StringOut, text, true, true);
}

// Page ntifs/nf-ntifs-rtlcreateunicodestring
BOOLEAN RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString) {
  const KernelCall call("RtlCreateUnicodeString", PASSIVE_LEVEL);
  return NT_SUCCESS(put_string(call.name(), DestinationString, view(SourceString), true, true)) ? TRUE
                                                                                                : FALSE;
}

// Page wdm/nf-wdm-rtlfreeunicodestring
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString) {
  free_buffer("RtlFreeUnicodeString", UnicodeString->Buffer);
  *UnicodeString = {};
}

// Page wdm/nf-wdm-rtlfreeansistring
VOID RtlFreeAnsiString(PANSI_STRING AnsiString) {
  free_buffer("RtlFreeAnsiString", AnsiString->Buffer);
  *AnsiString = {};
}

// Page wdm/nf-wdm-rtlxunicodestringtoansisize and its like: bytes with the zero.
ULONG RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString) {
  return static_cast<ULONG>(view(UnicodeString).size() + 1);
}
ULONG RtlUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString) {
  return RtlxUnicodeStringToAnsiSize(UnicodeString);
}
ULONG RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString) {
  return static_cast<ULONG>((AnsiString->Length + 1) * sizeof(WCHAR));
}
ULONG RtlAnsiStringToUnicodeSize(PCANSI_STRING AnsiString) {
  return RtlxAnsiStringToUnicodeSize(AnsiString);
}

// Page ntifs/nf-ntifs-rtlunicodetomultibyten
NTSTATUS RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                ULONG BytesInUnicodeString) {
  const std::string text = to_ansi({UnicodeString, BytesInUnicodeString / sizeof(WCHAR)});
  copy_out<char>(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString, text);
  return STATUS_SUCCESS;  // a cut result is success here
}

// Page ntifs/nf-ntifs-rtlmultibytetounicoden
NTSTATUS RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString,
                                PULONG BytesInUnicodeString, const CHAR* MultiByteString,
                                ULONG BytesInMultiByteString) {
  const std::u16string text = from_ansi({MultiByteString, BytesInMultiByteString});
  copy_out<char16_t>(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, text);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtlunicodetoutf8n
NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
                           PULONG UTF8StringActualByteCount, PCWCH UnicodeStringSource,
                           ULONG UnicodeStringByteCount) {
  const std::string text = to_utf8({UnicodeStringSource, UnicodeStringByteCount / sizeof(WCHAR)});
  return copy_out<char>(UTF8StringDestination, UTF8StringMaxByteCount, UTF8StringActualByteCount, text);
}

// Page wdm/nf-wdm-rtlutf8tounicoden
NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                           PULONG UnicodeStringActualByteCount, PCCH UTF8StringSource,
                           ULONG UTF8StringByteCount) {
  const std::u16string text = to_utf16({UTF8StringSource, UTF8StringByteCount});
  return copy_out<char16_t>(UnicodeStringDestination, UnicodeStringMaxByteCount, UnicodeStringActualByteCount,
                            text);
}

// Page wdm/nf-wdm-rtlintegertounicodestring
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String) {
  return from_integer("RtlIntegerToUnicodeString", Value, Base, String);
}

// Page wdm/nf-wdm-rtlint64tounicodestring
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String) {
  return from_integer("RtlInt64ToUnicodeString", Value, Base, String);
}

// Page wdm/nf-wdm-rtlunicodestringtointeger
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value) {
  const KernelCall call("RtlUnicodeStringToInteger", PASSIVE_LEVEL);
  return to_integer(view(String), Base, *Value) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

// Page ntifs/nf-ntifs-rtlchartointeger
NTSTATUS RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value) {
  return to_integer(std::string_view(String), Base, *Value) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

// Page wdm/nf-wdm-rtlguidfromstring: "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID* Guid) {
  const KernelCall call("RtlGUIDFromString", PASSIVE_LEVEL);
  constexpr std::string_view shape = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
  const std::u16string_view text = view(GuidString);
  if (text.size() < shape.size()) return STATUS_INVALID_PARAMETER;
  std::array<unsigned char, 32> digits{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const char16_t c = text[i];
    if (shape[i] != 'x') {
      if (c != static_cast<char16_t>(shape[i])) return STATUS_INVALID_PARAMETER;
      continue;
    }
    ULONG digit = 0;
    if (!(c >= u'0' && c <= u'9') && !(c >= u'a' && c <= u'f') && !(c >= u'A' && c <= u'F'))
      return STATUS_INVALID_PARAMETER;
    to_integer(text.substr(i, 1), 16, digit);
    digits[count++] = static_cast<unsigned char>(digit);
  }
  const auto number = [&digits](std::size_t first, std::size_t last) {
    std::uint32_t value = 0;
    for (std::size_t i = first; i < last; ++i) value = value << 4 | digits[i];
    return value;
  };
  Guid->Data1 = number(0, 8);
  Guid->Data2 = static_cast<USHORT>(number(8, 12));
  Guid->Data3 = static_cast<USHORT>(number(12, 16));
  for (std::size_t i = 0; i < 8; ++i) Guid->Data4[i] = static_cast<UCHAR>(number(16 + 2 * i, 18 + 2 * i));
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtlstringfromguid. Always allocates; RtlFreeUnicodeString gives it back.
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString) {
  const KernelCall call("RtlStringFromGUID", PASSIVE_LEVEL);
  return put_string(call.name(), GuidString, guid_text(Guid), true, true);
}
