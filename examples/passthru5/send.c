// SPDX-License-Identifier: MIT
//
// passthru5: packets on their way down. NDIS gives a packet a stack location for each of a few intermediate
// drivers; as long as one is left, the packet itself goes on. Otherwise a packet of our own carries the same
// buffers.
#include "passthru5.h"

#define PT_ORIGINAL_OF(Packet) (*(PNDIS_PACKET*)(Packet)->ProtocolReserved)

static VOID PtFinishSend(PPT_ADAPTER Adapter, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  PNDIS_PACKET original = Packet;

  if (NdisGetPoolFromPacket(Packet) == Adapter->SendPool) {
    original = PT_ORIGINAL_OF(Packet);
    NdisIMCopySendCompletePerPacketInfo(original, Packet);
    NdisFreePacket(Packet);
  }
  NdisMSendComplete(Adapter->Miniport, original, Status);
}

// A packet of our own that describes the same frame; NULL: there is none left.
static PNDIS_PACKET PtMakeSendPacket(PPT_ADAPTER Adapter, PNDIS_PACKET Original) {
  PNDIS_PACKET packet;
  NDIS_STATUS status;
  PVOID information;
  UINT size;

  NdisAllocatePacket(&status, &packet, Adapter->SendPool);
  if (status != NDIS_STATUS_SUCCESS) return NULL;
  PT_ORIGINAL_OF(packet) = Original;
  packet->Private.Head = NDIS_PACKET_FIRST_NDIS_BUFFER(Original);
  packet->Private.Tail = NDIS_PACKET_LAST_NDIS_BUFFER(Original);
  NdisRecalculatePacketCounts(packet);
  NdisSetPacketFlags(packet, NdisGetPacketFlags(Original));
  NdisMoveMemory(NDIS_OOB_DATA_FROM_PACKET(packet), NDIS_OOB_DATA_FROM_PACKET(Original),
                 sizeof(NDIS_PACKET_OOB_DATA));
  NdisIMCopySendPerPacketInfo(packet, Original);
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(Original, &information, &size);
  if (information != NULL || size != 0) NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(packet, information, size);
  return packet;
}

static VOID PtSendOne(PPT_ADAPTER Adapter, PNDIS_PACKET Original) {
  PNDIS_PACKET packet = Original;
  NDIS_STATUS status;
  BOOLEAN remaining;

  NdisIMGetCurrentPacketStack(Original, &remaining);
  if (!remaining) packet = PtMakeSendPacket(Adapter, Original);
  if (packet == NULL) {
    NdisMSendComplete(Adapter->Miniport, Original, NDIS_STATUS_RESOURCES);
    return;
  }
  NdisSend(&status, Adapter->Binding, packet);
  if (status != NDIS_STATUS_PENDING) PtFinishSend(Adapter, packet, status);
}

// Each packet is completed by NdisMSendComplete: a deserialized miniport says nothing in the packet.
VOID NTAPI PtSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                         UINT NumberOfPackets) {
  UINT i;

  for (i = 0; i < NumberOfPackets; i++) PtSendOne(MiniportAdapterContext, PacketArray[i]);
}

VOID NTAPI PtSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  PtFinishSend(ProtocolBindingContext, Packet, Status);
}

VOID NTAPI PtCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  PPT_ADAPTER adapter = MiniportAdapterContext;

  // Nothing waits here; but it may below, and our packets carry the same id.
  NdisCancelSendPackets(adapter->Binding, CancelId);
}
