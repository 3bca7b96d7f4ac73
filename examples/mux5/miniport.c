// SPDX-License-Identifier: MIT
//
// mux5: the virtual miniports, as far as they are not data. Each answers its OID requests itself: the
// adapters below are promiscuous, and which frames go where is decided here.
#include "mux5.h"

#define MUX_FILTERS                                                                          \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

// ---- life ----

NDIS_STATUS NTAPI MuxInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext) {
  PMUX_MINIPORT miniport = NdisIMGetDeviceContext(MiniportAdapterHandle);
  UINT medium = 0;
  BOOLEAN found;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  UNREFERENCED_PARAMETER(WrapperConfigurationContext);
  while (medium < MediumArraySize && MediumArray[medium] != NdisMedium802_3) medium++;
  found = (BOOLEAN)(medium < MediumArraySize);
  if (found) {
    *SelectedMediumIndex = medium;
    NdisMSetAttributesEx(MiniportAdapterHandle, miniport, 0,
                         NDIS_ATTRIBUTE_IGNORE_PACKET_TIMEOUT | NDIS_ATTRIBUTE_IGNORE_REQUEST_TIMEOUT |
                             NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER | NDIS_ATTRIBUTE_DESERIALIZE |
                             NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND,
                         NdisInterfaceInternal);
  }

  NdisAcquireSpinLock(&Mux.Lock);
  miniport->InitializePending = FALSE;
  miniport->Miniport = found ? MiniportAdapterHandle : NULL;
  miniport->Up = found;
  NdisReleaseSpinLock(&Mux.Lock);
  NdisSetEvent(&miniport->Initialized);
  return found ? NDIS_STATUS_SUCCESS : NDIS_STATUS_UNSUPPORTED_MEDIA;
}

VOID NTAPI MuxHalt(NDIS_HANDLE MiniportAdapterContext) {
  PMUX_MINIPORT miniport = MiniportAdapterContext;
  BOOLEAN used;

  NdisAcquireSpinLock(&Mux.Lock);
  miniport->Up = FALSE;  // from here nothing begins its way up
  used = (BOOLEAN)(miniport->Users != 0);
  NdisReleaseSpinLock(&Mux.Lock);
  if (used) NdisWaitEvent(&miniport->NoUsers, 0);

  NdisAcquireSpinLock(&Mux.Lock);
  miniport->Miniport = NULL;
  miniport->PacketFilter = 0;
  NdisReleaseSpinLock(&Mux.Lock);
  NdisSetEvent(&miniport->Halted);  // last: MuxDetachAll may free the miniport now
}

VOID NTAPI MuxShutdown(PVOID ShutdownContext) {
  UNREFERENCED_PARAMETER(ShutdownContext);
}

VOID NTAPI MuxDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                             PVOID InformationBuffer, ULONG InformationBufferLength) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(PnPEvent);
  UNREFERENCED_PARAMETER(InformationBuffer);
  UNREFERENCED_PARAMETER(InformationBufferLength);
}

// ---- which frames ----

BOOLEAN MuxAccepts(PMUX_MINIPORT Miniport, const UCHAR* Destination) {
  BOOLEAN wanted = FALSE;
  ULONG i;

  NdisAcquireSpinLock(&Mux.Lock);
  if (Miniport->PacketFilter & NDIS_PACKET_TYPE_PROMISCUOUS) {
    wanted = TRUE;
  } else if (ETH_IS_BROADCAST(Destination)) {
    wanted = (Miniport->PacketFilter & NDIS_PACKET_TYPE_BROADCAST) != 0;
  } else if (!ETH_IS_MULTICAST(Destination)) {
    wanted = (Miniport->PacketFilter & NDIS_PACKET_TYPE_DIRECTED) != 0 &&
             NdisEqualMemory(Miniport->Address, Destination, ETH_LENGTH_OF_ADDRESS);
  } else if (Miniport->PacketFilter & NDIS_PACKET_TYPE_ALL_MULTICAST) {
    wanted = TRUE;
  } else if (Miniport->PacketFilter & NDIS_PACKET_TYPE_MULTICAST) {
    for (i = 0; i < Miniport->MulticastCount && !wanted; i++)
      wanted = NdisEqualMemory(Miniport->Multicast[i], Destination, ETH_LENGTH_OF_ADDRESS) != 0;
  }
  if (wanted) Miniport->Received++;
  NdisReleaseSpinLock(&Mux.Lock);
  return wanted;
}

// ---- OID requests ----

static const NDIS_OID MuxSupportedOids[] = {
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_HARDWARE_STATUS,
    OID_GEN_MEDIA_SUPPORTED,
    OID_GEN_MEDIA_IN_USE,
    OID_GEN_MAXIMUM_LOOKAHEAD,
    OID_GEN_MAXIMUM_FRAME_SIZE,
    OID_GEN_LINK_SPEED,
    OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_RECEIVE_BUFFER_SPACE,
    OID_GEN_TRANSMIT_BLOCK_SIZE,
    OID_GEN_RECEIVE_BLOCK_SIZE,
    OID_GEN_VENDOR_ID,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_DRIVER_VERSION,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
    OID_GEN_MAC_OPTIONS,
    OID_GEN_MEDIA_CONNECT_STATUS,
    OID_GEN_MAXIMUM_SEND_PACKETS,
    OID_GEN_XMIT_OK,
    OID_GEN_RCV_OK,
    OID_GEN_XMIT_ERROR,
    OID_GEN_RCV_ERROR,
    OID_GEN_RCV_NO_BUFFER,
    OID_802_3_PERMANENT_ADDRESS,
    OID_802_3_CURRENT_ADDRESS,
    OID_802_3_MULTICAST_LIST,
    OID_802_3_MAXIMUM_LIST_SIZE,
    OID_802_3_RCV_ERROR_ALIGNMENT,
    OID_802_3_XMIT_ONE_COLLISION,
    OID_802_3_XMIT_MORE_COLLISIONS,
};

NDIS_STATUS NTAPI MuxQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                      PVOID InformationBuffer, ULONG InformationBufferLength,
                                      PULONG BytesWritten, PULONG BytesNeeded) {
  static const char Vendor[] = "undis example multiplexer";
  PMUX_MINIPORT miniport = MiniportAdapterContext;
  ULONG filter, lookahead, sent, received;
  ULONG number = 0;
  USHORT version = 0x0501;
  const VOID* answer = &number;
  ULONG length = sizeof(number);

  NdisAcquireSpinLock(&Mux.Lock);
  filter = miniport->PacketFilter;
  lookahead = miniport->Lookahead;
  sent = miniport->Sent;
  received = miniport->Received;
  NdisReleaseSpinLock(&Mux.Lock);

  *BytesWritten = 0;
  switch (Oid) {
  case OID_PNP_QUERY_POWER:
    *BytesNeeded = 0;
    return NDIS_STATUS_SUCCESS;
  case OID_GEN_SUPPORTED_LIST:
    answer = MuxSupportedOids;
    length = sizeof(MuxSupportedOids);
    break;
  case OID_GEN_HARDWARE_STATUS:
    number = NdisHardwareStatusReady;
    break;
  case OID_GEN_MEDIA_SUPPORTED:
  case OID_GEN_MEDIA_IN_USE:
    number = NdisMedium802_3;
    break;
  case OID_GEN_MAXIMUM_LOOKAHEAD:
  case OID_GEN_MAXIMUM_FRAME_SIZE:
    number = miniport->FrameSize;
    break;
  case OID_GEN_CURRENT_LOOKAHEAD:
    number = lookahead;
    break;
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
    number = MUX_HEADER + miniport->FrameSize;
    break;
  case OID_GEN_TRANSMIT_BUFFER_SPACE:
  case OID_GEN_RECEIVE_BUFFER_SPACE:
    number = MUX_PACKETS * (MUX_HEADER + miniport->FrameSize);
    break;
  case OID_GEN_LINK_SPEED:
    number = miniport->LinkSpeed;
    break;
  case OID_GEN_VENDOR_ID:
    number = 0x00FFFFFF;  // no vendor
    break;
  case OID_GEN_VENDOR_DESCRIPTION:
    answer = Vendor;
    length = sizeof(Vendor);
    break;
  case OID_GEN_VENDOR_DRIVER_VERSION:
    number = 0x00010000;
    break;
  case OID_GEN_DRIVER_VERSION:
    answer = &version;
    length = sizeof(version);
    break;
  case OID_GEN_CURRENT_PACKET_FILTER:
    number = filter;
    break;
  case OID_GEN_MAC_OPTIONS:
    number = NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA | NDIS_MAC_OPTION_NO_LOOPBACK;
    break;
  case OID_GEN_MEDIA_CONNECT_STATUS:
    number = NdisMediaStateConnected;
    break;
  case OID_GEN_MAXIMUM_SEND_PACKETS:
    number = MUX_PACKETS;
    break;
  case OID_GEN_XMIT_OK:
    number = sent;
    break;
  case OID_GEN_RCV_OK:
    number = received;
    break;
  case OID_802_3_PERMANENT_ADDRESS:
  case OID_802_3_CURRENT_ADDRESS:
    answer = miniport->Address;
    length = ETH_LENGTH_OF_ADDRESS;
    break;
  case OID_802_3_MAXIMUM_LIST_SIZE:
    number = MUX_MULTICAST_MAX;
    break;
  case OID_GEN_XMIT_ERROR:
  case OID_GEN_RCV_ERROR:
  case OID_GEN_RCV_NO_BUFFER:
  case OID_802_3_RCV_ERROR_ALIGNMENT:
  case OID_802_3_XMIT_ONE_COLLISION:
  case OID_802_3_XMIT_MORE_COLLISIONS:
    break;  // what goes wrong below is counted below
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }

  *BytesNeeded = length;
  if (InformationBufferLength < length) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(InformationBuffer, answer, length);
  *BytesWritten = length;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS MuxSetMulticast(PMUX_MINIPORT Miniport, PVOID List, ULONG Length, PULONG BytesRead,
                                   PULONG BytesNeeded) {
  *BytesNeeded = Length;
  if (Length % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
  if (Length > sizeof(Miniport->Multicast)) {
    *BytesNeeded = sizeof(Miniport->Multicast);
    return NDIS_STATUS_MULTICAST_FULL;
  }
  NdisAcquireSpinLock(&Mux.Lock);
  NdisMoveMemory(Miniport->Multicast, List, Length);
  Miniport->MulticastCount = Length / ETH_LENGTH_OF_ADDRESS;
  NdisReleaseSpinLock(&Mux.Lock);
  *BytesRead = Length;
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI MuxSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  PMUX_MINIPORT miniport = MiniportAdapterContext;
  ULONG value;

  *BytesRead = 0;
  if (Oid == OID_802_3_MULTICAST_LIST)
    return MuxSetMulticast(miniport, InformationBuffer, InformationBufferLength, BytesRead, BytesNeeded);
  if (Oid == OID_PNP_SET_POWER) {
    *BytesRead = InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  }
  if (Oid != OID_GEN_CURRENT_PACKET_FILTER && Oid != OID_GEN_CURRENT_LOOKAHEAD)
    return NDIS_STATUS_NOT_SUPPORTED;

  *BytesNeeded = sizeof(value);
  if (InformationBufferLength < sizeof(value)) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(&value, InformationBuffer, sizeof(value));
  if (Oid == OID_GEN_CURRENT_PACKET_FILTER && (value & ~(ULONG)MUX_FILTERS) != 0)
    return NDIS_STATUS_NOT_SUPPORTED;
  NdisAcquireSpinLock(&Mux.Lock);
  if (Oid == OID_GEN_CURRENT_PACKET_FILTER)
    miniport->PacketFilter = value;
  else
    miniport->Lookahead = value;
  NdisReleaseSpinLock(&Mux.Lock);
  *BytesRead = sizeof(value);
  return NDIS_STATUS_SUCCESS;
}
