// SPDX-License-Identifier: MIT
//
// The rest of what NDIS 5.x drivers expect of ndis.h: block pools and lookahead copies.
#pragma once
#pragma GCC system_header

#include "buffer5.h"
#include "memory.h"
#include "system.h"

UNDIS_EXTERN_C_START

typedef VOID(NTAPI* NDIS_BLOCK_INITIALIZER)(PUCHAR Block, SIZE_T NumberOfBytes);

NDISAPI NDIS_HANDLE NTAPI NdisCreateBlockPool(_In_ USHORT BlockSize, _In_ USHORT FreeBlockLinkOffset,
                                              _In_opt_ NDIS_BLOCK_INITIALIZER InitFunction);

NDISAPI VOID NTAPI NdisDestroyBlockPool(_In_ NDIS_HANDLE BlockPoolHandle);

NDISAPI PUCHAR NTAPI NdisAllocateFromBlockPool(_In_ NDIS_HANDLE BlockPoolHandle);

NDISAPI VOID NTAPI NdisFreeToBlockPool(_In_ PUCHAR Block);

NDISAPI ULONG NTAPI NdisGetCacheFillSize(VOID);

// Lookahead data of a miniport may lie in device memory; the MAC options of the binding say whether it does.
#define NdisCopyLookaheadData(Destination, Source, Length, ReceiveFlags) \
  RtlCopyMemory((Destination), (Source), (Length))

UNDIS_EXTERN_C_END
