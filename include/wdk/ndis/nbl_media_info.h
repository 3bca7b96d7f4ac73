// SPDX-License-Identifier: MIT
// Further slots of out-of-band information: media-specific chains, IPsec, encapsulated sends, virtual
// subnets.
//
// Pages  ndis/ns-ndis-_ndis_nbl_media_media_specific_information,
// ndis/nf-ndis-ndis_nbl_add_media_specific_info_ex,
//        ndis/ns-ndis-_ndis_ipsec_offload_v2_net_buffer_list_info
#pragma once
#pragma GCC system_header

#include "nblaccessors.h"
#include "object_header.h"

// ---- Media-specific information ---------------------------------------------------------------------------
typedef struct _NDIS_NBL_MEDIA_MEDIA_SPECIFIC_INFORMATION NDIS_NBL_MEDIA_SPECIFIC_INFORMATION;
typedef NDIS_NBL_MEDIA_SPECIFIC_INFORMATION* PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION;
struct _NDIS_NBL_MEDIA_MEDIA_SPECIFIC_INFORMATION {
  PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION NextEntry;
  ULONG Tag;
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) UCHAR Data[1];
};

typedef struct _NDIS_NET_BUFFER_LIST_MEDIA_SPECIFIC_INFO {
  union {
    PVOID MediaSpecificInfo;
    PVOID NativeWifiSpecificInfo;
    PVOID Value;
  };
} NDIS_NET_BUFFER_LIST_MEDIA_SPECIFIC_INFO, *PNDIS_NET_BUFFER_LIST_MEDIA_SPECIFIC_INFO;

#define NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO(_NBL, _MediaSpecificInfo)                                    \
  do {                                                                                                \
    (_MediaSpecificInfo)->NextEntry =                                                                 \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION)NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformation); \
    NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformation) = (_MediaSpecificInfo);                    \
  } while (0)
#define NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO(_NBL, _MediaSpecificInfo)                                   \
  do {                                                                                                  \
    PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION* _undis_link =                                                 \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION*)&NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformation); \
    while (*_undis_link != NULL && *_undis_link != (_MediaSpecificInfo))                                \
      _undis_link = &(*_undis_link)->NextEntry;                                                         \
    if (*_undis_link != NULL) *_undis_link = (_MediaSpecificInfo)->NextEntry;                           \
  } while (0)
#define NDIS_NBL_GET_MEDIA_SPECIFIC_INFO(_NBL, _Tag, _MediaSpecificInfo)                              \
  do {                                                                                                \
    (_MediaSpecificInfo) =                                                                            \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION)NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformation); \
    while ((_MediaSpecificInfo) != NULL && (_MediaSpecificInfo)->Tag != (_Tag))                       \
      (_MediaSpecificInfo) = (_MediaSpecificInfo)->NextEntry;                                         \
  } while (0)

#if NDIS_SUPPORT_NDIS620
typedef struct _NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX;
typedef NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX* PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX;
struct _NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX {
  NDIS_OBJECT_HEADER Header;
  PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX NextEntry;
  ULONG Tag;
  PVOID Data;
};

#define NDIS_NBL_MEDIA_SPECIFIC_INFO_REVISION_1 1
#define NDIS_SIZEOF_NBL_MEDIA_SPECIFIC_INFO_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX, Data)

#define NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO_EX(_NBL, _MediaSpecificInfo)                                      \
  do {                                                                                                     \
    (_MediaSpecificInfo)->NextEntry =                                                                      \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX)NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformationEx); \
    NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformationEx) = (_MediaSpecificInfo);                       \
  } while (0)
#define NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO_EX(_NBL, _MediaSpecificInfo)                                     \
  do {                                                                                                       \
    PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX* _undis_link =                                                   \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX*)&NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformationEx); \
    while (*_undis_link != NULL && *_undis_link != (_MediaSpecificInfo))                                     \
      _undis_link = &(*_undis_link)->NextEntry;                                                              \
    if (*_undis_link != NULL) *_undis_link = (_MediaSpecificInfo)->NextEntry;                                \
  } while (0)
#define NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX(_NBL, _Tag, _MediaSpecificInfo)                                \
  do {                                                                                                     \
    (_MediaSpecificInfo) =                                                                                 \
        (PNDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX)NET_BUFFER_LIST_INFO((_NBL), MediaSpecificInformationEx); \
    while ((_MediaSpecificInfo) != NULL && (_MediaSpecificInfo)->Tag != (_Tag))                            \
      (_MediaSpecificInfo) = (_MediaSpecificInfo)->NextEntry;                                              \
  } while (0)
#endif

// ---- IPsec ------------------------------------------------------------------------------------------------
typedef struct _NDIS_IPSEC_OFFLOAD_V1_NET_BUFFER_LIST_INFO {
  union {
    struct {
      NDIS_HANDLE OffloadHandle;
    } Transmit;
    struct {
      USHORT SaDeleteReq : 1;
      USHORT CryptoDone : 1;
      USHORT NextCryptoDone : 1;
      USHORT Pad : 13;
      USHORT CryptoStatus;
    } Receive;
  };
} NDIS_IPSEC_OFFLOAD_V1_NET_BUFFER_LIST_INFO, *PNDIS_IPSEC_OFFLOAD_V1_NET_BUFFER_LIST_INFO;

#if NDIS_SUPPORT_NDIS61
typedef struct _NDIS_IPSEC_OFFLOAD_V2_NET_BUFFER_LIST_INFO {
  union {
    struct {
      PVOID OffloadHandle;
    } Transmit;
    struct {
      ULONG SaDeleteReq : 1;
      ULONG CryptoDone : 1;
      ULONG NextCryptoDone : 1;
      ULONG Reserved : 13;
      ULONG CryptoStatus : 16;
    } Receive;
  };
} NDIS_IPSEC_OFFLOAD_V2_NET_BUFFER_LIST_INFO, *PNDIS_IPSEC_OFFLOAD_V2_NET_BUFFER_LIST_INFO;

typedef struct _NDIS_IPSEC_OFFLOAD_V2_TUNNEL_NET_BUFFER_LIST_INFO {
  union {
    struct {
      PVOID TunnelHandle;
    } Transmit;
  };
} NDIS_IPSEC_OFFLOAD_V2_TUNNEL_NET_BUFFER_LIST_INFO, *PNDIS_IPSEC_OFFLOAD_V2_TUNNEL_NET_BUFFER_LIST_INFO;

typedef struct _NDIS_IPSEC_OFFLOAD_V2_HEADER_NET_BUFFER_LIST_INFO {
  union {
    struct {
      ULONG NextHeader : 8;
      ULONG PadLength : 8;
      ULONG AhHeaderOffset : 8;
      ULONG EspHeaderOffset : 8;
    } Transmit;
    struct {
      ULONG NextHeader : 8;
      ULONG PadLength : 8;
      ULONG HeaderInfoSet : 1;
    } Receive;
  };
} NDIS_IPSEC_OFFLOAD_V2_HEADER_NET_BUFFER_LIST_INFO, *PNDIS_IPSEC_OFFLOAD_V2_HEADER_NET_BUFFER_LIST_INFO;
#endif

// ---- Encapsulated sends, virtual subnets (6.30) -----------------------------------------------------------
#if NDIS_SUPPORT_NDIS630
typedef struct _NDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO {
  union {
    struct {
      ULONG IsEncapsulatedPacket : 1;
      ULONG EncapsulatedPacketOffsetsValid : 1;
      ULONG InnerFrameOffset : 8;
      ULONG TransportIpHeaderRelativeOffset : 6;
      ULONG TcpHeaderRelativeOffset : 10;
      ULONG IsInnerIPv6 : 1;
      ULONG TcpOptionsPresent : 1;
      ULONG Reserved : 4;
    } EncapsulatedPacketOffsets;
    PVOID Value;
  };
} NDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO,
    *PNDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO;

typedef struct _NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO {
  union {
    struct {
      UINT32 VirtualSubnetId : 24;
      UINT32 ReservedVsidBits : 8;
      UINT32 Reserved : 32;
    };
    PVOID Value;
  };
} NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO, *PNDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO;
#endif
