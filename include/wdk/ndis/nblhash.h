// SPDX-License-Identifier: MIT
// The RSS hash that a receive carries: value, function and type.
//
// Pages  nblhash/index, network/indicating-rss-receive-data
#pragma once
#pragma GCC system_header

#include "../ntddndis/rss.h"
#include "nblaccessors.h"

#define NET_BUFFER_LIST_GET_HASH_VALUE(_NBL) \
  ((ULONG)(ULONG_PTR)(NET_BUFFER_LIST_INFO(_NBL, NetBufferListHashValue)))
#define NET_BUFFER_LIST_GET_HASH_TYPE(_NBL) \
  ((ULONG)(ULONG_PTR)(NET_BUFFER_LIST_INFO(_NBL, NetBufferListHashInfo)) & NDIS_HASH_TYPE_MASK)
#define NET_BUFFER_LIST_GET_HASH_FUNCTION(_NBL) \
  ((ULONG)(ULONG_PTR)(NET_BUFFER_LIST_INFO(_NBL, NetBufferListHashInfo)) & NDIS_HASH_FUNCTION_MASK)

#define NET_BUFFER_LIST_SET_HASH_VALUE(_NBL, _HashValue) \
  NET_BUFFER_LIST_INFO(_NBL, NetBufferListHashValue) = ((PVOID)(ULONG_PTR)(_HashValue))

UNDIS_EXTERN_C_START

UNDIS_INLINE VOID NET_BUFFER_LIST_SET_HASH_TYPE(PNET_BUFFER_LIST Nbl, ULONG HashType) {
  const ULONG info = (ULONG)(ULONG_PTR)Nbl->NetBufferListInfo[NetBufferListHashInfo];
  Nbl->NetBufferListInfo[NetBufferListHashInfo] =
      (PVOID)(ULONG_PTR)((info & ~(ULONG)NDIS_HASH_TYPE_MASK) | (HashType & NDIS_HASH_TYPE_MASK));
}

UNDIS_INLINE VOID NET_BUFFER_LIST_SET_HASH_FUNCTION(PNET_BUFFER_LIST Nbl, ULONG HashFunction) {
  const ULONG info = (ULONG)(ULONG_PTR)Nbl->NetBufferListInfo[NetBufferListHashInfo];
  Nbl->NetBufferListInfo[NetBufferListHashInfo] =
      (PVOID)(ULONG_PTR)((info & ~(ULONG)NDIS_HASH_FUNCTION_MASK) | (HashFunction & NDIS_HASH_FUNCTION_MASK));
}

UNDIS_EXTERN_C_END
