// SPDX-License-Identifier: MIT
// Processors: how many there are, where one runs, which of them take part in receive side scaling.
//
// Pages  ndis/nf-ndis-ndisgetrssprocessorinformation, ndis/nf-ndis-ndisgetprocessorinformationex
#pragma once
#pragma GCC system_header

#include "../ntddndis.h"
#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

// ---- 6.0 and 6.1: one group -------------------------------------------------------------------------------
#if NDIS_SUPPORT_NDIS6 && NDIS_SUPPORT_60_COMPATIBLE_API
typedef struct _NDIS_PROCESSOR_INFO {
  ULONG CpuNumber;
  ULONG PhysicalPackageId;
  ULONG CoreId;
  ULONG HyperThreadID;
} NDIS_PROCESSOR_INFO, *PNDIS_PROCESSOR_INFO;

#define UNDIS_PROCESSOR_INFO_MAXIMUM 64

typedef struct _NDIS_SYSTEM_PROCESSOR_INFO {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PROCESSOR_VENDOR ProcessorVendor;
  ULONG NumPhysicalPackages;
  ULONG NumCores;
  ULONG NumCoresPerPhysicalPackage;
  ULONG MaxHyperThreadingCpusPerCore;
  ULONG RssBaseCpu;
  ULONG RssCpuCount;
  PUCHAR RssProcessors;
  NDIS_PROCESSOR_INFO CpuInfo[UNDIS_PROCESSOR_INFO_MAXIMUM];
} NDIS_SYSTEM_PROCESSOR_INFO, *PNDIS_SYSTEM_PROCESSOR_INFO;

#define NDIS_SYSTEM_PROCESSOR_INFO_REVISION_1 1
#define NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_SYSTEM_PROCESSOR_INFO, CpuInfo)

NDISAPI NDIS_STATUS NdisGetProcessorInformation(_Inout_ PNDIS_SYSTEM_PROCESSOR_INFO SystemProcessorInfo);
NDISAPI ULONG NdisSystemActiveProcessorCount(_Out_opt_ PKAFFINITY ActiveProcessors);
#endif

// ---- 6.20: groups -----------------------------------------------------------------------------------------
#if NDIS_SUPPORT_NDIS620
NDISAPI NDIS_STATUS NdisGetProcessorInformationEx(
    _In_opt_ NDIS_HANDLE NdisHandle, _Out_opt_ PNDIS_SYSTEM_PROCESSOR_INFO_EX SystemProcessorInfo,
    _Inout_ PSIZE_T Size);
NDISAPI NDIS_STATUS NdisGetRssProcessorInformation(_In_ NDIS_HANDLE NdisHandle,
                                                   _Out_opt_ PNDIS_RSS_PROCESSOR_INFO RssProcessorInfo,
                                                   _Inout_ PSIZE_T Size);
NDISAPI USHORT NdisMaxGroupCount(VOID);
NDISAPI USHORT NdisActiveGroupCount(VOID);
NDISAPI ULONG NdisGroupMaxProcessorCount(_In_ USHORT Group);
NDISAPI ULONG NdisGroupActiveProcessorCount(_In_ USHORT Group);
NDISAPI KAFFINITY NdisGroupActiveProcessorMask(_In_ USHORT Group);
NDISAPI PROCESSOR_NUMBER NdisCurrentGroupAndProcessor(VOID);
NDISAPI ULONG NdisCurrentProcessorIndex(VOID);
NDISAPI ULONG NdisProcessorNumberToIndex(_In_ PROCESSOR_NUMBER ProcNum);
NDISAPI NTSTATUS NdisProcessorIndexToNumber(_In_ ULONG ProcIndex, _Out_ PPROCESSOR_NUMBER ProcNum);
#endif

#define NDIS_CURRENT_PROCESSOR_NUMBER KeGetCurrentProcessorNumber

// ---- How busy one processor is ----------------------------------------------------------------------------
NDISAPI VOID NdisGetCurrentProcessorCpuUsage(_Out_ PULONG pCpuUsage);
#if NDIS_SUPPORT_NDIS6
NDISAPI VOID NdisGetCurrentProcessorCounts(_Out_ PULONG pIdleCount, _Out_ PULONG pKernelAndUser,
                                           _Out_ PULONG pIndex);
#endif

UNDIS_EXTERN_C_END
