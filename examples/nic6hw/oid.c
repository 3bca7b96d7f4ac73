// SPDX-License-Identifier: MIT
//
// nic6hw: OID requests. What NDIS answers from the attributes of the adapter does not come here.
#include "nic6hw.h"

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
    OID_GEN_RECEIVE_SCALE_PARAMETERS,
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

static NDIS_STATUS NicAnswerStatistics(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  NDIS_STATISTICS_INFO info;

  NdisZeroMemory(&info, sizeof(info));
  info.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  info.Header.Revision = NDIS_STATISTICS_INFO_REVISION_1;
  info.Header.Size = NDIS_SIZEOF_STATISTICS_INFO_REVISION_1;
  info.SupportedStatistics =
      NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS | NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR;
  info.ifInDiscards = NicRead(Adapter, NIC_REG_MISSED);
  NdisAcquireSpinLock(&Adapter->Lock);
  info.ifOutErrors = Adapter->ErrorsOut;
  NdisReleaseSpinLock(&Adapter->Lock);
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
  ULONG64 in, out, errors;
  ULONG filter, lookahead;

  NdisAcquireSpinLock(&Adapter->Lock);
  in = Adapter->FramesIn;
  out = Adapter->FramesOut;
  errors = Adapter->ErrorsOut;
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
    return NicAnswerUlong(Request, NIC_RING * NIC_BUFFER);
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
    return NicAnswerCounter(Request, out);
  case OID_GEN_RCV_OK:
    return NicAnswerCounter(Request, in);
  case OID_GEN_XMIT_ERROR:
    return NicAnswerCounter(Request, errors);
  case OID_GEN_RCV_ERROR:
    return NicAnswerCounter(Request, 0);
  case OID_GEN_RCV_NO_BUFFER:
    return NicAnswerCounter(Request, NicRead(Adapter, NIC_REG_MISSED));
  case OID_GEN_STATISTICS:
    return NicAnswerStatistics(Adapter, Request);
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

static NDIS_STATUS NicSetFilter(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  NDIS_STATUS status = NicSetUlong(Adapter, Request, &Adapter->PacketFilter, NIC_FILTERS);

  if (status == NDIS_STATUS_SUCCESS) NicWrite(Adapter, NIC_REG_FILTER, Adapter->PacketFilter);
  return status;
}

static NDIS_STATUS NicSetMulticast(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;
  const UCHAR* address = set->InformationBuffer;
  ULONG count = set->InformationBufferLength / ETH_LENGTH_OF_ADDRESS;
  ULONG i;

  set->BytesNeeded = set->InformationBufferLength;
  if (set->InformationBufferLength % ETH_LENGTH_OF_ADDRESS != 0) return NDIS_STATUS_INVALID_LENGTH;
  if (count > NIC_MULTICAST_MAX) {
    set->BytesNeeded = NIC_MULTICAST_MAX * ETH_LENGTH_OF_ADDRESS;
    return NDIS_STATUS_MULTICAST_FULL;
  }
  for (i = 0; i < NIC_MULTICAST_MAX; i++, address += ETH_LENGTH_OF_ADDRESS) {
    ULONG low = 0, high = 0;
    if (i < count) {
      NdisMoveMemory(&low, address, 4);
      NdisMoveMemory(&high, address + 4, 2);
      high |= NIC_MULTICAST_USED;
    }
    NicWrite(Adapter, NIC_REG_MULTICAST(i), low);
    NicWrite(Adapter, NIC_REG_MULTICAST(i) + 4, high);
  }
  set->BytesRead = set->InformationBufferLength;
  return NDIS_STATUS_SUCCESS;
}

// The hash types as the card has them: bit 0 switches scaling on, the types follow.
static ULONG NicRssControl(ULONG HashTypes) {
  return HashTypes == 0
             ? 0
             : 1u | ((HashTypes & NDIS_HASH_IPV4) ? 2u : 0u) | ((HashTypes & NDIS_HASH_TCP_IPV4) ? 4u : 0u) |
                   ((HashTypes & NDIS_HASH_IPV6) ? 8u : 0u) | ((HashTypes & NDIS_HASH_TCP_IPV6) ? 16u : 0u);
}

// The table has processors. Each gets a queue, the first four their own.
static ULONG NicQueueFor(PNIC_ADAPTER Adapter, ULONG Processor, PULONG Used) {
  ULONG q;

  for (q = 0; q < *Used; q++)
    if (Adapter->Queues[q].Processor == Processor) return q;
  if (*Used == NIC_QUEUES) return Processor % NIC_QUEUES;
  Adapter->Queues[*Used].Processor = Processor;
  return (*Used)++;
}

static NDIS_STATUS NicSetScaling(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;
  PNDIS_RECEIVE_SCALE_PARAMETERS p = set->InformationBuffer;
  PUCHAR base = set->InformationBuffer;
  ULONG types, used = 0, entries, entry, i;

  set->BytesNeeded = NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2;
  if (!Adapter->Messages) return NDIS_STATUS_NOT_SUPPORTED;
  if (set->InformationBufferLength < NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2)
    return NDIS_STATUS_INVALID_LENGTH;
  if ((p->Flags & NDIS_RSS_PARAM_FLAG_DISABLE_RSS) != 0 || p->HashInformation == 0) {
    Adapter->RssHash = 0;
    NicWrite(Adapter, NIC_REG_RSS_CONTROL, 0);
    set->BytesRead = set->InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  }
  entries = p->IndirectionTableSize / sizeof(PROCESSOR_NUMBER);
  if (entries == 0 || entries > NIC_RSS_TABLE || (entries & (entries - 1)) != 0 ||
      (ULONG64)p->IndirectionTableOffset + p->IndirectionTableSize > set->InformationBufferLength ||
      p->HashSecretKeySize != 40 || (ULONG64)p->HashSecretKeyOffset + 40 > set->InformationBufferLength)
    return NDIS_STATUS_INVALID_PARAMETER;
  types = NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(p->HashInformation);

  for (i = 0; i < 40; i += 4) {
    ULONG word;
    NdisMoveMemory(&word, base + p->HashSecretKeyOffset + i, 4);
    NicWrite(Adapter, NIC_REG_RSS_KEY + i, word);
  }
  // A table shorter than the card's is repeated in it: the card takes more bits of the hash.
  for (i = 0; i < NIC_RSS_TABLE; i += 4) {
    ULONG word = 0;
    for (entry = 0; entry < 4; entry++) {
      PROCESSOR_NUMBER processor;
      NdisMoveMemory(&processor, base + p->IndirectionTableOffset + (i + entry) % entries * sizeof(processor),
                     sizeof(processor));
      word |= NicQueueFor(Adapter, processor.Number, &used) << (8 * entry);
    }
    NicWrite(Adapter, NIC_REG_RSS_TABLE + i, word);
  }
  Adapter->RssHash = types;
  NicWrite(Adapter, NIC_REG_RSS_CONTROL, NicRssControl(types));
  set->BytesRead = set->InformationBufferLength;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicSet(PNIC_ADAPTER Adapter, PNDIS_OID_REQUEST Request) {
  struct _SET* set = &Request->DATA.SET_INFORMATION;

  set->BytesRead = 0;
  switch (set->Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
    return NicSetFilter(Adapter, Request);
  case OID_GEN_CURRENT_LOOKAHEAD:
    return NicSetUlong(Adapter, Request, &Adapter->Lookahead, MAXULONG);
  case OID_802_3_MULTICAST_LIST:
    return NicSetMulticast(Adapter, Request);
  case OID_GEN_RECEIVE_SCALE_PARAMETERS:
    return NicSetScaling(Adapter, Request);
  case OID_GEN_INTERRUPT_MODERATION:
    return NDIS_STATUS_INVALID_DATA;  // the card cannot
  case OID_GEN_LINK_PARAMETERS:
    set->BytesRead = set->InformationBufferLength;  // the wire has one speed
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
