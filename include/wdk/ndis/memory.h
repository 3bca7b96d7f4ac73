// SPDX-License-Identifier: MIT
// Memory: tagged allocations, lookaside lists, generic objects, MDLs, copying and clearing.
//
// Pages  ndis/nf-ndis-ndisallocatememorywithtagpriority, ndis/nf-ndis-ndisallocategenericobject
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

// ---- Blocks -----------------------------------------------------------------------------------------------
#define NDIS_MEMORY_CONTIGUOUS 0x00000001
#define NDIS_MEMORY_NONCACHED 0x00000002

NDISAPI NDIS_STATUS NdisAllocateMemory(_Out_ PVOID* VirtualAddress, _In_ UINT Length, _In_ UINT MemoryFlags,
                                       _In_ NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress);
NDISAPI NDIS_STATUS NdisAllocateMemoryWithTag(_Out_ PVOID* VirtualAddress, _In_ UINT Length, _In_ ULONG Tag);
NDISAPI VOID NdisFreeMemory(_In_ PVOID VirtualAddress, _In_ UINT Length, _In_ UINT MemoryFlags);
#if NDIS_SUPPORT_NDIS6
NDISAPI PVOID NdisAllocateMemoryWithTagPriority(_In_ NDIS_HANDLE NdisHandle, _In_ UINT Length, _In_ ULONG Tag,
                                                _In_ EX_POOL_PRIORITY Priority);
#endif
#if NDIS_SUPPORT_NDIS620
NDISAPI VOID NdisFreeMemoryWithTag(_In_ PVOID VirtualAddress, _In_ ULONG Tag);
NDISAPI VOID NdisFreeMemoryWithTagPriority(_In_ NDIS_HANDLE NdisHandle, _In_ PVOID VirtualAddress,
                                           _In_ ULONG Tag);
#endif

#define NdisZeroMemory(Destination, Length) RtlZeroMemory(Destination, Length)
#define NdisFillMemory(Destination, Length, Fill) RtlFillMemory(Destination, Length, Fill)
#define NdisMoveMemory(Destination, Source, Length) RtlCopyMemory(Destination, Source, Length)
#define NdisEqualMemory(Source1, Source2, Length) RtlEqualMemory(Source1, Source2, Length)
#define NdisRetrieveUlong(Destination, Source) NdisMoveMemory(Destination, Source, sizeof(ULONG))
#define NdisStoreUlong(Destination, Value)                     \
  do {                                                         \
    ULONG _undis_value = (Value);                              \
    NdisMoveMemory(Destination, &_undis_value, sizeof(ULONG)); \
  } while (0)

// Device memory. Nothing caches or reorders it here.
#define NdisMoveMappedMemory(Destination, Source, Length) RtlCopyMemory(Destination, Source, Length)
#define NdisMoveToMappedMemory(Destination, Source, Length) NdisMoveMappedMemory(Destination, Source, Length)
#define NdisMoveFromMappedMemory(Destination, Source, Length) \
  NdisMoveMappedMemory(Destination, Source, Length)
#define NdisZeroMappedMemory(Destination, Length) RtlZeroMemory(Destination, Length)

#define NdisGetPhysicalAddressHigh(_PhysicalAddress) ((_PhysicalAddress).HighPart)
#define NdisSetPhysicalAddressHigh(_PhysicalAddress, _Value) (((_PhysicalAddress).HighPart) = (_Value))
#define NdisGetPhysicalAddressLow(_PhysicalAddress) ((_PhysicalAddress).LowPart)
#define NdisSetPhysicalAddressLow(_PhysicalAddress, _Value) (((_PhysicalAddress).LowPart) = (_Value))

NDISAPI ULONG NdisGetSharedDataAlignment(VOID);

// ---- Lookaside lists --------------------------------------------------------------------------------------
NDISAPI VOID NdisInitializeNPagedLookasideList(_Out_ PNPAGED_LOOKASIDE_LIST Lookaside,
                                               _In_opt_ PALLOCATE_FUNCTION Allocate,
                                               _In_opt_ PFREE_FUNCTION Free, _In_ ULONG Flags,
                                               _In_ SIZE_T Size, _In_ ULONG Tag, _In_ USHORT Depth);
#define NdisAllocateFromNPagedLookasideList(_L) ExAllocateFromNPagedLookasideList(_L)
#define NdisFreeToNPagedLookasideList(_L, _E) ExFreeToNPagedLookasideList(_L, _E)
#define NdisDeleteNPagedLookasideList(_L) ExDeleteNPagedLookasideList(_L)

// ---- A handle for code that has no adapter of its own -----------------------------------------------------
#if NDIS_SUPPORT_NDIS6
typedef struct _NDIS_GENERIC_OBJECT {
  NDIS_OBJECT_HEADER Header;
  PVOID Caller;
  PVOID CallersCaller;
  PDRIVER_OBJECT DriverObject;
} NDIS_GENERIC_OBJECT, *PNDIS_GENERIC_OBJECT;

#define NDIS_GENERIC_OBJECT_REVISION_1 1
#define NDIS_SIZEOF_GENERIC_OBJECT_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_GENERIC_OBJECT, DriverObject)

NDISAPI PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(_In_opt_ PDRIVER_OBJECT DriverObject, _In_ ULONG Tag,
                                                       _In_ USHORT Size);
NDISAPI VOID NdisFreeGenericObject(_In_ PNDIS_GENERIC_OBJECT NdisObject);

// ---- MDLs -------------------------------------------------------------------------------------------------
NDISAPI PMDL NdisAllocateMdl(_In_ NDIS_HANDLE NdisHandle, _In_ PVOID VirtualAddress, _In_ UINT Length);
NDISAPI VOID NdisFreeMdl(_In_ PMDL Mdl);
#endif

#define NDIS_MDL_LINKAGE(_Mdl) ((_Mdl)->Next)
#define NDIS_MDL_TO_SPAN_PAGES(_Mdl) \
  (MmGetMdlByteCount(_Mdl) == 0      \
       ? 1                           \
       : ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(_Mdl), MmGetMdlByteCount(_Mdl)))
#define NdisGetMdlPhysicalArraySize(_Mdl, _ArraySize) (*(_ArraySize) = NDIS_MDL_TO_SPAN_PAGES(_Mdl))
#define NdisAdjustMdlLength(_Mdl, _Length) (((_Mdl)->ByteCount) = (_Length))
#define NdisGetNextMdl(_CurrentMdl, _NextMdl) (*(_NextMdl) = (_CurrentMdl)->Next)
#define NdisQueryMdl(_Mdl, _VirtualAddress, _Length, _Priority)                                  \
  do {                                                                                           \
    PVOID* _undis_address = (PVOID*)(_VirtualAddress);                                           \
    if (_undis_address != NULL) *_undis_address = MmGetSystemAddressForMdlSafe(_Mdl, _Priority); \
    *(_Length) = MmGetMdlByteCount(_Mdl);                                                        \
  } while (0)
#define NdisQueryMdlOffset(_Mdl, _Offset, _Length) \
  do {                                             \
    *(_Offset) = MmGetMdlByteOffset(_Mdl);         \
    *(_Length) = MmGetMdlByteCount(_Mdl);          \
  } while (0)

UNDIS_EXTERN_C_END
