// SPDX-License-Identifier: MIT
//
// passthru5: packets on their way up, with or without a packet of our own (send.c says why), and lookahead
// indications, whose data those above fetch through us.
#include "passthru5.h"

// In a received packet those above use ProtocolReserved, so what is ours lies in MiniportReserved.
#define PT_RECEIVED_OF(Packet) (*(PNDIS_PACKET*)(Packet)->MiniportReserved)

// A packet of our own that describes the same frame; NULL: there is none left.
static PNDIS_PACKET PtMakeReceivePacket(PPT_ADAPTER Adapter, PNDIS_PACKET Original, NDIS_STATUS OwnStatus) {
  PNDIS_PACKET packet;
  NDIS_STATUS status;

  NdisAllocatePacket(&status, &packet, Adapter->ReceivePool);
  if (status != NDIS_STATUS_SUCCESS) return NULL;
  PT_RECEIVED_OF(packet) = Original;
  packet->Private.Head = NDIS_PACKET_FIRST_NDIS_BUFFER(Original);
  packet->Private.Tail = NDIS_PACKET_LAST_NDIS_BUFFER(Original);
  NdisRecalculatePacketCounts(packet);
  NdisSetPacketFlags(packet, NdisGetPacketFlags(Original));
  NDIS_SET_ORIGINAL_PACKET(packet, NDIS_GET_ORIGINAL_PACKET(Original));
  NDIS_SET_PACKET_HEADER_SIZE(packet, NDIS_GET_PACKET_HEADER_SIZE(Original));
  NDIS_SET_PACKET_TIME_RECEIVED(packet, NDIS_GET_PACKET_TIME_RECEIVED(Original));
  NDIS_SET_PACKET_STATUS(packet, OwnStatus);
  return packet;
}

// NDIS wants these calls at DISPATCH_LEVEL; we are called at whatever level the card below chose.
static VOID PtIndicate(PPT_ADAPTER Adapter, PNDIS_PACKET Packet) {
  KIRQL before;

  NDIS_RAISE_IRQL_TO_DISPATCH(&before);
  NdisMIndicateReceivePacket(Adapter->Miniport, &Packet, 1);
  NDIS_LOWER_IRQL(before, DISPATCH_LEVEL);
}

INT NTAPI PtReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  NDIS_STATUS status = NDIS_GET_PACKET_STATUS(Packet);
  PNDIS_PACKET packet = Packet;
  BOOLEAN remaining;

  if (!PtBeginUse(adapter, TRUE)) return 0;
  NdisIMGetCurrentPacketStack(Packet, &remaining);
  if (!remaining) packet = PtMakeReceivePacket(adapter, Packet, status);
  if (packet == NULL) {
    PtEndUse(adapter);
    return 0;  // the frame is lost, as on any crowded wire
  }
  PtIndicate(adapter, packet);
  if (status == NDIS_STATUS_RESOURCES) {
    // Those above have copied it: it is ours again with the call, and goes back with the return value.
    if (packet != Packet) NdisFreePacket(packet);
    PtEndUse(adapter);
    return 0;
  }
  return 1;  // PtReturnPacket, which may already have run, gives it back
}

VOID NTAPI PtReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  PNDIS_PACKET original = Packet;

  if (NdisGetPoolFromPacket(Packet) == adapter->ReceivePool) {
    original = PT_RECEIVED_OF(Packet);
    NdisFreePacket(Packet);
  }
  NdisReturnPackets(&original, 1);
  PtEndUse(adapter);
}

// ---- lookahead ----

NDIS_STATUS NTAPI PtReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                            PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                            UINT LookaheadBufferSize, UINT PacketSize) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  PNDIS_PACKET received, packet = NULL;

  if (HeaderBufferSize != PT_HEADER) return NDIS_STATUS_NOT_ACCEPTED;
  if (!PtBeginUse(adapter, TRUE)) return NDIS_STATUS_NOT_ACCEPTED;

  // If the frame lies in a packet, those above get a packet, which they have to copy before the call returns.
  received = NdisGetReceivedPacket(adapter->Binding, MacReceiveContext);
  if (received != NULL) packet = PtMakeReceivePacket(adapter, received, NDIS_STATUS_RESOURCES);
  if (packet != NULL) {
    PtIndicate(adapter, packet);
    NdisFreePacket(packet);
  } else {
    InterlockedExchange(&adapter->LookaheadIndicated, TRUE);
    NdisMEthIndicateReceive(adapter->Miniport, MacReceiveContext, HeaderBuffer, HeaderBufferSize,
                            LookAheadBuffer, LookaheadBufferSize, PacketSize);
  }
  PtEndUse(adapter);
  return NDIS_STATUS_SUCCESS;
}

VOID NTAPI PtReceiveComplete(NDIS_HANDLE ProtocolBindingContext) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  KIRQL before;

  if (!InterlockedExchange(&adapter->LookaheadIndicated, FALSE) || !PtBeginUse(adapter, FALSE)) return;
  NDIS_RAISE_IRQL_TO_DISPATCH(&before);
  NdisMEthIndicateReceiveComplete(adapter->Miniport);
  NDIS_LOWER_IRQL(before, DISPATCH_LEVEL);
  PtEndUse(adapter);
}

NDIS_STATUS NTAPI PtTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                 NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                 UINT ByteOffset, UINT BytesToTransfer) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  NDIS_STATUS status;

  // The context is that of the adapter below, which PtReceive handed up.
  if (!PtBeginUse(adapter, FALSE)) return NDIS_STATUS_FAILURE;
  NdisTransferData(&status, adapter->Binding, MiniportReceiveContext, ByteOffset, BytesToTransfer, Packet,
                   BytesTransferred);
  if (status != NDIS_STATUS_PENDING) PtEndUse(adapter);
  return status;
}

VOID NTAPI PtTransferDataComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status,
                                  UINT BytesTransferred) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  NdisMTransferDataComplete(adapter->Miniport, Packet, Status, BytesTransferred);
  PtEndUse(adapter);
}
