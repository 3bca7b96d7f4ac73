// SPDX-License-Identifier: MIT
//
// Counted strings: initialising, copying, comparing, changing case.
//
// Pages   wdm/nf-wdm-rtlinitunicodestring, -rtlcopyunicodestring, -rtlappendunicodetostring,
// -rtlequalunicodestring, ... IRQL    Comparison without regard to case needs PASSIVE_LEVEL, and so does
// whatever allocates.
#include <algorithm>
#include <cstring>
#include <string>

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/string_buffer.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

std::string_view view(const STRING* string) noexcept {
  return string == nullptr || string->Buffer == nullptr ? std::string_view{}
                                                        : std::string_view(string->Buffer, string->Length);
}

char upper(char c) noexcept {
  return static_cast<char>(upcase(static_cast<unsigned char>(c)) & 0xFF);
}

template <class String, class Char>
void init(String* string, const Char* text, std::size_t longest) {
  string->Buffer = const_cast<Char*>(text);
  string->Length = string->MaximumLength = 0;
  if (text == nullptr) return;
  const std::size_t bytes = std::min(std::char_traits<Char>::length(text) * sizeof(Char), longest);
  string->Length = static_cast<USHORT>(bytes);
  string->MaximumLength = static_cast<USHORT>(bytes + sizeof(Char));
}

LONG compare_narrow(std::string_view a, std::string_view b, bool ignore_case) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const int left = static_cast<unsigned char>(ignore_case ? upper(a[i]) : a[i]);
    const int right = static_cast<unsigned char>(ignore_case ? upper(b[i]) : b[i]);
    if (left != right) return left - right;
  }
  return static_cast<LONG>(a.size()) - static_cast<LONG>(b.size());
}

template <char16_t (*Change)(char16_t) noexcept>
NTSTATUS change_case(const char* name, PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate) {
  const KernelCall call(name, PASSIVE_LEVEL);
  std::u16string text(undis::kernel::view(from));
  std::transform(text.begin(), text.end(), text.begin(), Change);
  return put_string(name, to, text, allocate != FALSE, false);
}

void check_ignoring_case(const char* name, BOOLEAN ignore_case) noexcept {
  if (ignore_case != FALSE) check_irql(name, PASSIVE_LEVEL);
}

}  // namespace

// Page wdm/nf-wdm-rtlinitunicodestring
VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString) {
  init(DestinationString, SourceString, UNICODE_STRING_MAX_BYTES - sizeof(WCHAR));
}

// Page wdm/nf-wdm-rtlinitansistring, wdm/nf-wdm-rtlinitstring
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString) {
  init(DestinationString, SourceString, 65534);
}
VOID RtlInitString(PSTRING DestinationString, PCSZ SourceString) {
  init(DestinationString, SourceString, 65534);
}
VOID RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString) {
  init(DestinationString, SourceString, 65534);
}

// Page wdm/nf-wdm-rtlcopyunicodestring
VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  if (SourceString == nullptr) {
    DestinationString->Length = 0;
    return;
  }
  const USHORT bytes = std::min(SourceString->Length, DestinationString->MaximumLength);
  if (bytes != 0) std::memmove(DestinationString->Buffer, SourceString->Buffer, bytes);
  DestinationString->Length = bytes;
  if (bytes + sizeof(WCHAR) <= DestinationString->MaximumLength)
    DestinationString->Buffer[bytes / sizeof(WCHAR)] = 0;
}

// Page wdm/nf-wdm-rtlcopystring
VOID RtlCopyString(PSTRING DestinationString, const STRING* SourceString) {
  const USHORT bytes =
      SourceString == nullptr ? USHORT{0} : std::min(SourceString->Length, DestinationString->MaximumLength);
  if (bytes != 0) std::memmove(DestinationString->Buffer, SourceString->Buffer, bytes);
  DestinationString->Length = bytes;
}

namespace {

NTSTATUS append(PUNICODE_STRING to, std::u16string_view text) {
  const std::size_t bytes = text.size() * sizeof(char16_t);
  if (bytes + to->Length > to->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
  auto* const end = reinterpret_cast<char*>(to->Buffer) + to->Length;
  if (bytes != 0) std::memmove(end, text.data(), bytes);
  to->Length = static_cast<USHORT>(to->Length + bytes);
  if (to->Length + sizeof(WCHAR) <= to->MaximumLength) to->Buffer[to->Length / sizeof(WCHAR)] = 0;
  return STATUS_SUCCESS;
}

}  // namespace

// Page wdm/nf-wdm-rtlappendunicodetostring
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) {
  return append(Destination, undis::kernel::view(Source));
}

// Page wdm/nf-wdm-rtlappendunicodestringtostring
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
  return append(Destination, undis::kernel::view(Source));
}

// Page wdm/nf-wdm-rtlequalunicodestring
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  check_ignoring_case("RtlEqualUnicodeString", CaseInSensitive);
  return compare(undis::kernel::view(String1), undis::kernel::view(String2), CaseInSensitive != FALSE) == 0
             ? TRUE
             : FALSE;
}

// Page wdm/nf-wdm-rtlcompareunicodestring
LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  check_ignoring_case("RtlCompareUnicodeString", CaseInSensitive);
  return compare(undis::kernel::view(String1), undis::kernel::view(String2), CaseInSensitive != FALSE);
}

// Page ntddk/nf-ntddk-rtlprefixunicodestring
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  check_ignoring_case("RtlPrefixUnicodeString", CaseInSensitive);
  const std::u16string_view prefix = undis::kernel::view(String1);
  return compare(prefix, undis::kernel::view(String2).substr(0, prefix.size()), CaseInSensitive != FALSE) == 0
             ? TRUE
             : FALSE;
}

// Page wdm/nf-wdm-rtlequalstring
BOOLEAN RtlEqualString(const STRING* String1, const STRING* String2, BOOLEAN CaseInSensitive) {
  return compare_narrow(view(String1), view(String2), CaseInSensitive != FALSE) == 0 ? TRUE : FALSE;
}

// Page wdm/nf-wdm-rtlcomparestring
LONG RtlCompareString(const STRING* String1, const STRING* String2, BOOLEAN CaseInSensitive) {
  return compare_narrow(view(String1), view(String2), CaseInSensitive != FALSE);
}

// Page wdm/nf-wdm-rtlupcaseunicodestring
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString) {
  return change_case<upcase>("RtlUpcaseUnicodeString", DestinationString, SourceString,
                             AllocateDestinationString);
}

// Page wdm/nf-wdm-rtldowncaseunicodestring
NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                  BOOLEAN AllocateDestinationString) {
  return change_case<downcase>("RtlDowncaseUnicodeString", DestinationString, SourceString,
                               AllocateDestinationString);
}

// Page ntddk/nf-ntddk-rtlupperstring
VOID RtlUpperString(PSTRING DestinationString, const STRING* SourceString) {
  const std::string_view from = view(SourceString);
  const std::size_t bytes = std::min<std::size_t>(from.size(), DestinationString->MaximumLength);
  std::transform(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(bytes), DestinationString->Buffer,
                 upper);
  DestinationString->Length = static_cast<USHORT>(bytes);
}

// Page ntifs/nf-ntifs-rtlupperchar
CHAR RtlUpperChar(CHAR Character) {
  return upper(Character);
}

// Page wdm/nf-wdm-rtlupcaseunicodechar, wdm/nf-wdm-rtldowncaseunicodechar
WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter) {
  return upcase(SourceCharacter);
}
WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter) {
  return downcase(SourceCharacter);
}

// Page wdm/nf-wdm-rtlhashunicodestring. x65599: each unit is added to the value times 65599.
NTSTATUS RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm,
                              PULONG HashValue) {
  if (String == nullptr || HashValue == nullptr) return STATUS_INVALID_PARAMETER;
  if (HashAlgorithm != HASH_STRING_ALGORITHM_DEFAULT && HashAlgorithm != HASH_STRING_ALGORITHM_X65599)
    return STATUS_INVALID_PARAMETER;
  ULONG hash = 0;
  for (const char16_t c : undis::kernel::view(String))
    hash = hash * 65599u + (CaseInSensitive != FALSE ? upcase(c) : c);
  *HashValue = hash;
  return STATUS_SUCCESS;
}
