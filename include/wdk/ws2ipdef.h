// SPDX-License-Identifier: MIT
// IPv6 socket addresses and the tests on addresses.
#pragma once
#pragma GCC system_header

#include <in6addr.h>
#include <ws2def.h>

typedef struct sockaddr_in6 {
  ADDRESS_FAMILY sin6_family;
  USHORT sin6_port;
  ULONG sin6_flowinfo;
  IN6_ADDR sin6_addr;
  union {
    ULONG sin6_scope_id;
    SCOPE_ID sin6_scope_struct;
  } DUMMYUNIONNAME;
} SOCKADDR_IN6, *PSOCKADDR_IN6;

typedef union _SOCKADDR_INET {
  SOCKADDR_IN Ipv4;
  SOCKADDR_IN6 Ipv6;
  ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

UNDIS_EXTERN_C_START
UNDIS_INLINE BOOLEAN IN4_ADDR_EQUAL(const IN_ADDR* a, const IN_ADDR* b) {
  return (BOOLEAN)(a->s_addr == b->s_addr);
}
UNDIS_INLINE BOOLEAN IN6_ADDR_EQUAL(const IN6_ADDR* a, const IN6_ADDR* b) {
  return (BOOLEAN)(memcmp(a, b, sizeof *a) == 0);
}
UNDIS_INLINE BOOLEAN IN6_IS_ADDR_LINKLOCAL(const IN6_ADDR* a) {
  return (BOOLEAN)(a->s6_bytes[0] == 0xfe && (a->s6_bytes[1] & 0xc0) == 0x80);
}
UNDIS_INLINE BOOLEAN IN6_IS_ADDR_MULTICAST(const IN6_ADDR* a) {
  return (BOOLEAN)(a->s6_bytes[0] == 0xff);
}
UNDIS_EXTERN_C_END
