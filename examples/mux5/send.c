// SPDX-License-Identifier: MIT
//
// mux5: packets on their way down. Which miniport a completion is for lies in a packet of our own, which
// carries the same buffers.
#include "mux5.h"

C_ASSERT(sizeof(MUX_SEND) <= PROTOCOL_RESERVED_SIZE_IN_PACKET);

// NULL: there is none left.
static PNDIS_PACKET MuxMakeSendPacket(PMUX_MINIPORT Miniport, PNDIS_PACKET Original) {
  PNDIS_PACKET packet;
  NDIS_STATUS status;
  PVOID information;
  UINT size;

  NdisAllocatePacket(&status, &packet, Miniport->SendPool);
  if (status != NDIS_STATUS_SUCCESS) return NULL;
  MUX_SEND_OF(packet)->Original = Original;
  MUX_SEND_OF(packet)->Miniport = Miniport;
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

static VOID MuxFinishSend(PMUX_BINDING Binding, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  PMUX_MINIPORT miniport = MUX_SEND_OF(Packet)->Miniport;
  PNDIS_PACKET original = MUX_SEND_OF(Packet)->Original;

  NdisIMCopySendCompletePerPacketInfo(original, Packet);
  NdisFreePacket(Packet);
  // The miniport stays up until the last of its sends is complete: NDIS waits for them before it halts it.
  NdisMSendComplete(miniport->Miniport, original, Status);
  MuxEndBindingUse(Binding);
}

static VOID MuxSendOne(PMUX_MINIPORT Miniport, PNDIS_PACKET Original) {
  PMUX_BINDING binding = MuxTakeNextLower(Miniport);
  PNDIS_PACKET packet;
  NDIS_STATUS status;

  if (binding == NULL) {
    NdisMSendComplete(Miniport->Miniport, Original, NDIS_STATUS_FAILURE);
    return;
  }
  packet = MuxMakeSendPacket(Miniport, Original);
  if (packet == NULL) {
    NdisMSendComplete(Miniport->Miniport, Original, NDIS_STATUS_RESOURCES);
    MuxEndBindingUse(binding);
    return;
  }
  InterlockedIncrement((LONG*)&Miniport->Sent);
  NdisSend(&status, binding->Handle, packet);
  if (status != NDIS_STATUS_PENDING) MuxFinishSend(binding, packet, status);
}

VOID NTAPI MuxSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                          UINT NumberOfPackets) {
  UINT i;

  for (i = 0; i < NumberOfPackets; i++) MuxSendOne(MiniportAdapterContext, PacketArray[i]);
}

VOID NTAPI MuxSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  MuxFinishSend(ProtocolBindingContext, Packet, Status);
}

VOID NTAPI MuxCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  PMUX_BINDING lowers[MUX_LOWER_MAX];
  ULONG count = MuxTakeLowers(MiniportAdapterContext, lowers), i;

  // Nothing waits here; but it may below, and our packets carry the same id.
  for (i = 0; i < count; i++) {
    NdisCancelSendPackets(lowers[i]->Handle, CancelId);
    MuxEndBindingUse(lowers[i]);
  }
}
