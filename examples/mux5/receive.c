// SPDX-License-Identifier: MIT
//
// mux5: packets on their way up, one of our own for each virtual miniport that wants the frame; and lookahead
// indications, whose data those above fetch through us.
#include "mux5.h"

// What those above hand back as the context of a lookahead indication: it is valid while that runs.
typedef struct _MUX_LOOKAHEAD {
  PMUX_BINDING Binding;
  NDIS_HANDLE Context;  // of the adapter below
} MUX_LOOKAHEAD, *PMUX_LOOKAHEAD;

// A packet of our own that describes the same frame; NULL: there is none left.
static PNDIS_PACKET MuxMakeReceivePacket(PMUX_MINIPORT Miniport, PNDIS_PACKET Original,
                                         NDIS_STATUS OwnStatus) {
  PNDIS_PACKET packet;
  NDIS_STATUS status;

  NdisAllocatePacket(&status, &packet, Miniport->ReceivePool);
  if (status != NDIS_STATUS_SUCCESS) return NULL;
  MUX_RECEIVED_OF(packet) = Original;
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
static VOID MuxIndicate(PMUX_MINIPORT Miniport, PNDIS_PACKET Packet) {
  KIRQL before;

  NDIS_RAISE_IRQL_TO_DISPATCH(&before);
  NdisMIndicateReceivePacket(Miniport->Miniport, &Packet, 1);
  NDIS_LOWER_IRQL(before, DISPATCH_LEVEL);
}

// The address that a frame is for; NULL: it cannot be read now, or is no frame.
static const UCHAR* MuxDestinationOf(PNDIS_PACKET Packet) {
  PNDIS_BUFFER buffer;
  PVOID data = NULL;
  UINT length = 0, total;

  NdisGetFirstBufferFromPacketSafe(Packet, &buffer, &data, &length, &total, NormalPagePriority);
  return data != NULL && length >= ETH_LENGTH_OF_ADDRESS ? data : NULL;
}

// Shows the packet to each miniport that wants it. Returns how many have it until MuxReturnPacket; with
// `Status` NDIS_STATUS_RESOURCES none has.
static INT MuxShow(PMUX_BINDING Binding, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  PMUX_MINIPORT uppers[MUX_UPPER_MAX];
  const UCHAR* destination = MuxDestinationOf(Packet);
  ULONG count = MuxTakeUppers(Binding, uppers), i;
  INT held = 0;

  for (i = 0; i < count; i++) {
    PNDIS_PACKET packet = NULL;
    if (destination != NULL && MuxAccepts(uppers[i], destination))
      packet = MuxMakeReceivePacket(uppers[i], Packet, Status);
    if (packet != NULL) {
      MuxIndicate(uppers[i], packet);
      if (Status != NDIS_STATUS_RESOURCES) {
        held++;  // MuxReturnPacket, which may already have run, ends the use
        continue;
      }
      NdisFreePacket(packet);  // those above have copied it
    }
    MuxEndUse(uppers[i]);
  }
  return held;
}

INT NTAPI MuxReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet) {
  return MuxShow(ProtocolBindingContext, Packet, NDIS_GET_PACKET_STATUS(Packet));
}

VOID NTAPI MuxReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet) {
  PNDIS_PACKET original = MUX_RECEIVED_OF(Packet);

  NdisFreePacket(Packet);
  NdisReturnPackets(&original, 1);
  MuxEndUse(MiniportAdapterContext);
}

// ---- lookahead ----

NDIS_STATUS NTAPI MuxReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                             PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                             UINT LookaheadBufferSize, UINT PacketSize) {
  PMUX_BINDING binding = ProtocolBindingContext;
  PMUX_MINIPORT uppers[MUX_UPPER_MAX];
  MUX_LOOKAHEAD context;
  PNDIS_PACKET received;
  ULONG count, i;

  if (HeaderBufferSize != MUX_HEADER) return NDIS_STATUS_NOT_ACCEPTED;

  // If the frame lies in a packet, those above get packets, which they have to copy before the call returns.
  received = NdisGetReceivedPacket(binding->Handle, MacReceiveContext);
  if (received != NULL) {
    MuxShow(binding, received, NDIS_STATUS_RESOURCES);
    return NDIS_STATUS_SUCCESS;
  }

  context.Binding = binding;
  context.Context = MacReceiveContext;
  count = MuxTakeUppers(binding, uppers);
  for (i = 0; i < count; i++) {
    if (MuxAccepts(uppers[i], HeaderBuffer)) {
      InterlockedExchange(&uppers[i]->LookaheadIndicated, TRUE);
      NdisMEthIndicateReceive(uppers[i]->Miniport, &context, HeaderBuffer, HeaderBufferSize, LookAheadBuffer,
                              LookaheadBufferSize, PacketSize);
    }
    MuxEndUse(uppers[i]);
  }
  return NDIS_STATUS_SUCCESS;
}

VOID NTAPI MuxReceiveComplete(NDIS_HANDLE ProtocolBindingContext) {
  PMUX_MINIPORT uppers[MUX_UPPER_MAX];
  ULONG count = MuxTakeUppers(ProtocolBindingContext, uppers), i;
  KIRQL before;

  for (i = 0; i < count; i++) {
    if (InterlockedExchange(&uppers[i]->LookaheadIndicated, FALSE)) {
      NDIS_RAISE_IRQL_TO_DISPATCH(&before);
      NdisMEthIndicateReceiveComplete(uppers[i]->Miniport);
      NDIS_LOWER_IRQL(before, DISPATCH_LEVEL);
    }
    MuxEndUse(uppers[i]);
  }
}

// The packet of those above may be used by nobody below but one miniport at a time: what goes down is one of
// our own on the same buffers.
NDIS_STATUS NTAPI MuxTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                  NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                  UINT ByteOffset, UINT BytesToTransfer) {
  PMUX_MINIPORT miniport = MiniportAdapterContext;
  PMUX_LOOKAHEAD lookahead = MiniportReceiveContext;
  PMUX_BINDING binding = lookahead->Binding;
  PNDIS_PACKET packet;
  NDIS_STATUS status;

  *BytesTransferred = 0;
  if (!MuxBeginUse(miniport)) return NDIS_STATUS_FAILURE;
  if (!MuxBeginBindingUse(binding)) {
    MuxEndUse(miniport);
    return NDIS_STATUS_FAILURE;
  }
  NdisAllocatePacket(&status, &packet, miniport->SendPool);
  if (status == NDIS_STATUS_SUCCESS) {
    MUX_SEND_OF(packet)->Original = Packet;
    MUX_SEND_OF(packet)->Miniport = miniport;
    packet->Private.Head = NDIS_PACKET_FIRST_NDIS_BUFFER(Packet);
    packet->Private.Tail = NDIS_PACKET_LAST_NDIS_BUFFER(Packet);
    NdisRecalculatePacketCounts(packet);
    NdisTransferData(&status, binding->Handle, lookahead->Context, ByteOffset, BytesToTransfer, packet,
                     BytesTransferred);
    if (status == NDIS_STATUS_PENDING) return status;  // MuxTransferDataComplete goes on, or has done so
    NdisFreePacket(packet);
  }
  MuxEndBindingUse(binding);
  MuxEndUse(miniport);
  return status;
}

VOID NTAPI MuxTransferDataComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet,
                                   NDIS_STATUS Status, UINT BytesTransferred) {
  PMUX_MINIPORT miniport = MUX_SEND_OF(Packet)->Miniport;
  PNDIS_PACKET original = MUX_SEND_OF(Packet)->Original;

  NdisFreePacket(Packet);
  NdisMTransferDataComplete(miniport->Miniport, original, Status, BytesTransferred);
  MuxEndBindingUse(ProtocolBindingContext);
  MuxEndUse(miniport);
}
