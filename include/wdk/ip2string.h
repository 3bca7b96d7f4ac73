// SPDX-License-Identifier: MIT
// Network addresses as text.
#pragma once
#pragma GCC system_header

#include <in6addr.h>
#include <inaddr.h>

UNDIS_EXTERN_C_START

// The buffers hold 16 (IPv4), 46 (IPv6) and 18 (Ethernet) characters; each function returns the end of the
// text.
NTSYSAPI PSTR RtlIpv4AddressToStringA(const struct in_addr* Addr, PSTR S);
NTSYSAPI PWSTR RtlIpv4AddressToStringW(const struct in_addr* Addr, PWSTR S);
NTSYSAPI PSTR RtlIpv6AddressToStringA(const struct in6_addr* Addr, PSTR S);
NTSYSAPI PWSTR RtlIpv6AddressToStringW(const struct in6_addr* Addr, PWSTR S);
NTSYSAPI NTSTATUS RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR* Terminator, struct in_addr* Addr);
NTSYSAPI NTSTATUS RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR* Terminator, struct in_addr* Addr);
NTSYSAPI NTSTATUS RtlIpv6StringToAddressA(PCSTR S, PCSTR* Terminator, struct in6_addr* Addr);
NTSYSAPI NTSTATUS RtlIpv6StringToAddressW(PCWSTR S, PCWSTR* Terminator, struct in6_addr* Addr);

UNDIS_EXTERN_C_END
