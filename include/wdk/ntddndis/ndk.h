// SPDX-License-Identifier: MIT
//
// Network direct kernel: capabilities and statistics of an adapter (6.30).
//
// Pages   ntddndis/ns-ntddndis-_ndis_ndk_capabilities, _ndis_ndk_performance_counters,
// _ndis_ndk_statistics_info
#pragma once
#pragma GCC system_header

#include "general.h"

UNDIS_EXTERN_C_START

struct _NDK_ADAPTER_INFO;

#define NDIS_NDK_CAPABILITIES_REVISION_1 1
#define NDIS_NDK_STATISTICS_INFO_REVISION_1 1

typedef struct _NDIS_NDK_PERFORMANCE_COUNTERS {
  ULONG64 Connect;
  ULONG64 Accept;
  ULONG64 ConnectFailure;
  ULONG64 ConnectionError;
  ULONG64 ActiveConnection;
  ULONG64 Reserved01;
  ULONG64 Reserved02;
  ULONG64 Reserved03;
  ULONG64 Reserved04;
  ULONG64 Reserved05;
  ULONG64 Reserved06;
  ULONG64 Reserved07;
  ULONG64 Reserved08;
  ULONG64 Reserved09;
  ULONG64 Reserved10;
  ULONG64 Reserved11;
  ULONG64 Reserved12;
  ULONG64 Reserved13;
  ULONG64 Reserved14;
  ULONG64 Reserved15;
  ULONG64 Reserved16;
  ULONG64 Reserved17;
  ULONG64 Reserved18;
  ULONG64 Reserved19;
  ULONG64 Reserved20;
  ULONG64 CQError;
  ULONG64 RDMAInOctets;
  ULONG64 RDMAOutOctets;
  ULONG64 RDMAInFrames;
  ULONG64 RDMAOutFrames;
} NDIS_NDK_PERFORMANCE_COUNTERS, *PNDIS_NDK_PERFORMANCE_COUNTERS;

#define NDIS_NDK_PERFORMANCE_COUNTER_MASK(CounterField) \
  (((ULONG64)1) << (FIELD_OFFSET(NDIS_NDK_PERFORMANCE_COUNTERS, CounterField) / sizeof(ULONG64)))

typedef struct _NDIS_NDK_CAPABILITIES {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG MaxQpCount;
  ULONG MaxCqCount;
  ULONG MaxMrCount;
  ULONG MaxPdCount;
  ULONG MaxInboundReadLimit;
  ULONG MaxOutboundReadLimit;
  ULONG MaxMwCount;
  ULONG MaxSrqCount;
  ULONG64 MissingCounterMask;
  struct _NDK_ADAPTER_INFO* NdkInfo;
} NDIS_NDK_CAPABILITIES, *PNDIS_NDK_CAPABILITIES;

typedef struct _NDIS_NDK_STATISTICS_INFO {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_NDK_PERFORMANCE_COUNTERS CounterSet;
} NDIS_NDK_STATISTICS_INFO, *PNDIS_NDK_STATISTICS_INFO;

#define NDIS_SIZEOF_NDK_CAPABILITIES_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_CAPABILITIES, NdkInfo)
#define NDIS_SIZEOF_NDK_STATISTICS_INFO_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_STATISTICS_INFO, CounterSet)

UNDIS_EXTERN_C_END
