// SPDX-License-Identifier: MIT
//
// Packet timestamps: what an adapter can stamp, and its clock beside the system's (6.82).
//
// Pages   ntddndis/ns-ntddndis-_ndis_timestamp_capabilities, _ndis_timestamp_capability_flags,
//         _ndis_hardware_crosstimestamp
#pragma once
#pragma GCC system_header

#include "general.h"

UNDIS_EXTERN_C_START

#define NDIS_TIMESTAMP_CAPABILITIES_REVISION_1 1
#define NDIS_HARDWARE_CROSSTIMESTAMP_REVISION_1 1
#define NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_TIMESTAMP_CAPABILITIES, TimestampFlags)
#define NDIS_SIZEOF_HARDWARE_CROSSTIMESTAMP_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_HARDWARE_CROSSTIMESTAMP, SystemTimestamp2)

typedef struct _NDIS_TIMESTAMP_CAPABILITY_FLAGS {
  BOOLEAN PtpV2OverUdpIPv4EventMsgReceiveHw;
  BOOLEAN PtpV2OverUdpIPv4AllMsgReceiveHw;
  BOOLEAN PtpV2OverUdpIPv4EventMsgTransmitHw;
  BOOLEAN PtpV2OverUdpIPv4AllMsgTransmitHw;
  BOOLEAN PtpV2OverUdpIPv6EventMsgReceiveHw;
  BOOLEAN PtpV2OverUdpIPv6AllMsgReceiveHw;
  BOOLEAN PtpV2OverUdpIPv6EventMsgTransmitHw;
  BOOLEAN PtpV2OverUdpIPv6AllMsgTransmitHw;
  BOOLEAN AllReceiveHw;
  BOOLEAN AllTransmitHw;
  BOOLEAN TaggedTransmitHw;
  BOOLEAN AllReceiveSw;
  BOOLEAN AllTransmitSw;
  BOOLEAN TaggedTransmitSw;
} NDIS_TIMESTAMP_CAPABILITY_FLAGS, *PNDIS_TIMESTAMP_CAPABILITY_FLAGS;

typedef struct _NDIS_TIMESTAMP_CAPABILITIES {
  NDIS_OBJECT_HEADER Header;
  ULONG64 HardwareClockFrequencyHz;
  BOOLEAN CrossTimestamp;
  ULONG64 Reserved1;
  ULONG64 Reserved2;
  NDIS_TIMESTAMP_CAPABILITY_FLAGS TimestampFlags;
} NDIS_TIMESTAMP_CAPABILITIES, *PNDIS_TIMESTAMP_CAPABILITIES;

typedef struct _NDIS_HARDWARE_CROSSTIMESTAMP {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG64 SystemTimestamp1;
  ULONG64 HardwareClockTimestamp;
  ULONG64 SystemTimestamp2;
} NDIS_HARDWARE_CROSSTIMESTAMP, *PNDIS_HARDWARE_CROSSTIMESTAMP;

UNDIS_EXTERN_C_END
