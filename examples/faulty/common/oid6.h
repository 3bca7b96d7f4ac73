// SPDX-License-Identifier: MIT
//
// The attributes of an NDIS 6 virtual card that carries no frames, and its answers to OID requests.
#pragma once

#include <ndis.h>

#define OID6_FRAME 1500
#define OID6_MULTICAST 32
#define OID6_FILTERS                                                                         \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

static const NDIS_OID Oid6Supported[] = {
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_RECEIVE_BUFFER_SPACE,
    OID_GEN_TRANSMIT_BLOCK_SIZE,
    OID_GEN_RECEIVE_BLOCK_SIZE,
    OID_GEN_VENDOR_ID,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
    OID_GEN_XMIT_OK,
    OID_GEN_RCV_OK,
    OID_GEN_STATISTICS,
    OID_GEN_INTERRUPT_MODERATION,
    OID_GEN_LINK_PARAMETERS,
    OID_802_3_MULTICAST_LIST,
};

static NDIS_STATUS Oid6SetAttributes(NDIS_HANDLE Miniport, NDIS_HANDLE Context, UCHAR Number) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
  PNDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES registration = &attributes.RegistrationAttributes;
  PNDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES general = &attributes.GeneralAttributes;
  NDIS_STATUS status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  registration->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
  registration->Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->MiniportAdapterContext = Context;
  registration->AttributeFlags = NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM;
  registration->InterfaceType = NdisInterfaceInternal;
  status = NdisMSetMiniportAttributes(Miniport, &attributes);
  if (status != NDIS_STATUS_SUCCESS) return status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  general->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
  general->Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->MediaType = NdisMedium802_3;
  general->MtuSize = OID6_FRAME;
  general->MaxXmitLinkSpeed = general->XmitLinkSpeed = 1000000000ULL;
  general->MaxRcvLinkSpeed = general->RcvLinkSpeed = 1000000000ULL;
  general->MediaConnectState = MediaConnectStateConnected;
  general->MediaDuplexState = MediaDuplexStateFull;
  general->LookaheadSize = OID6_FRAME;
  general->MacOptions = NDIS_MAC_OPTION_TRANSFERS_NOT_PEND | NDIS_MAC_OPTION_NO_LOOPBACK;
  general->SupportedPacketFilters = OID6_FILTERS;
  general->MaxMulticastListSize = OID6_MULTICAST;
  general->MacAddressLength = ETH_LENGTH_OF_ADDRESS;
  general->PermanentMacAddress[0] = general->CurrentMacAddress[0] = 0x02;
  general->PermanentMacAddress[5] = general->CurrentMacAddress[5] = Number;
  general->AccessType = NET_IF_ACCESS_BROADCAST;
  general->DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
  general->ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general->IfType = IF_TYPE_ETHERNET_CSMACD;
  general->SupportedOidList = (PNDIS_OID)Oid6Supported;
  general->SupportedOidListLength = sizeof(Oid6Supported);
  return NdisMSetMiniportAttributes(Miniport, &attributes);
}

static NDIS_STATUS Oid6Answer(PNDIS_OID_REQUEST Request, const VOID* Data, UINT Length) {
  Request->DATA.QUERY_INFORMATION.BytesNeeded = Length;
  Request->DATA.QUERY_INFORMATION.BytesWritten = 0;
  if (Request->DATA.QUERY_INFORMATION.InformationBufferLength < Length) return NDIS_STATUS_BUFFER_TOO_SHORT;
  NdisMoveMemory(Request->DATA.QUERY_INFORMATION.InformationBuffer, Data, Length);
  Request->DATA.QUERY_INFORMATION.BytesWritten = Length;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Oid6Query(PNDIS_OID_REQUEST Request) {
  static const char Vendor[] = "undis faulty example";
  NDIS_INTERRUPT_MODERATION_PARAMETERS moderation;
  NDIS_STATISTICS_INFO statistics;
  ULONG number = 0;

  switch (Request->DATA.QUERY_INFORMATION.Oid) {
  case OID_GEN_SUPPORTED_LIST:
    return Oid6Answer(Request, Oid6Supported, sizeof(Oid6Supported));
  case OID_GEN_TRANSMIT_BUFFER_SPACE:
  case OID_GEN_RECEIVE_BUFFER_SPACE:
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
    number = 14 + OID6_FRAME;
    break;
  case OID_GEN_VENDOR_ID:
    number = 0x00FFFFFF;  // no vendor
    break;
  case OID_GEN_VENDOR_DESCRIPTION:
    return Oid6Answer(Request, Vendor, sizeof(Vendor));
  case OID_GEN_VENDOR_DRIVER_VERSION:
    number = 0x00010000;
    break;
  case OID_GEN_CURRENT_LOOKAHEAD:
    number = OID6_FRAME;
    break;
  case OID_GEN_CURRENT_PACKET_FILTER:
  case OID_GEN_XMIT_OK:
  case OID_GEN_RCV_OK:
    break;
  case OID_GEN_STATISTICS:
    NdisZeroMemory(&statistics, sizeof(statistics));
    statistics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    statistics.Header.Revision = NDIS_STATISTICS_INFO_REVISION_1;
    statistics.Header.Size = NDIS_SIZEOF_STATISTICS_INFO_REVISION_1;
    return Oid6Answer(Request, &statistics, NDIS_SIZEOF_STATISTICS_INFO_REVISION_1);
  case OID_GEN_INTERRUPT_MODERATION:
    NdisZeroMemory(&moderation, sizeof(moderation));
    moderation.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    moderation.Header.Revision = NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1;
    moderation.Header.Size = NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1;
    moderation.InterruptModeration = NdisInterruptModerationNotSupported;
    return Oid6Answer(Request, &moderation, NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1);
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
  return Oid6Answer(Request, &number, sizeof(number));
}

// No frame is ever received, so it does not matter which ones the filter would let in.
static NDIS_STATUS Oid6Set(PNDIS_OID_REQUEST Request) {
  UINT length = Request->DATA.SET_INFORMATION.InformationBufferLength;

  switch (Request->DATA.SET_INFORMATION.Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
  case OID_GEN_CURRENT_LOOKAHEAD:
    Request->DATA.SET_INFORMATION.BytesNeeded = sizeof(ULONG);
    if (length < sizeof(ULONG)) return NDIS_STATUS_INVALID_LENGTH;
    break;
  case OID_802_3_MULTICAST_LIST:
    if (length % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
    break;
  case OID_GEN_LINK_PARAMETERS:
    break;
  case OID_GEN_INTERRUPT_MODERATION:
    return NDIS_STATUS_INVALID_DATA;
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
  Request->DATA.SET_INFORMATION.BytesRead = length;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Oid6Request(NDIS_HANDLE MiniportAdapterContext, PNDIS_OID_REQUEST OidRequest) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  switch (OidRequest->RequestType) {
  case NdisRequestQueryInformation:
  case NdisRequestQueryStatistics:
    return Oid6Query(OidRequest);
  case NdisRequestSetInformation:
    return Oid6Set(OidRequest);
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

// Every request is answered at once: there is never one to cancel.
static VOID Oid6Cancel(NDIS_HANDLE MiniportAdapterContext, PVOID RequestId) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(RequestId);
}

static VOID Oid6CompleteSends(NDIS_HANDLE Miniport, PNET_BUFFER_LIST Lists, NDIS_STATUS Status,
                              ULONG SendFlags) {
  PNET_BUFFER_LIST list;

  for (list = Lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list))
    NET_BUFFER_LIST_STATUS(list) = Status;
  NdisMSendNetBufferListsComplete(
      Miniport, Lists,
      NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
}
