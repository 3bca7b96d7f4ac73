// SPDX-License-Identifier: MIT
//
// NDIS 5.x buffer descriptors and their pools. An NDIS_BUFFER is an MDL.
//
// Pages   ndis/nf-ndis-ndisallocatebuffer, ndis/nf-ndis-ndisallocatebufferpool
// Since   NDIS 3.0; not for NDIS 6.x drivers, which use MDLs directly
#pragma once
#pragma GCC system_header

#include "legacy_types.h"

UNDIS_EXTERN_C_START

typedef MDL NDIS_BUFFER, *PNDIS_BUFFER;

NDISAPI VOID NTAPI NdisAllocateBufferPool(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE PoolHandle,
                                          _In_ UINT NumberOfDescriptors);

NDISAPI VOID NTAPI NdisFreeBufferPool(_In_ NDIS_HANDLE PoolHandle);

NDISAPI VOID NTAPI NdisAllocateBuffer(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_BUFFER* Buffer,
                                      _In_opt_ NDIS_HANDLE PoolHandle, _In_ PVOID VirtualAddress,
                                      _In_ UINT Length);

NDISAPI VOID NTAPI NdisFreeBuffer(_In_ PNDIS_BUFFER Buffer);

NDISAPI VOID NTAPI NdisCopyBuffer(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_BUFFER* Buffer,
                                  _In_ NDIS_HANDLE PoolHandle, _In_ PVOID MemoryDescriptor, _In_ UINT Offset,
                                  _In_ UINT Length);

NDISAPI VOID NTAPI NdisAdjustBufferLength(_In_ PNDIS_BUFFER Buffer, _In_ UINT Length);

NDISAPI VOID NTAPI NdisGetNextBuffer(_In_ PNDIS_BUFFER CurrentBuffer, _Out_ PNDIS_BUFFER* NextBuffer);

NDISAPI VOID NTAPI NdisQueryBuffer(_In_ PNDIS_BUFFER Buffer, _Out_opt_ PVOID* VirtualAddress,
                                   _Out_ PUINT Length);

NDISAPI VOID NTAPI NdisQueryBufferSafe(_In_ PNDIS_BUFFER Buffer, _Out_opt_ PVOID* VirtualAddress,
                                       _Out_ PUINT Length, _In_ MM_PAGE_PRIORITY Priority);

NDISAPI VOID NTAPI NdisQueryBufferOffset(_In_ PNDIS_BUFFER Buffer, _Out_ PUINT Offset, _Out_ PUINT Length);

NDISAPI PVOID NTAPI NdisBufferVirtualAddress(_In_ PNDIS_BUFFER Buffer);

NDISAPI PVOID NTAPI NdisBufferVirtualAddressSafe(_In_ PNDIS_BUFFER Buffer, _In_ MM_PAGE_PRIORITY Priority);

NDISAPI ULONG NTAPI NdisBufferLength(_In_ PNDIS_BUFFER Buffer);

NDISAPI VOID NTAPI NdisGetBufferPhysicalArraySize(_In_ PNDIS_BUFFER Buffer, _Out_ PUINT ArraySize);

NDISAPI ULONG NTAPI NDIS_BUFFER_TO_SPAN_PAGES(_In_ PNDIS_BUFFER Buffer);

NDISAPI VOID NTAPI NdisFlushBuffer(_In_ PNDIS_BUFFER Buffer, _In_ BOOLEAN WriteToDevice);

// The link between buffers of one chain; an lvalue.
#define NDIS_BUFFER_LINKAGE(Buffer) ((Buffer)->Next)

UNDIS_EXTERN_C_END
