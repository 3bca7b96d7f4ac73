// SPDX-License-Identifier: MIT
// Security associations that the network adapter keeps: IPsec task offload version 2 (6.1).
//
// Pages  ndis/ns-ndis-_ipsec_offload_v2_add_sa, ndis/ns-ndis-_ipsec_offload_v2_add_sa_ex
#pragma once
#pragma GCC system_header

#include "../ntddndis.h"
#include "object_header.h"
#include "types.h"

#if NDIS_SUPPORT_NDIS61

#define IPSEC_OFFLOAD_V2_MAX_EXTENSION_HEADERS 2
#define IPSEC_OFFLOAD_V2_INBOUND 0x00000001
#define IPSEC_OFFLOAD_V2_IPv6 0x00000010

typedef enum _IPSEC_OFFLOAD_V2_OPERATION {
  IPsecOffloadV2Ah = 1,
  IPsecOffloadV2Esp,
  IPsecOffloadV2Max
} IPSEC_OFFLOAD_V2_OPERATION,
    *PIPSEC_OFFLOAD_V2_OPERATION;

typedef struct _IPSEC_OFFLOAD_V2_ALGORITHM_INFO {
  ULONG Identifier;
  ULONG KeyLength;
  ULONG KeyOffsetBytes;
  ULONG AdditionalInfo;
} IPSEC_OFFLOAD_V2_ALGORITHM_INFO, *PIPSEC_OFFLOAD_V2_ALGORITHM_INFO;

typedef struct _IPSEC_OFFLOAD_V2_SECURITY_ASSOCIATION {
  ULONG Flags;
  IPSEC_OFFLOAD_V2_OPERATION Operation;
  ULONG Spi;
  IPSEC_OFFLOAD_V2_ALGORITHM_INFO AuthenticationAlgorithm;
  IPSEC_OFFLOAD_V2_ALGORITHM_INFO EncryptionAlgorithm;
  ULONG SequenceNumberHighOrder;
} IPSEC_OFFLOAD_V2_SECURITY_ASSOCIATION, *PIPSEC_OFFLOAD_V2_SECURITY_ASSOCIATION;

typedef struct _IPSEC_OFFLOAD_V2_ADD_SA {
  NDIS_OBJECT_HEADER Header;
  struct _IPSEC_OFFLOAD_V2_ADD_SA* Next;
  ULONG NumExtHdrs;
  ULONG Flags;
  union {
    struct {
      ULONG SrcAddr;
      ULONG DestAddr;
    } IPv4Endpoints;
    struct {
      UCHAR SrcAddr[16];
      UCHAR DestAddr[16];
    } IPv6Endpoints;
  };
  NDIS_HANDLE OffloadHandle;
  ULONG UdpEspEncapsulation;
  IPSEC_OFFLOAD_V2_SECURITY_ASSOCIATION SecAssoc[IPSEC_OFFLOAD_V2_MAX_EXTENSION_HEADERS];
  ULONG KeyLength;
  UCHAR KeyData[1];
} IPSEC_OFFLOAD_V2_ADD_SA, *PIPSEC_OFFLOAD_V2_ADD_SA;

#define NDIS_IPSEC_OFFLOAD_V2_ADD_SA_REVISION_1 1
#define NDIS_SIZEOF_IPSEC_OFFLOAD_V2_ADD_SA_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(IPSEC_OFFLOAD_V2_ADD_SA, KeyData)

typedef struct _IPSEC_OFFLOAD_V2_DELETE_SA {
  NDIS_OBJECT_HEADER Header;
  struct _IPSEC_OFFLOAD_V2_DELETE_SA* Next;
  NDIS_HANDLE OffloadHandle;
} IPSEC_OFFLOAD_V2_DELETE_SA, *PIPSEC_OFFLOAD_V2_DELETE_SA;

#define NDIS_IPSEC_OFFLOAD_V2_DELETE_SA_REVISION_1 1
#define NDIS_SIZEOF_IPSEC_OFFLOAD_V2_DELETE_SA_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(IPSEC_OFFLOAD_V2_DELETE_SA, OffloadHandle)

typedef struct _IPSEC_OFFLOAD_V2_UPDATE_SA {
  NDIS_OBJECT_HEADER Header;
  NDIS_HANDLE OffloadHandle;
  IPSEC_OFFLOAD_V2_OPERATION Operation;
  ULONG Spi;
  ULONG SequenceNumberHighOrder;
} IPSEC_OFFLOAD_V2_UPDATE_SA, *PIPSEC_OFFLOAD_V2_UPDATE_SA;

#define NDIS_IPSEC_OFFLOAD_V2_UPDATE_SA_REVISION_1 1
#define NDIS_SIZEOF_IPSEC_OFFLOAD_V2_UPDATE_SA_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(IPSEC_OFFLOAD_V2_UPDATE_SA, SequenceNumberHighOrder)

#if NDIS_SUPPORT_NDIS630
typedef struct _IPSEC_OFFLOAD_V2_ADD_SA_EX {
  NDIS_OBJECT_HEADER Header;
  ULONG NumExtHdrs;
  ULONG Flags;
  union {
    struct {
      ULONG SrcAddr;
      ULONG DestAddr;
    } IPv4Endpoints;
    struct {
      UCHAR SrcAddr[16];
      UCHAR DestAddr[16];
    } IPv6Endpoints;
  };
  NDIS_HANDLE OffloadHandle;
  ULONG UdpEspEncapsulation;
  IPSEC_OFFLOAD_V2_SECURITY_ASSOCIATION SecAssoc[IPSEC_OFFLOAD_V2_MAX_EXTENSION_HEADERS];
  ULONG KeyLength;
  ULONG KeyOffset;
  ULONG SourceSwitchPortId;
  USHORT VlanId;
} IPSEC_OFFLOAD_V2_ADD_SA_EX, *PIPSEC_OFFLOAD_V2_ADD_SA_EX;

#define NDIS_IPSEC_OFFLOAD_V2_ADD_SA_EX_REVISION_1 1
#define NDIS_SIZEOF_IPSEC_OFFLOAD_V2_ADD_SA_EX_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(IPSEC_OFFLOAD_V2_ADD_SA_EX, VlanId)
#endif

#endif
