// SPDX-License-Identifier: MIT
//
// proto5: receives, in packets and in lookahead buffers, and the answers.
//
// A kept packet goes back when the next one comes, when the binding closes, or after PROTO_KEEP_MILLISECONDS:
// somebody below may be waiting for it, to pause for instance, and an NDIS 5 protocol is not told so.
#include "proto5.h"

#define PROTO_FRAME_OF(Packet) (*(PPROTO_FRAME*)(Packet)->ProtocolReserved)

// ---- who uses the binding ----

static BOOLEAN ProtoBeginUse(PPROTO_BINDING Binding) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Binding->Lock);
  may = !Binding->Closing;
  if (may) Binding->Users++;
  NdisReleaseSpinLock(&Binding->Lock);
  return may;
}

static VOID ProtoEndUse(PPROTO_BINDING Binding) {
  NdisAcquireSpinLock(&Binding->Lock);
  if (--Binding->Users == 0 && Binding->Closing) NdisSetEvent(&Binding->NoUsers);
  NdisReleaseSpinLock(&Binding->Lock);
}

VOID ProtoQuiesce(PPROTO_BINDING Binding) {
  PNDIS_PACKET kept;
  BOOLEAN used, cancelled;

  NdisAcquireSpinLock(&Binding->Lock);
  Binding->Closing = TRUE;  // from here nothing is kept, and the timer is not set any more
  kept = Binding->Kept;
  Binding->Kept = NULL;
  used = (BOOLEAN)(Binding->Users != 0);
  NdisReleaseSpinLock(&Binding->Lock);

  if (kept != NULL) NdisReturnPackets(&kept, 1);
  NdisCancelTimer(&Binding->ReturnTimer, &cancelled);
  KeFlushQueuedDpcs();  // a timer that has already fired runs to its end
  if (used) {
    NdisWaitEvent(&Binding->NoUsers, 0);
    // Whoever set the event did so with the lock held, and may still be about to release it.
    NdisAcquireSpinLock(&Binding->Lock);
    NdisReleaseSpinLock(&Binding->Lock);
  }
}

// ---- frames of our own ----

static VOID ProtoFreeFrame(PPROTO_FRAME Frame) {
  if (Frame->Packet != NULL) {
    NdisReinitializePacket(Frame->Packet);  // the buffer is freed apart
    NdisFreePacket(Frame->Packet);
  }
  if (Frame->Buffer != NULL) NdisFreeBuffer(Frame->Buffer);
  NdisFreeMemory(Frame, FIELD_OFFSET(PROTO_FRAME, Data) + Frame->Length, 0);
}

static PPROTO_FRAME ProtoAllocateFrame(UINT Length, UINT Offset) {
  PPROTO_FRAME frame;
  NDIS_STATUS status;

  status = NdisAllocateMemoryWithTag((PVOID*)&frame, FIELD_OFFSET(PROTO_FRAME, Data) + Length, PROTO_TAG);
  if (status != NDIS_STATUS_SUCCESS) return NULL;
  frame->Packet = NULL;
  frame->Buffer = NULL;
  frame->Offset = Offset;
  frame->Length = Length;
  NdisAllocateBuffer(&status, &frame->Buffer, Proto.BufferPool, frame->Data + Offset, Length - Offset);
  if (status == NDIS_STATUS_SUCCESS) {
    NdisAllocatePacket(&status, &frame->Packet, Proto.PacketPool);
    if (status == NDIS_STATUS_SUCCESS) {
      PROTO_FRAME_OF(frame->Packet) = frame;
      NdisChainBufferAtFront(frame->Packet, frame->Buffer);
      return frame;
    }
    frame->Packet = NULL;
  } else {
    frame->Buffer = NULL;
  }
  ProtoFreeFrame(frame);
  return NULL;
}

// ---- answers ----

static BOOLEAN ProtoIsQuestion(PPROTO_BINDING Binding, const UCHAR* Header) {
  return Header[12] == PROTO_QUESTION >> 8 && Header[13] == (PROTO_QUESTION & 0xFF) &&
         !NdisEqualMemory(Header + ETH_LENGTH_OF_ADDRESS, Binding->Address, ETH_LENGTH_OF_ADDRESS);
}

static VOID ProtoFinishSend(PPROTO_BINDING Binding, PPROTO_FRAME Frame, NDIS_STATUS Status) {
  if (Status == NDIS_STATUS_SUCCESS) InterlockedIncrement(&Proto.Counters.Answered);
  ProtoFreeFrame(Frame);
  ProtoEndUse(Binding);
}

// Turns the question in the frame into its answer, and sends it. The frame is given away.
static VOID ProtoAnswer(PPROTO_BINDING Binding, PPROTO_FRAME Frame) {
  NDIS_STATUS status;

  InterlockedIncrement(&Proto.Counters.Questions);
  NdisMoveMemory(Frame->Data, Frame->Data + ETH_LENGTH_OF_ADDRESS, ETH_LENGTH_OF_ADDRESS);
  NdisMoveMemory(Frame->Data + ETH_LENGTH_OF_ADDRESS, Binding->Address, ETH_LENGTH_OF_ADDRESS);
  Frame->Data[12] = PROTO_ANSWER >> 8;
  Frame->Data[13] = PROTO_ANSWER & 0xFF;
  if (!ProtoBeginUse(Binding)) {
    ProtoFreeFrame(Frame);
    return;
  }
  NdisSend(&status, Binding->Handle, Frame->Packet);
  if (status != NDIS_STATUS_PENDING) ProtoFinishSend(Binding, Frame, status);
}

VOID NTAPI ProtoSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  ProtoFinishSend(ProtocolBindingContext, PROTO_FRAME_OF(Packet), Status);
}

// ---- received packets ----

// The header of a packet; NULL: it is too short, or in pieces, or cannot be read now.
static const UCHAR* ProtoHeaderOf(PNDIS_PACKET Packet, PUINT Total) {
  PNDIS_BUFFER buffer;
  PVOID data = NULL;
  UINT length = 0;

  NdisGetFirstBufferFromPacketSafe(Packet, &buffer, &data, &length, Total, NormalPagePriority);
  return data != NULL && length >= PROTO_HEADER ? data : NULL;
}

static VOID ProtoAnswerPacket(PPROTO_BINDING Binding, PNDIS_PACKET Packet, UINT Total) {
  PPROTO_FRAME frame = ProtoAllocateFrame(Total, 0);
  UINT copied = 0;

  if (frame == NULL) return;
  NdisCopyFromPacketToPacketSafe(frame->Packet, 0, Total, Packet, 0, &copied, NormalPagePriority);
  if (copied == Total)
    ProtoAnswer(Binding, frame);
  else
    ProtoFreeFrame(frame);
}

INT NTAPI ProtoReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  BOOLEAN keep = (BOOLEAN)(NDIS_GET_PACKET_STATUS(Packet) != NDIS_STATUS_RESOURCES);
  PNDIS_PACKET previous = NULL;
  const UCHAR* header;
  UINT total;

  InterlockedIncrement(&Proto.Counters.Received);
  header = ProtoHeaderOf(Packet, &total);
  if (header != NULL && ProtoIsQuestion(binding, header)) ProtoAnswerPacket(binding, Packet, total);

  if (!keep) return 0;  // the miniport wants it back with this call
  NdisAcquireSpinLock(&binding->Lock);
  keep = !binding->Closing;
  if (keep) {
    previous = binding->Kept;
    binding->Kept = Packet;
    NdisSetTimer(&binding->ReturnTimer, PROTO_KEEP_MILLISECONDS);  // under the lock: not after ProtoQuiesce
  }
  NdisReleaseSpinLock(&binding->Lock);
  if (!keep) return 0;
  InterlockedIncrement(&Proto.Counters.Kept);
  if (previous != NULL) NdisReturnPackets(&previous, 1);
  return 1;  // we hold it once
}

VOID NTAPI ProtoReturnKept(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                           PVOID SystemSpecific3) {
  PPROTO_BINDING binding = FunctionContext;
  PNDIS_PACKET kept;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisDprAcquireSpinLock(&binding->Lock);
  kept = binding->Kept;
  binding->Kept = NULL;
  NdisDprReleaseSpinLock(&binding->Lock);
  if (kept != NULL) NdisReturnPackets(&kept, 1);
}

// ---- received lookahead ----

// A frame is complete in memory of our own. It is given away.
static VOID ProtoTakeCopy(PPROTO_BINDING Binding, PPROTO_FRAME Frame) {
  PPROTO_FRAME answer;

  InterlockedIncrement(&Proto.Counters.Copied);
  if (ProtoIsQuestion(Binding, Frame->Data)) {
    answer = ProtoAllocateFrame(Frame->Length, 0);  // this one's packet does not describe the header
    if (answer != NULL) {
      NdisMoveMemory(answer->Data, Frame->Data, Frame->Length);
      ProtoAnswer(Binding, answer);
    }
  }
  ProtoFreeFrame(Frame);
}

static VOID ProtoFinishTransfer(PPROTO_BINDING Binding, PPROTO_FRAME Frame, NDIS_STATUS Status,
                                UINT Transferred) {
  if (Status == NDIS_STATUS_SUCCESS && Transferred == Frame->Length - Frame->Offset)
    ProtoTakeCopy(Binding, Frame);
  else
    ProtoFreeFrame(Frame);
  ProtoEndUse(Binding);
}

NDIS_STATUS NTAPI ProtoReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                               PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                               UINT LookaheadBufferSize, UINT PacketSize) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  UINT here = LookaheadBufferSize < PacketSize ? LookaheadBufferSize : PacketSize;
  PPROTO_FRAME frame;
  NDIS_STATUS status;
  UINT transferred = 0;

  if (HeaderBufferSize != PROTO_HEADER) return NDIS_STATUS_NOT_ACCEPTED;
  InterlockedIncrement(&Proto.Counters.Received);
  // The packet of the frame describes what is still missing; of a complete one it describes all and is not
  // used.
  frame = ProtoAllocateFrame(PROTO_HEADER + PacketSize, here < PacketSize ? PROTO_HEADER + here : 0);
  if (frame == NULL) return NDIS_STATUS_NOT_ACCEPTED;
  NdisMoveMemory(frame->Data, HeaderBuffer, PROTO_HEADER);
  NdisCopyLookaheadData(frame->Data + PROTO_HEADER, LookAheadBuffer, here, 0);
  if (here == PacketSize) {
    ProtoTakeCopy(binding, frame);
    return NDIS_STATUS_SUCCESS;
  }
  if (!ProtoBeginUse(binding)) {
    ProtoFreeFrame(frame);
    return NDIS_STATUS_NOT_ACCEPTED;
  }
  NdisTransferData(&status, binding->Handle, MacReceiveContext, here, PacketSize - here, frame->Packet,
                   &transferred);
  if (status != NDIS_STATUS_PENDING) ProtoFinishTransfer(binding, frame, status, transferred);
  return NDIS_STATUS_SUCCESS;
}

VOID NTAPI ProtoTransferComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status,
                                 UINT BytesTransferred) {
  ProtoFinishTransfer(ProtocolBindingContext, PROTO_FRAME_OF(Packet), Status, BytesTransferred);
}

VOID NTAPI ProtoReceiveComplete(NDIS_HANDLE ProtocolBindingContext) {
  // Whatever came in has been dealt with when it came.
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}
