// SPDX-License-Identifier: MIT
//
// nic6: OID requests. What NDIS answers from the attributes of the adapter does not come here.
#include "nic6.h"

const NDIS_OID NicSupportedOids[] = {
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_HARDWARE_STATUS,
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
    OID_GEN_XMIT_ERROR,
    OID_GEN_RCV_ERROR,
    OID_GEN_RCV_NO_BUFFER,
    OID_GEN_STATISTICS,
    OID_GEN_INTERRUPT_MODERATION,
    OID_GEN_LINK_PARAMETERS,
    OID_802_3_PERMANENT_ADDRESS,
    OID_802_3_CURRENT_ADDRESS,
    OID_802_3_MULTICAST_LIST,
    OID_802_3_MAXIMUM_LIST_SIZE,
};
const ULONG NicSupportedOidsSize = sizeof(NicSupportedOids);

static NDIS_STATUS NicAnswer(PNDIS_OID_REQUEST Request, const VOID* Data, UINT Length) {
  struct _QUERY* query = &Request->DATA.QUERY_INFORMATION;

  query->BytesWritten = 0;
  query->BytesNeeded = Length;
  if (query->InformationBufferLength < Length) return NDIS_STATUS_BUFFER_TOO_SHORT;
  NdisMoveMemory(query->InformationBuffer, Data, Length);
  query->BytesWritten = Length;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicAnswerUlong(PNDIS_OID_REQUEST Request, ULONG Value) {
  return NicAnswer(Request, &Value, sizeof(Value));
}

// A counter has 64 bits, or 32 where the buffer has no room for more.
static NDIS_STATUS NicAnswerCounter(PNDIS_OID_REQUEST Request, ULONG64 Value) {
  NDIS_STATUS status;

  if (Request->DATA.QUERY_INFORMATION.InformationBufferLength >= sizeof(Value))
    return NicAnswer(Request, &Value, sizeof(Value));
  status = NicAnswerUlong(Request, (ULONG)Value);
  Request->DATA.QUERY_INFORMATION.BytesNeeded = sizeof(Value);
  return status;
}

static ULONG64 NicFrames(const NIC_COUNTERS* Counters) {
  return Counters->Frames[NicUnicast] + Counters->Frames[NicMulticast] + Counters->Frames[NicBroadcast];
}

static ULONG64 NicOctets(const NIC_COUNTERS* Counters) {
  return Counters->Octets[NicUnicast] + Counters->Octets[NicMulticast] + Counters->Octets[NicBroadcast];
}

static NDIS_STATUS NicAnswerStatistics(PNDIS_OID_REQUEST Request, const NIC_COUNTERS* In,
                                       const NIC_COUNTERS* Out) {
  NDIS_STATISTICS_INFO info;

  NdisZeroMemory(&info, sizeof(info));
  info.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  info.Header.Revision = NDIS_STATISTICS_INFO_REVISION_1;
  info.Header.Size = NDIS_SIZEOF_STATISTICS_INFO_REVISION_1;
  info.SupportedStatistics =
      NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV | NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV |
      NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV | NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV |
      NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS | NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR |
      NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT | NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT |
      NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT | NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT |
      NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR | NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS;
  info.ifInDiscards = In->Discards;
  info.ifInErrors = In->Errors;
  info.ifHCInOctets = NicOctets(In);
  info.ifHCInUcastPkts = In->Frames[NicUnicast];
  info.ifHCInMulticastPkts = In->Frames[NicMulticast];
  info.ifHCInBroadcastPkts = In->Frames[NicBroadcast];
  info.ifHCOutOctets = NicOctets(Out);
  info.ifHCOutUcastPkts = Out->Frames[NicUnicast];
  info.ifHCOutMulticastPkts = Out->Frames[NicMulticast];
  info.ifHCOutBroadcastPkts = Out->Frames[NicBroadcast];
  info.ifOutErrors = Out->Errors;
  info.ifOutDiscards = Out->Discards;
  return NicAnswer(Request, &info, NDIS_SIZEOF_STATISTICS_INFO_REVISION_1);
}

static NDIS_STATUS NicAnswerModeration(PNDIS_OID_REQUEST Request) {
  NDIS_INTERRUPT_MODERATION_PARAMETERS moderation;

  NdisZeroMemory(&moderation, sizeof(moderation));
  moderation.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  moderation.Header.Revision = NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1;
  moderation.Header.Size = NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1;
  moderation.InterruptModeration = NdisInterruptModerationNotSupported;
  return NicAnswer(Request, &moderation, NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1);
}

static NDIS_STATUS NicQuery(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  static const char Vendor[] = "undis example card";
  NIC_COUNTERS in, out;
  ULONG filter, lookahead;

  NdisAcquireSpinLock(&Adapter->Lock);
  in = Adapter->Received;
  out = Adapter->Sent;
  filter = Adapter->PacketFilter;
  lookahead = Adapter->Lookahead;
  NdisReleaseSpinLock(&Adapter->Lock);

  switch (Request->DATA.QUERY_INFORMATION.Oid) {
  case OID_GEN_SUPPORTED_LIST:
    return NicAnswer(Request, NicSupportedOids, sizeof(NicSupportedOids));
  case OID_GEN_HARDWARE_STATUS:
    return NicAnswerUlong(Request, NdisHardwareStatusReady);
  case OID_GEN_TRANSMIT_BUFFER_SPACE:
  case OID_GEN_RECEIVE_BUFFER_SPACE:
    return NicAnswerUlong(Request, NIC_RING * NIC_FRAME_MAX);
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
    return NicAnswerUlong(Request, NIC_HEADER + NIC_MTU);
  case OID_GEN_VENDOR_ID:
    return NicAnswerUlong(Request, 0x00FFFFFF);  // no vendor
  case OID_GEN_VENDOR_DESCRIPTION:
    return NicAnswer(Request, Vendor, sizeof(Vendor));
  case OID_GEN_VENDOR_DRIVER_VERSION:
    return NicAnswerUlong(Request, 0x00010000);
  case OID_GEN_CURRENT_PACKET_FILTER:
    return NicAnswerUlong(Request, filter);
  case OID_GEN_CURRENT_LOOKAHEAD:
    return NicAnswerUlong(Request, lookahead);
  case OID_GEN_XMIT_OK:
    return NicAnswerCounter(Request, NicFrames(&out));
  case OID_GEN_RCV_OK:
    return NicAnswerCounter(Request, NicFrames(&in));
  case OID_GEN_XMIT_ERROR:
    return NicAnswerCounter(Request, out.Errors);
  case OID_GEN_RCV_ERROR:
    return NicAnswerCounter(Request, in.Errors);
  case OID_GEN_RCV_NO_BUFFER:
    return NicAnswerCounter(Request, in.Discards);
  case OID_GEN_STATISTICS:
    return NicAnswerStatistics(Request, &in, &out);
  case OID_GEN_INTERRUPT_MODERATION:
    return NicAnswerModeration(Request);
  case OID_802_3_PERMANENT_ADDRESS:
    return NicAnswer(Request, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
  case OID_802_3_CURRENT_ADDRESS:
    return NicAnswer(Request, Adapter->CurrentAddress, ETH_LENGTH_OF_ADDRESS);
  case OID_802_3_MAXIMUM_LIST_SIZE:
    return NicAnswerUlong(Request, NIC_MULTICAST_MAX);
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

static NDIS_STATUS NicSetUlong(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request, PULONG Member,
                               ULONG Allowed) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;
  ULONG value;

  set->BytesNeeded = sizeof(value);
  if (set->InformationBufferLength < sizeof(value)) return NDIS_STATUS_INVALID_LENGTH;
  NdisMoveMemory(&value, set->InformationBuffer, sizeof(value));
  if (value & ~Allowed) return NDIS_STATUS_NOT_SUPPORTED;
  NdisAcquireSpinLock(&Adapter->Lock);
  *Member = value;
  NdisReleaseSpinLock(&Adapter->Lock);
  set->BytesRead = sizeof(value);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicSetMulticast(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;

  set->BytesNeeded = set->InformationBufferLength;
  if (set->InformationBufferLength % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
  if (set->InformationBufferLength > sizeof(Adapter->Multicast)) {
    set->BytesNeeded = sizeof(Adapter->Multicast);
    return NDIS_STATUS_MULTICAST_FULL;
  }
  NdisAcquireSpinLock(&Adapter->Lock);
  NdisMoveMemory(Adapter->Multicast, set->InformationBuffer, set->InformationBufferLength);
  Adapter->MulticastCount = set->InformationBufferLength / ETH_LENGTH_OF_ADDRESS;
  NdisReleaseSpinLock(&Adapter->Lock);
  set->BytesRead = set->InformationBufferLength;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicSet(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;

  set->BytesRead = 0;
  switch (set->Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
    return NicSetUlong(Adapter, Request, &Adapter->PacketFilter, NIC_FILTERS);
  case OID_GEN_CURRENT_LOOKAHEAD:
    return NicSetUlong(Adapter, Request, &Adapter->Lookahead, MAXULONG);
  case OID_802_3_MULTICAST_LIST:
    return NicSetMulticast(Adapter, Request);
  case OID_GEN_INTERRUPT_MODERATION:
    return NDIS_STATUS_INVALID_DATA;  // there is no interrupt to moderate
  case OID_GEN_LINK_PARAMETERS:
    set->BytesRead = set->InformationBufferLength;  // a link without hardware takes any speed
    return NDIS_STATUS_SUCCESS;
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

NDIS_STATUS NicOidRequest(NDIS_HANDLE MiniportAdapterContext, PNDIS_OID_REQUEST OidRequest) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  if (adapter->Gone) return NDIS_STATUS_NOT_ACCEPTED;
  switch (OidRequest->RequestType) {
  case NdisRequestQueryInformation:
  case NdisRequestQueryStatistics:
    return NicQuery(adapter, OidRequest);
  case NdisRequestSetInformation:
    return NicSet(adapter, OidRequest);
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

VOID NicCancelOidRequest(NDIS_HANDLE MiniportAdapterContext, PVOID RequestId) {
  // Every request is answered at once: there is never one to cancel.
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(RequestId);
}
