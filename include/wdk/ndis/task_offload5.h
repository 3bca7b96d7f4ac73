// SPDX-License-Identifier: MIT
//
// NDIS 5.x task offload: what OID_TCP_TASK_OFFLOAD carries, and the checksum word of a packet.
#pragma once
#pragma GCC system_header

#include "legacy_types.h"

UNDIS_EXTERN_C_START

typedef enum _NDIS_TASK {
  TcpIpChecksumNdisTask,
  IpSecNdisTask,
  TcpLargeSendNdisTask,
  MaxNdisTask
} NDIS_TASK,
    *PNDIS_TASK;

typedef enum _NDIS_ENCAPSULATION {
  UNSPECIFIED_Encapsulation,
  NULL_Encapsulation,
  IEEE_802_3_Encapsulation,
  IEEE_802_5_Encapsulation,
  LLC_SNAP_ROUTED_Encapsulation,
  LLC_SNAP_BRIDGED_Encapsulation
} NDIS_ENCAPSULATION;

typedef struct _NDIS_ENCAPSULATION_FORMAT {
  NDIS_ENCAPSULATION Encapsulation;
  struct {
    ULONG FixedHeaderSize : 1;
    ULONG Reserved : 31;
  } Flags;
  ULONG EncapsulationHeaderSize;
} NDIS_ENCAPSULATION_FORMAT, *PNDIS_ENCAPSULATION_FORMAT;

#define NDIS_TASK_OFFLOAD_VERSION 1

typedef struct _NDIS_TASK_OFFLOAD_HEADER {
  ULONG Version;
  ULONG Size;
  ULONG Reserved;
  ULONG OffsetFirstTask;
  NDIS_ENCAPSULATION_FORMAT EncapsulationFormat;
} NDIS_TASK_OFFLOAD_HEADER, *PNDIS_TASK_OFFLOAD_HEADER;

typedef struct _NDIS_TASK_OFFLOAD {
  ULONG Version;
  ULONG Size;
  NDIS_TASK Task;
  ULONG OffsetNextTask;
  ULONG TaskBufferLength;
  UCHAR TaskBuffer[1];
} NDIS_TASK_OFFLOAD, *PNDIS_TASK_OFFLOAD;

typedef struct _NDIS_TASK_TCP_IP_CHECKSUM {
  struct {
    ULONG IpOptionsSupported : 1;
    ULONG TcpOptionsSupported : 1;
    ULONG TcpChecksum : 1;
    ULONG UdpChecksum : 1;
    ULONG IpChecksum : 1;
  } V4Transmit;
  struct {
    ULONG IpOptionsSupported : 1;
    ULONG TcpOptionsSupported : 1;
    ULONG TcpChecksum : 1;
    ULONG UdpChecksum : 1;
    ULONG IpChecksum : 1;
  } V4Receive;
  struct {
    ULONG IpOptionsSupported : 1;
    ULONG TcpOptionsSupported : 1;
    ULONG TcpChecksum : 1;
    ULONG UdpChecksum : 1;
  } V6Transmit;
  struct {
    ULONG IpOptionsSupported : 1;
    ULONG TcpOptionsSupported : 1;
    ULONG TcpChecksum : 1;
    ULONG UdpChecksum : 1;
  } V6Receive;
} NDIS_TASK_TCP_IP_CHECKSUM, *PNDIS_TASK_TCP_IP_CHECKSUM;

#define NDIS_TASK_TCP_LARGE_SEND_V0 0

typedef struct _NDIS_TASK_TCP_LARGE_SEND {
  ULONG Version;
  ULONG MaxOffLoadSize;
  ULONG MinSegmentCount;
  BOOLEAN TcpOptions;
  BOOLEAN IpOptions;
} NDIS_TASK_TCP_LARGE_SEND, *PNDIS_TASK_TCP_LARGE_SEND;

typedef struct _NDIS_TASK_IPSEC {
  struct {
    ULONG AH_ESP_COMBINED : 1;
    ULONG TRANSPORT_TUNNEL_COMBINED : 1;
    ULONG V4_OPTIONS : 1;
    ULONG RESERVED : 1;
  } Supported;
  struct {
    ULONG MD5 : 1;
    ULONG SHA_1 : 1;
    ULONG Transport : 1;
    ULONG Tunnel : 1;
    ULONG Send : 1;
    ULONG Receive : 1;
  } V4AH;
  struct {
    ULONG DES : 1;
    ULONG RESERVED : 1;
    ULONG TRIPLE_DES : 1;
    ULONG NULL_ESP : 1;
    ULONG Transport : 1;
    ULONG Tunnel : 1;
    ULONG Send : 1;
    ULONG Receive : 1;
  } V4ESP;
} NDIS_TASK_IPSEC, *PNDIS_TASK_IPSEC;

// The per-packet information of TcpIpChecksumPacketInfo.
typedef struct _NDIS_TCP_IP_CHECKSUM_PACKET_INFO {
  union {
    struct {
      ULONG NdisPacketChecksumV4 : 1;
      ULONG NdisPacketChecksumV6 : 1;
      ULONG NdisPacketTcpChecksum : 1;
      ULONG NdisPacketUdpChecksum : 1;
      ULONG NdisPacketIpChecksum : 1;
    } Transmit;
    struct {
      ULONG NdisPacketTcpChecksumFailed : 1;
      ULONG NdisPacketUdpChecksumFailed : 1;
      ULONG NdisPacketIpChecksumFailed : 1;
      ULONG NdisPacketTcpChecksumSucceeded : 1;
      ULONG NdisPacketUdpChecksumSucceeded : 1;
      ULONG NdisPacketIpChecksumSucceeded : 1;
      ULONG NdisPacketLoopback : 1;
    } Receive;
    ULONG Value;
  };
} NDIS_TCP_IP_CHECKSUM_PACKET_INFO, *PNDIS_TCP_IP_CHECKSUM_PACKET_INFO;

UNDIS_EXTERN_C_END
