// SPDX-License-Identifier: MIT
// NDIS_NET_BUFFER_LIST_INFO: the slots of out-of-band information in a NET_BUFFER_LIST.
//
// Page    nblinfo/ne-nblinfo-ndis_net_buffer_list_info
// Layout  A later version only appends, so the size of NET_BUFFER_LIST depends on the version that a driver
// asks for.
//         NDIS allocates the lists, always at full length; a driver never takes sizeof.
#pragma once
#pragma GCC system_header

#include "version.h"

typedef enum _NDIS_NET_BUFFER_LIST_INFO {
  TcpIpChecksumNetBufferListInfo,
  TcpOffloadBytesTransferred = TcpIpChecksumNetBufferListInfo,
  IPsecOffloadV1NetBufferListInfo,
#if NDIS_SUPPORT_NDIS61
  IPsecOffloadV2NetBufferListInfo = IPsecOffloadV1NetBufferListInfo,
#endif
  TcpLargeSendNetBufferListInfo,
  TcpReceiveNoPush = TcpLargeSendNetBufferListInfo,
  ClassificationHandleNetBufferListInfo,
  Ieee8021QNetBufferListInfo,
  NetBufferListCancelId,
  MediaSpecificInformation,
  NetBufferListFrameType,
  NetBufferListProtocolId = NetBufferListFrameType,
  NetBufferListHashValue,
  NetBufferListHashInfo,
  WfpNetBufferListInfo,
#if NDIS_SUPPORT_NDIS61
  IPsecOffloadV2TunnelNetBufferListInfo,
  IPsecOffloadV2HeaderNetBufferListInfo,
#endif
#if NDIS_SUPPORT_NDIS620
  NetBufferListCorrelationId,
  NetBufferListFilteringInfo,
  MediaSpecificInformationEx,
  NblOriginalInterfaceIfIndex,
  NblReAuthWfpFlowContext = NblOriginalInterfaceIfIndex,
  TcpReceiveBytesTransferred,
  NrtNameResolutionId = TcpReceiveBytesTransferred,
  UdpRecvSegCoalesceOffloadInfo = TcpReceiveBytesTransferred,
#endif
#if NDIS_SUPPORT_NDIS630
  SwitchForwardingReserved,
  SwitchForwardingDetail,
  VirtualSubnetInfo,
  IMReserved,
  TcpRecvSegCoalesceInfo,
  UdpSegmentationOffloadInfo = TcpRecvSegCoalesceInfo,
  RscTcpTimestampDelta,
  TcpSendOffloadsSupplementalNetBufferListInfo = RscTcpTimestampDelta,
#endif
#if NDIS_SUPPORT_NDIS650
  GftOffloadInformation,
  GftFlowEntryId,
#endif
#if NDIS_SUPPORT_NDIS680
  NetBufferListInfoReserved3,
#endif
#if NDIS_SUPPORT_NDIS681
  NetBufferListInfoReserved4,
#endif
#if NDIS_SUPPORT_NDIS682
  NetBufferListInfoReserved1,
  NetBufferListInfoReserved2,
#endif
  MaxNetBufferListInfo
} NDIS_NET_BUFFER_LIST_INFO,
    *PNDIS_NET_BUFFER_LIST_INFO;
