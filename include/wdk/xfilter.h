// SPDX-License-Identifier: MIT
//
// Ethernet, FDDI and Token Ring addresses: lengths, tests, comparison and copy.
#pragma once
#pragma GCC system_header

#include "ntdef.h"

// ---- Ethernet
// ------------------------------------------------------------------------------------------------------
#define ETH_LENGTH_OF_ADDRESS 6

#define ETH_IS_MULTICAST(Address) ((BOOLEAN)(((const UCHAR*)(Address))[0] & (UCHAR)0x01))

#define ETH_IS_BROADCAST(Address)                                                                    \
  ((((const UCHAR*)(Address))[0] == (UCHAR)0xFF) && (((const UCHAR*)(Address))[1] == (UCHAR)0xFF) && \
   (((const UCHAR*)(Address))[2] == (UCHAR)0xFF) && (((const UCHAR*)(Address))[3] == (UCHAR)0xFF) && \
   (((const UCHAR*)(Address))[4] == (UCHAR)0xFF) && (((const UCHAR*)(Address))[5] == (UCHAR)0xFF))

#define ETH_IS_LOCALLY_ADMINISTERED(Address) ((BOOLEAN)(((const UCHAR*)(Address))[0] & (UCHAR)0x02))
#define ETH_IS_EMPTY(Address)                                                    \
  ((((const UCHAR*)(Address))[0] == 0) && (((const UCHAR*)(Address))[1] == 0) && \
   (((const UCHAR*)(Address))[2] == 0) && (((const UCHAR*)(Address))[3] == 0) && \
   (((const UCHAR*)(Address))[4] == 0) && (((const UCHAR*)(Address))[5] == 0))

UNDIS_EXTERN_C_START

// -1, 0 or 1 for the order of two addresses of `length` bytes.
UNDIS_INLINE int undis_compare_addresses(const void* a, const void* b, unsigned length) {
  const UCHAR* const left = (const UCHAR*)a;
  const UCHAR* const right = (const UCHAR*)b;
  unsigned i;
  for (i = 0; i < length; ++i) {
    if (left[i] != right[i]) return left[i] > right[i] ? 1 : -1;
  }
  return 0;
}

UNDIS_INLINE void undis_copy_address(void* destination, const void* source, unsigned length) {
  unsigned i;
  for (i = 0; i < length; ++i) ((UCHAR*)destination)[i] = ((const UCHAR*)source)[i];
}

UNDIS_EXTERN_C_END

// *Result: 1 when A is greater, 0 when equal, -1 (as UINT) when smaller.
#define ETH_COMPARE_NETWORK_ADDRESSES(A, B, Result) \
  (*(Result) = undis_compare_addresses((A), (B), ETH_LENGTH_OF_ADDRESS))
// *Result: 0 when equal, 1 when not.
#define ETH_COMPARE_NETWORK_ADDRESSES_EQ(A, B, Result) \
  (*(Result) = (undis_compare_addresses((A), (B), ETH_LENGTH_OF_ADDRESS) != 0))
#define ETH_COPY_NETWORK_ADDRESS(Destination, Source) \
  undis_copy_address((Destination), (Source), ETH_LENGTH_OF_ADDRESS)

// ---- FDDI
// ----------------------------------------------------------------------------------------------------------
#define FDDI_LENGTH_OF_LONG_ADDRESS 6
#define FDDI_LENGTH_OF_SHORT_ADDRESS 2

#define FDDI_IS_MULTICAST(Address, AddressLength, Result) \
  (*(Result) = (BOOLEAN)(((const UCHAR*)(Address))[0] & (UCHAR)0x01))
#define FDDI_IS_BROADCAST(Address, AddressLength, Result)                 \
  (*(Result) = (BOOLEAN)((((const UCHAR*)(Address))[0] == (UCHAR)0xFF) && \
                         (((const UCHAR*)(Address))[(AddressLength)-1] == (UCHAR)0xFF)))
#define FDDI_IS_SMT(FcByte, Result) (*(Result) = (BOOLEAN)(((FcByte) & ((UCHAR)0xF0)) == 0x40))
#define FDDI_COMPARE_NETWORK_ADDRESSES(A, B, Length, Result) \
  (*(Result) = undis_compare_addresses((A), (B), (Length)))
#define FDDI_COMPARE_NETWORK_ADDRESSES_EQ(A, B, Length, Result) \
  (*(Result) = (undis_compare_addresses((A), (B), (Length)) != 0))
#define FDDI_COPY_NETWORK_ADDRESS(Destination, Source, AddressLength) \
  undis_copy_address((Destination), (Source), (AddressLength))

// ---- Token Ring
// ----------------------------------------------------------------------------------------------------
#define TR_LENGTH_OF_FUNCTIONAL 4
#define TR_LENGTH_OF_ADDRESS 6

#define TR_IS_NOT_DIRECTED(Address, Result) (*(Result) = (BOOLEAN)((Address)[0] & 0x80))
#define TR_IS_FUNCTIONAL(Address, Result) \
  (*(Result) = (BOOLEAN)(((Address)[0] & 0x80) && !((Address)[2] & 0x80)))
#define TR_IS_GROUP(Address, Result) (*(Result) = (BOOLEAN)((Address)[0] & (Address)[2] & 0x80))
#define TR_IS_SOURCE_ROUTING(Address, Result) (*(Result) = (BOOLEAN)((Address)[0] & 0x80))
#define TR_IS_MAC_FRAME(PacketHeader) ((((const UCHAR*)(PacketHeader))[1] & 0xFC) == 0)
#define TR_IS_BROADCAST(Address, Result)                                                                 \
  (*(Result) = (BOOLEAN)((((Address)[0] == 0xFF) || ((Address)[0] == 0xC0)) && ((Address)[2] == 0xFF) && \
                         ((Address)[3] == 0xFF) && ((Address)[4] == 0xFF) && ((Address)[5] == 0xFF)))
#define TR_COMPARE_NETWORK_ADDRESSES(A, B, Result) \
  (*(Result) = undis_compare_addresses((A), (B), TR_LENGTH_OF_ADDRESS))
#define TR_COMPARE_NETWORK_ADDRESSES_EQ(A, B, Result) \
  (*(Result) = (undis_compare_addresses((A), (B), TR_LENGTH_OF_ADDRESS) != 0))
#define TR_COPY_NETWORK_ADDRESS(Destination, Source) \
  undis_copy_address((Destination), (Source), TR_LENGTH_OF_ADDRESS)
