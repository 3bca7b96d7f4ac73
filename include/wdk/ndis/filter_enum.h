// SPDX-License-Identifier: MIT
// The list of filter modules above an adapter.
//
// Page  ndis/nf-ndis-ndisenumeratefiltermodules
#pragma once
#pragma GCC system_header

#include "../ntddndis.h"
#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

typedef struct _NDIS_FILTER_INTERFACE {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG FilterType;
  ULONG FilterRunType;
  NET_IFINDEX IfIndex;
  NET_LUID NetLuid;
  NDIS_STRING FilterClass;
  NDIS_STRING FilterInstanceName;
} NDIS_FILTER_INTERFACE, *PNDIS_FILTER_INTERFACE;

#define NDIS_FILTER_INTERFACE_IM_FILTER 0x00000001
#define NDIS_FILTER_INTERFACE_LW_FILTER 0x00000002
#define NDIS_FILTER_INTERFACE_SEND_BYPASS 0x00000004
#define NDIS_FILTER_INTERFACE_RECEIVE_BYPASS 0x00000008

#define NDIS_FILTER_INTERFACE_REVISION_1 1
#define NDIS_SIZEOF_FILTER_INTERFACE_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_FILTER_INTERFACE, FilterInstanceName)
#define NDIS_FILTER_INTERFACE_REVISION_2 2
#define NDIS_SIZEOF_FILTER_INTERFACE_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_FILTER_INTERFACE, FilterInstanceName)

typedef struct _NDIS_ENUM_FILTERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG NumberOfFilters;
  ULONG OffsetFirstFilter;
  NDIS_FILTER_INTERFACE Filter[1];
} NDIS_ENUM_FILTERS, *PNDIS_ENUM_FILTERS;

#define NDIS_ENUM_FILTERS_REVISION_1 1
#define NDIS_SIZEOF_ENUM_FILTERS_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_ENUM_FILTERS, OffsetFirstFilter)

NDISAPI NDIS_STATUS NdisEnumerateFilterModules(_In_ NDIS_HANDLE NdisHandle, _In_ PVOID InterfaceBuffer,
                                               _In_ ULONG InterfaceBufferLength, _Inout_ PULONG BytesNeeded,
                                               _Inout_ PULONG BytesWritten);

UNDIS_EXTERN_C_END
