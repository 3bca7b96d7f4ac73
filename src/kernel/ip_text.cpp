// SPDX-License-Identifier: MIT
//
// Network addresses as text, by the C library.
//
// Pages   ip2string: RtlIpv4AddressToString, RtlIpv4StringToAddress, RtlIpv6AddressToString,
// RtlIpv6StringToAddress Beyond  An IPv4 text is always read strictly: four decimal parts.
#include <array>
#include <string>
#include <string_view>

#include <ip2string.h>

#include "kernel/unicode.h"

// Declared here: <arpa/inet.h> has an in_addr and an in6_addr of its own.
extern "C" const char* inet_ntop(int family, const void* address, char* text, unsigned size) noexcept;
extern "C" int inet_pton(int family, const char* text, void* address) noexcept;

namespace {

constexpr int kInet = 2;  // AF_INET and AF_INET6 of Linux
constexpr int kInet6 = 10;
constexpr std::string_view kDigits = "0123456789.";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF:.";

std::string to_text(int family, const void* address) {
  std::array<char, 64> text{};
  return inet_ntop(family, address, text.data(), static_cast<unsigned>(text.size())) != nullptr ? text.data()
                                                                                                : "";
}

/// Copies the text with its zero; the place of the zero.
template <class Char>
Char* put(Char* to, const std::string& text) noexcept {
  for (const char c : text) *to++ = static_cast<Char>(c);
  *to = Char(0);
  return to;
}

/// Reads the longest run of `allowed` characters as an address.
template <class Char>
NTSTATUS read(int family, std::string_view allowed, const Char* text, const Char** terminator,
              void* address) {
  std::string run;
  while (static_cast<std::uint32_t>(*text) < 0x80 && *text != Char(0) &&
         allowed.find(static_cast<char>(*text)) != std::string_view::npos)
    run.push_back(static_cast<char>(*text++));
  *terminator = text;
  return inet_pton(family, run.c_str(), address) == 1 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

}  // namespace

PSTR RtlIpv4AddressToStringA(const struct in_addr* Addr, PSTR S) {
  return put(S, to_text(kInet, Addr));
}
PWSTR RtlIpv4AddressToStringW(const struct in_addr* Addr, PWSTR S) {
  return put(S, to_text(kInet, Addr));
}
PSTR RtlIpv6AddressToStringA(const struct in6_addr* Addr, PSTR S) {
  return put(S, to_text(kInet6, Addr));
}
PWSTR RtlIpv6AddressToStringW(const struct in6_addr* Addr, PWSTR S) {
  return put(S, to_text(kInet6, Addr));
}

NTSTATUS RtlIpv4StringToAddressA(PCSTR S, BOOLEAN, PCSTR* Terminator, struct in_addr* Addr) {
  return read(kInet, kDigits, S, Terminator, Addr);
}
NTSTATUS RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN, PCWSTR* Terminator, struct in_addr* Addr) {
  return read(kInet, kDigits, S, Terminator, Addr);
}
NTSTATUS RtlIpv6StringToAddressA(PCSTR S, PCSTR* Terminator, struct in6_addr* Addr) {
  return read(kInet6, kHexDigits, S, Terminator, Addr);
}
NTSTATUS RtlIpv6StringToAddressW(PCWSTR S, PCWSTR* Terminator, struct in6_addr* Addr) {
  return read(kInet6, kHexDigits, S, Terminator, Addr);
}
