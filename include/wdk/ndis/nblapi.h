// SPDX-License-Identifier: MIT
// Pools of NET_BUFFER_LISTs, and what is done with one list or buffer: clone, fragment, reassemble, advance,
// retreat.
//
// Page  nblapi/index
#pragma once
#pragma GCC system_header

#include "nblaccessors.h"
#include "object_header.h"

UNDIS_EXTERN_C_START

// ---- Pools ------------------------------------------------------------------------------------------------
typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  UCHAR ProtocolId;
  BOOLEAN fAllocateNetBuffer;
  USHORT ContextSize;
  ULONG PoolTag;
  ULONG DataSize;
#if NDIS_SUPPORT_NDIS684
  ULONG Flags;
#endif
} NET_BUFFER_LIST_POOL_PARAMETERS, *PNET_BUFFER_LIST_POOL_PARAMETERS;

#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize)
#if NDIS_SUPPORT_NDIS684
#define NET_BUFFER_LIST_POOL_FLAG_VERIFY 0x00000001
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 2
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, Flags)
#endif

typedef struct _NET_BUFFER_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG PoolTag;
  ULONG DataSize;
} NET_BUFFER_POOL_PARAMETERS, *PNET_BUFFER_POOL_PARAMETERS;

#define NET_BUFFER_POOL_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_POOL_PARAMETERS, DataSize)

NDISAPI NDIS_HANDLE NdisAllocateNetBufferListPool(_In_opt_ NDIS_HANDLE NdisHandle,
                                                  _In_ PNET_BUFFER_LIST_POOL_PARAMETERS Parameters);
NDISAPI VOID NdisFreeNetBufferListPool(_In_ NDIS_HANDLE PoolHandle);
NDISAPI NDIS_HANDLE NdisAllocateNetBufferPool(_In_opt_ NDIS_HANDLE NdisHandle,
                                              _In_ PNET_BUFFER_POOL_PARAMETERS Parameters);
NDISAPI VOID NdisFreeNetBufferPool(_In_ NDIS_HANDLE PoolHandle);
NDISAPI NDIS_HANDLE NdisGetPoolFromNetBufferList(_In_ PNET_BUFFER_LIST NetBufferList);
NDISAPI NDIS_HANDLE NdisGetPoolFromNetBuffer(_In_ PNET_BUFFER NetBuffer);

// ---- One list, one buffer ---------------------------------------------------------------------------------
NDISAPI PNET_BUFFER_LIST NdisAllocateNetBufferList(_In_ NDIS_HANDLE PoolHandle, _In_ USHORT ContextSize,
                                                   _In_ USHORT ContextBackFill);
NDISAPI VOID NdisFreeNetBufferList(_In_ PNET_BUFFER_LIST NetBufferList);
NDISAPI PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(_In_ NDIS_HANDLE PoolHandle,
                                                               _In_ USHORT ContextSize,
                                                               _In_ USHORT ContextBackFill,
                                                               _In_opt_ PMDL MdlChain, _In_ ULONG DataOffset,
                                                               _In_ SIZE_T DataLength);
NDISAPI PNET_BUFFER NdisAllocateNetBuffer(_In_ NDIS_HANDLE PoolHandle, _In_opt_ PMDL MdlChain,
                                          _In_ ULONG DataOffset, _In_ SIZE_T DataLength);
NDISAPI PNET_BUFFER NdisAllocateNetBufferMdlAndData(_In_ NDIS_HANDLE PoolHandle);
NDISAPI VOID NdisFreeNetBuffer(_In_ PNET_BUFFER NetBuffer);
NDISAPI NDIS_STATUS NdisAllocateNetBufferListContext(_In_ PNET_BUFFER_LIST NetBufferList,
                                                     _In_ USHORT ContextSize, _In_ USHORT ContextBackFill,
                                                     _In_ ULONG PoolTag);
NDISAPI VOID NdisFreeNetBufferListContext(_In_ PNET_BUFFER_LIST NetBufferList, _In_ USHORT ContextSize);

// ---- Lists made from lists --------------------------------------------------------------------------------
#define NDIS_CLONE_FLAGS_RESERVED 0x00000001
#define NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS 0x00000002

NDISAPI PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(_In_ PNET_BUFFER_LIST OriginalNetBufferList,
                                                        _In_opt_ NDIS_HANDLE NetBufferListPoolHandle,
                                                        _In_opt_ NDIS_HANDLE NetBufferPoolHandle,
                                                        _In_ ULONG AllocateCloneFlags);
NDISAPI VOID NdisFreeCloneNetBufferList(_In_ PNET_BUFFER_LIST CloneNetBufferList, _In_ ULONG FreeCloneFlags);
NDISAPI PNET_BUFFER_LIST NdisAllocateFragmentNetBufferList(
    _In_ PNET_BUFFER_LIST OriginalNetBufferList, _In_opt_ NDIS_HANDLE NetBufferListPool,
    _In_opt_ NDIS_HANDLE NetBufferPool, _In_ ULONG StartOffset, _In_ ULONG MaximumLength,
    _In_ ULONG DataOffsetDelta, _In_ ULONG DataBackFill, _In_ ULONG AllocateFragmentFlags);
NDISAPI VOID NdisFreeFragmentNetBufferList(_In_ PNET_BUFFER_LIST FragmentNetBufferList,
                                           _In_ ULONG DataOffsetDelta, _In_ ULONG FreeFragmentFlags);
NDISAPI PNET_BUFFER_LIST NdisAllocateReassembledNetBufferList(
    _In_ PNET_BUFFER_LIST FragmentNetBufferList, _In_opt_ NDIS_HANDLE NetBufferAndNetBufferListPoolHandle,
    _In_ ULONG StartOffset, _In_ ULONG DataOffsetDelta, _In_ ULONG DataBackFill,
    _In_ ULONG AllocateReassembleFlags);
NDISAPI VOID NdisFreeReassembledNetBufferList(_In_ PNET_BUFFER_LIST ReassembledNetBufferList,
                                              _In_ ULONG DataOffsetDelta, _In_ ULONG FreeReassembleFlags);
NDISAPI VOID NdisCopySendNetBufferListInfo(_In_ PNET_BUFFER_LIST DestNetBufferList,
                                           _In_ PNET_BUFFER_LIST SrcNetBufferList);
NDISAPI VOID NdisCopyReceiveNetBufferListInfo(_In_ PNET_BUFFER_LIST DestNetBufferList,
                                              _In_ PNET_BUFFER_LIST SrcNetBufferList);

// ---- The data of a buffer ---------------------------------------------------------------------------------
typedef PMDL(NET_BUFFER_ALLOCATE_MDL)(_Inout_ PULONG BufferSize);
typedef NET_BUFFER_ALLOCATE_MDL(*NET_BUFFER_ALLOCATE_MDL_HANDLER);
typedef VOID(NET_BUFFER_FREE_MDL)(_In_ PMDL Mdl);
typedef NET_BUFFER_FREE_MDL(*NET_BUFFER_FREE_MDL_HANDLER);

NDISAPI NDIS_STATUS
NdisRetreatNetBufferDataStart(_In_ PNET_BUFFER NetBuffer, _In_ ULONG DataOffsetDelta, _In_ ULONG DataBackFill,
                              _In_opt_ NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler);
NDISAPI VOID NdisAdvanceNetBufferDataStart(_In_ PNET_BUFFER NetBuffer, _In_ ULONG DataOffsetDelta,
                                           _In_ BOOLEAN FreeMdl,
                                           _In_opt_ NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);
NDISAPI NDIS_STATUS NdisRetreatNetBufferListDataStart(
    _In_ PNET_BUFFER_LIST NetBufferList, _In_ ULONG DataOffsetDelta, _In_ ULONG DataBackFill,
    _In_opt_ NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
    _In_opt_ NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);
NDISAPI VOID NdisAdvanceNetBufferListDataStart(_In_ PNET_BUFFER_LIST NetBufferList,
                                               _In_ ULONG DataOffsetDelta, _In_ BOOLEAN FreeMdl,
                                               _In_opt_ NET_BUFFER_FREE_MDL_HANDLER FreeMdlMdlHandler);
NDISAPI VOID NdisAdjustNetBufferCurrentMdl(_In_ PNET_BUFFER NetBuffer);
NDISAPI PVOID NdisGetDataBuffer(_In_ PNET_BUFFER NetBuffer, _In_ ULONG BytesNeeded, _Out_opt_ PVOID Storage,
                                _In_ UINT AlignMultiple, _In_ UINT AlignOffset);
NDISAPI NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(_In_ PNET_BUFFER Destination,
                                                     _In_ ULONG DestinationOffset, _In_ ULONG BytesToCopy,
                                                     _In_ PNET_BUFFER Source, _In_ ULONG SourceOffset,
                                                     _Out_ PULONG BytesCopied);
NDISAPI ULONG NdisQueryNetBufferPhysicalCount(_In_ PNET_BUFFER NetBuffer);
NDISAPI UCHAR NdisGetNetBufferListProtocolId(_In_ PNET_BUFFER_LIST NetBufferList);

UNDIS_EXTERN_C_END
