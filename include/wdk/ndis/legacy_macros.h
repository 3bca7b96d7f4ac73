// SPDX-License-Identifier: MIT
//
// The rest of what NDIS 5.x drivers expect of ndis.h: small helpers, old allocators and code placement words.
#pragma once
#pragma GCC system_header

#include "buffer5.h"

UNDIS_EXTERN_C_START

// For "#pragma NDIS_INIT_FUNCTION(DriverEntry)"; the resulting pragma is one that the compilers here ignore.
#ifndef NDIS_INIT_FUNCTION
#define NDIS_INIT_FUNCTION(Function) alloc_text(INIT, Function)
#endif
#ifndef NDIS_PAGEABLE_FUNCTION
#define NDIS_PAGEABLE_FUNCTION(Function) alloc_text(PAGE, Function)
#endif
#ifndef NDIS_PAGABLE_FUNCTION
#define NDIS_PAGABLE_FUNCTION(Function) alloc_text(PAGE, Function)
#endif

// NdisAllocateMemory: kinds of memory.
#ifndef NDIS_MEMORY_CONTIGUOUS
#define NDIS_MEMORY_CONTIGUOUS 0x00000001
#define NDIS_MEMORY_NONCACHED 0x00000002
#endif

NDISAPI NDIS_STATUS NTAPI NdisAllocateMemory(_Out_ PVOID *VirtualAddress, _In_ UINT Length, _In_ UINT MemoryFlags,
                                             _In_ NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress);

NDISAPI NDIS_STATUS NTAPI NdisAllocateMemoryWithTag(_Out_ PVOID *VirtualAddress, _In_ UINT Length, _In_ ULONG Tag);

typedef VOID(NTAPI *NDIS_BLOCK_INITIALIZER)(PUCHAR Block, SIZE_T NumberOfBytes);

NDISAPI NDIS_HANDLE NTAPI NdisCreateBlockPool(_In_ USHORT BlockSize, _In_ USHORT FreeBlockLinkOffset,
                                              _In_opt_ NDIS_BLOCK_INITIALIZER InitFunction);

NDISAPI VOID NTAPI NdisDestroyBlockPool(_In_ NDIS_HANDLE BlockPoolHandle);

NDISAPI PUCHAR NTAPI NdisAllocateFromBlockPool(_In_ NDIS_HANDLE BlockPoolHandle);

NDISAPI VOID NTAPI NdisFreeToBlockPool(_In_ PUCHAR Block);

NDISAPI VOID NTAPI NdisGetSystemUpTime(_Out_ PULONG pSystemUpTime);

NDISAPI ULONG NTAPI NdisGetCacheFillSize(VOID);

// Lookahead data of a miniport may lie in device memory; the MAC options of the binding say whether it does.
#define NdisCopyLookaheadData(Destination, Source, Length, ReceiveFlags) \
  RtlCopyMemory((Destination), (Source), (Length))

#ifndef NdisMoveMappedMemory
#define NdisMoveMappedMemory(Destination, Source, Length) RtlCopyMemory((Destination), (Source), (Length))
#endif
#ifndef NdisMoveToMappedMemory
#define NdisMoveToMappedMemory(Destination, Source, Length) NdisMoveMappedMemory((Destination), (Source), (Length))
#endif
#ifndef NdisMoveFromMappedMemory
#define NdisMoveFromMappedMemory(Destination, Source, Length) NdisMoveMappedMemory((Destination), (Source), (Length))
#endif

UNDIS_EXTERN_C_END
