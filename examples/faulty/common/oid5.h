// SPDX-License-Identifier: MIT
//
// What NDIS and protocols ask of an NDIS 5 Ethernet miniport, answered for a virtual card that carries no
// frames.
#pragma once

#include <ndis.h>

#define OID5_FRAME 1500

static const NDIS_OID Oid5Supported[] = {
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_HARDWARE_STATUS,
    OID_GEN_MEDIA_SUPPORTED,
    OID_GEN_MEDIA_IN_USE,
    OID_GEN_MAXIMUM_LOOKAHEAD,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_MAXIMUM_FRAME_SIZE,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
    OID_GEN_LINK_SPEED,
    OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_RECEIVE_BUFFER_SPACE,
    OID_GEN_TRANSMIT_BLOCK_SIZE,
    OID_GEN_RECEIVE_BLOCK_SIZE,
    OID_GEN_VENDOR_ID,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_DRIVER_VERSION,
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
};

// The number that answers an OID; FALSE: the answer is not a number, or not known.
static BOOLEAN Oid5Number(NDIS_OID Oid, PULONG Number) {
  switch (Oid) {
  case OID_GEN_HARDWARE_STATUS:
    *Number = NdisHardwareStatusReady;
    return TRUE;
  case OID_GEN_MEDIA_SUPPORTED:
  case OID_GEN_MEDIA_IN_USE:
    *Number = NdisMedium802_3;
    return TRUE;
  case OID_GEN_MAXIMUM_LOOKAHEAD:
  case OID_GEN_CURRENT_LOOKAHEAD:
  case OID_GEN_MAXIMUM_FRAME_SIZE:
    *Number = OID5_FRAME;
    return TRUE;
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
  case OID_GEN_TRANSMIT_BUFFER_SPACE:
  case OID_GEN_RECEIVE_BUFFER_SPACE:
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
    *Number = 14 + OID5_FRAME;
    return TRUE;
  case OID_GEN_LINK_SPEED:
    *Number = 10000000;  // in units of 100 bit/s
    return TRUE;
  case OID_GEN_VENDOR_ID:
    *Number = 0x00FFFFFF;  // no vendor
    return TRUE;
  case OID_GEN_VENDOR_DRIVER_VERSION:
    *Number = 0x00010000;
    return TRUE;
  case OID_GEN_MAC_OPTIONS:
    *Number = NDIS_MAC_OPTION_TRANSFERS_NOT_PEND | NDIS_MAC_OPTION_NO_LOOPBACK;
    return TRUE;
  case OID_GEN_MEDIA_CONNECT_STATUS:
    *Number = NdisMediaStateConnected;
    return TRUE;
  case OID_GEN_MAXIMUM_SEND_PACKETS:
  case OID_802_3_MAXIMUM_LIST_SIZE:
    *Number = 32;
    return TRUE;
  case OID_GEN_CURRENT_PACKET_FILTER:
  case OID_GEN_XMIT_OK:
  case OID_GEN_RCV_OK:
  case OID_GEN_XMIT_ERROR:
  case OID_GEN_RCV_ERROR:
  case OID_GEN_RCV_NO_BUFFER:
    *Number = 0;
    return TRUE;
  default:
    return FALSE;
  }
}

static NDIS_STATUS Oid5Query(const UCHAR* Address, NDIS_OID Oid, PVOID Buffer, ULONG BufferLength,
                             PULONG BytesWritten, PULONG BytesNeeded) {
  static const char Vendor[] = "undis faulty example";
  static const USHORT Version = 0x0501;
  const VOID* answer = NULL;
  ULONG length = 0;
  ULONG number;

  *BytesWritten = *BytesNeeded = 0;
  if (Oid5Number(Oid, &number)) {
    answer = &number;
    length = sizeof(number);
  } else if (Oid == OID_GEN_SUPPORTED_LIST) {
    answer = Oid5Supported;
    length = sizeof(Oid5Supported);
  } else if (Oid == OID_GEN_VENDOR_DESCRIPTION) {
    answer = Vendor;
    length = sizeof(Vendor);
  } else if (Oid == OID_GEN_DRIVER_VERSION) {
    answer = &Version;
    length = sizeof(Version);
  } else if (Oid == OID_802_3_PERMANENT_ADDRESS || Oid == OID_802_3_CURRENT_ADDRESS) {
    answer = Address;
    length = ETH_LENGTH_OF_ADDRESS;
  }
  if (answer == NULL) return NDIS_STATUS_NOT_SUPPORTED;
  *BytesNeeded = length;
  if (BufferLength < length) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(Buffer, answer, length);
  *BytesWritten = length;
  return NDIS_STATUS_SUCCESS;
}

// No frame is ever received, so it does not matter which ones the filter would let in.
static NDIS_STATUS Oid5Set(NDIS_OID Oid, ULONG BufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  *BytesRead = *BytesNeeded = 0;
  switch (Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
  case OID_GEN_CURRENT_LOOKAHEAD:
    *BytesNeeded = sizeof(ULONG);
    if (BufferLength < sizeof(ULONG)) return NDIS_STATUS_INVALID_LENGTH;
    break;
  case OID_802_3_MULTICAST_LIST:
    if (BufferLength % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
    break;
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
  *BytesRead = BufferLength;
  return NDIS_STATUS_SUCCESS;
}
