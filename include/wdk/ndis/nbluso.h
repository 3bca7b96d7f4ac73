// SPDX-License-Identifier: MIT
// The UdpSegmentationOffloadInfo slot (6.83).
//
// Page  nbluso/ns-nbluso-ndis_udp_segmentation_offload_net_buffer_list_info
#pragma once
#pragma GCC system_header

#include "types.h"

#if NDIS_SUPPORT_NDIS683

#define NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4 0
#define NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6 1

typedef struct _NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO {
  union {
    struct {
      ULONG MSS : 20;
      ULONG UdpHeaderOffset : 10;
      ULONG Reserved : 1;
      ULONG IPVersion : 1;
    } Transmit;
    PVOID Value;
  };
} NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO, *PNDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO;

#endif
