// SPDX-License-Identifier: MIT
//
// nic5hw: the OIDs that every NDIS 5.1 Ethernet miniport answers.
#include "nic5hw.h"

static const NDIS_OID NicSupportedOids[] = {
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

NDIS_STATUS NTAPI NicQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                      PVOID InformationBuffer, ULONG InformationBufferLength,
                                      PULONG BytesWritten, PULONG BytesNeeded) {
  static const char Vendor[] = "undis example card";
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  ULONG number = 0;
  USHORT version = 0x0501;
  const VOID* answer = &number;
  ULONG length = sizeof(number);

  switch (Oid) {
  case OID_GEN_SUPPORTED_LIST:
    answer = NicSupportedOids;
    length = sizeof(NicSupportedOids);
    break;
  case OID_GEN_HARDWARE_STATUS:
    number = NdisHardwareStatusReady;
    break;
  case OID_GEN_MEDIA_SUPPORTED:
  case OID_GEN_MEDIA_IN_USE:
    number = NdisMedium802_3;
    break;
  case OID_GEN_MAXIMUM_LOOKAHEAD:
    number = NIC_FRAME_MAX - NIC_HEADER;
    break;
  case OID_GEN_CURRENT_LOOKAHEAD:
    number = adapter->Lookahead;
    break;
  case OID_GEN_MAXIMUM_FRAME_SIZE:
    number = NIC_MTU;
    break;
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
    number = NIC_HEADER + NIC_MTU;
    break;
  case OID_GEN_LINK_SPEED:
    number = 10000000;  // in units of 100 bit/s: 1 Gbit/s
    break;
  case OID_GEN_TRANSMIT_BUFFER_SPACE:
  case OID_GEN_RECEIVE_BUFFER_SPACE:
    number = NIC_RING * NIC_BUFFER;
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
    number = adapter->PacketFilter;
    break;
  case OID_GEN_MAC_OPTIONS:
    number = NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA | NDIS_MAC_OPTION_TRANSFERS_NOT_PEND |
             NDIS_MAC_OPTION_NO_LOOPBACK;
    break;
  case OID_GEN_MEDIA_CONNECT_STATUS:
    number = adapter->Connected ? NdisMediaStateConnected : NdisMediaStateDisconnected;
    break;
  case OID_GEN_MAXIMUM_SEND_PACKETS:
    number = 1;
    break;
  case OID_GEN_XMIT_OK:
    number = adapter->FramesOut;
    break;
  case OID_GEN_RCV_OK:
    number = adapter->FramesIn;
    break;
  case OID_GEN_XMIT_ERROR:
    number = adapter->ErrorsOut;
    break;
  case OID_GEN_RCV_ERROR:
    number = 0;
    break;
  case OID_GEN_RCV_NO_BUFFER:
    number = NicIn(adapter, NIC_PORT_MISSED);
    break;
  case OID_802_3_PERMANENT_ADDRESS:
    answer = adapter->PermanentAddress;
    length = ETH_LENGTH_OF_ADDRESS;
    break;
  case OID_802_3_CURRENT_ADDRESS:
    answer = adapter->CurrentAddress;
    length = ETH_LENGTH_OF_ADDRESS;
    break;
  case OID_802_3_MAXIMUM_LIST_SIZE:
    number = NIC_MULTICAST_MAX;
    break;
  case OID_802_3_RCV_ERROR_ALIGNMENT:
  case OID_802_3_XMIT_ONE_COLLISION:
  case OID_802_3_XMIT_MORE_COLLISIONS:
    break;  // there is no cable on which it could happen
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }

  *BytesNeeded = length;
  *BytesWritten = 0;
  if (InformationBufferLength < length) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(InformationBuffer, answer, length);
  *BytesWritten = length;
  return NDIS_STATUS_SUCCESS;
}

// The card takes all group addresses while some are wanted; NDIS sorts out the others.
static VOID NicSetFilterOfList(PNIC_ADAPTER Adapter) {
  Adapter->MulticastFilter =
      Adapter->MulticastCount != 0 && (Adapter->PacketFilter & NDIS_PACKET_TYPE_MULTICAST)
          ? NDIS_PACKET_TYPE_ALL_MULTICAST
          : 0;
  NicSetFilter(Adapter);
}

static NDIS_STATUS NicSetMulticast(PNIC_ADAPTER Adapter, PVOID List, ULONG Length, PULONG BytesRead,
                                   PULONG BytesNeeded) {
  *BytesNeeded = Length;
  if (Length % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
  if (Length > sizeof(Adapter->Multicast)) {
    *BytesNeeded = sizeof(Adapter->Multicast);
    return NDIS_STATUS_MULTICAST_FULL;
  }
  NdisMoveMemory(Adapter->Multicast, List, Length);
  Adapter->MulticastCount = Length / ETH_LENGTH_OF_ADDRESS;
  NicSetFilterOfList(Adapter);
  *BytesRead = Length;
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI NicSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  ULONG value;

  *BytesRead = 0;
  if (Oid == OID_802_3_MULTICAST_LIST)
    return NicSetMulticast(adapter, InformationBuffer, InformationBufferLength, BytesRead, BytesNeeded);
  if (Oid != OID_GEN_CURRENT_PACKET_FILTER && Oid != OID_GEN_CURRENT_LOOKAHEAD)
    return NDIS_STATUS_NOT_SUPPORTED;

  *BytesNeeded = sizeof(value);
  if (InformationBufferLength < sizeof(value)) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(&value, InformationBuffer, sizeof(value));
  if (Oid == OID_GEN_CURRENT_PACKET_FILTER && (value & ~(ULONG)NIC_FILTERS) != 0)
    return NDIS_STATUS_NOT_SUPPORTED;
  if (Oid == OID_GEN_CURRENT_PACKET_FILTER)
    adapter->PacketFilter = value;
  else
    adapter->Lookahead = value;
  NicSetFilterOfList(adapter);
  *BytesRead = sizeof(value);
  return NDIS_STATUS_SUCCESS;
}
