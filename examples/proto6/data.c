// SPDX-License-Identifier: MIT
//
// proto6: receives, and the answers.
//
// A kept list goes back when the next one comes, when the binding is paused, or after
// PROTO_KEEP_MILLISECONDS: further below an adapter may be waiting for it that is paused while our binding
// runs on (under an intermediate driver).
#include "proto6.h"

// An answer, from allocation to completion.
typedef struct _PROTO_FRAME {
  PMDL Mdl;
  PNET_BUFFER_LIST List;
  ULONG Length;
  UCHAR Data[1];
} PROTO_FRAME, *PPROTO_FRAME;

#define PROTO_FRAME_OF(List) ((PPROTO_FRAME)NET_BUFFER_LIST_PROTOCOL_RESERVED(List)[0])

// ---- running and stopped ----

VOID ProtoRun(PPROTO_BINDING Binding) {
  NdisAcquireSpinLock(&Binding->Lock);
  Binding->Running = TRUE;
  NdisReleaseSpinLock(&Binding->Lock);
}

VOID ProtoStop(PPROTO_BINDING Binding) {
  PNET_BUFFER_LIST kept;
  BOOLEAN sends;

  NdisAcquireSpinLock(&Binding->Lock);
  Binding->Running = FALSE;  // from here nothing is kept or sent, and the timer is not set any more
  kept = Binding->Kept;
  Binding->Kept = NULL;
  sends = (BOOLEAN)(Binding->Sends != 0);
  NdisResetEvent(&Binding->NoSends);
  NdisReleaseSpinLock(&Binding->Lock);

  if (kept != NULL) NdisReturnNetBufferLists(Binding->Handle, kept, 0);
  if (sends) {
    NdisWaitEvent(&Binding->NoSends, 0);
    // Whoever set the event did so with the lock held, and may still be about to release it.
    NdisAcquireSpinLock(&Binding->Lock);
    NdisReleaseSpinLock(&Binding->Lock);
  }
}

static BOOLEAN ProtoBeginSend(PPROTO_BINDING Binding) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Binding->Lock);
  may = Binding->Running;
  if (may) Binding->Sends++;
  NdisReleaseSpinLock(&Binding->Lock);
  return may;
}

static VOID ProtoEndSends(PPROTO_BINDING Binding, ULONG Count) {
  NdisAcquireSpinLock(&Binding->Lock);
  Binding->Sends -= Count;
  if (Binding->Sends == 0 && !Binding->Running) NdisSetEvent(&Binding->NoSends);
  NdisReleaseSpinLock(&Binding->Lock);
}

// ---- answers ----

static VOID ProtoFreeFrame(PPROTO_FRAME Frame) {
  if (Frame->List != NULL) NdisFreeNetBufferList(Frame->List);
  if (Frame->Mdl != NULL) NdisFreeMdl(Frame->Mdl);
  NdisFreeMemory(Frame, 0, 0);
}

static PPROTO_FRAME ProtoAllocateFrame(PPROTO_BINDING Binding, ULONG Length) {
  PPROTO_FRAME frame = NdisAllocateMemoryWithTagPriority(
      Proto.Protocol, FIELD_OFFSET(PROTO_FRAME, Data) + Length, PROTO_TAG, NormalPoolPriority);

  if (frame == NULL) return NULL;
  frame->Length = Length;
  frame->List = NULL;
  frame->Mdl = NdisAllocateMdl(Proto.Protocol, frame->Data, Length);
  if (frame->Mdl != NULL)
    frame->List = NdisAllocateNetBufferAndNetBufferList(Binding->Pool, 0, 0, frame->Mdl, 0, Length);
  if (frame->List == NULL) {
    ProtoFreeFrame(frame);
    return NULL;
  }
  frame->List->SourceHandle = Binding->Handle;
  NET_BUFFER_LIST_PROTOCOL_RESERVED(frame->List)[0] = frame;
  return frame;
}

static BOOLEAN ProtoIsQuestion(PPROTO_BINDING Binding, const UCHAR* Header) {
  return Header[12] == PROTO_QUESTION >> 8 && Header[13] == (PROTO_QUESTION & 0xFF) &&
         !NdisEqualMemory(Header + ETH_LENGTH_OF_ADDRESS, Binding->Address, ETH_LENGTH_OF_ADDRESS);
}

static VOID ProtoAnswer(PPROTO_BINDING Binding, PNET_BUFFER Question, BOOLEAN AtDispatch) {
  ULONG length = NET_BUFFER_DATA_LENGTH(Question);
  PPROTO_FRAME frame;
  PUCHAR data;

  InterlockedIncrement(&Proto.Counters.Questions);
  if (!ProtoBeginSend(Binding)) return;
  frame = ProtoAllocateFrame(Binding, length);
  if (frame == NULL) {
    ProtoEndSends(Binding, 1);
    return;
  }
  data = NdisGetDataBuffer(Question, length, frame->Data, 1, 0);
  if (data == NULL) {
    ProtoFreeFrame(frame);
    ProtoEndSends(Binding, 1);
    return;
  }
  if (data != frame->Data) NdisMoveMemory(frame->Data, data, length);
  NdisMoveMemory(frame->Data, frame->Data + ETH_LENGTH_OF_ADDRESS, ETH_LENGTH_OF_ADDRESS);
  NdisMoveMemory(frame->Data + ETH_LENGTH_OF_ADDRESS, Binding->Address, ETH_LENGTH_OF_ADDRESS);
  frame->Data[12] = PROTO_ANSWER >> 8;
  frame->Data[13] = PROTO_ANSWER & 0xFF;
  NdisSendNetBufferLists(Binding->Handle, frame->List, NDIS_DEFAULT_PORT_NUMBER,
                         AtDispatch ? NDIS_SEND_FLAGS_DISPATCH_LEVEL : 0);
}

VOID ProtoSendComplete(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferList,
                       ULONG SendCompleteFlags) {
  PNET_BUFFER_LIST list, next;
  ULONG count = 0;

  UNREFERENCED_PARAMETER(SendCompleteFlags);
  for (list = NetBufferList; list != NULL; list = next, count++) {
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    NET_BUFFER_LIST_NEXT_NBL(list) = NULL;
    if (NET_BUFFER_LIST_STATUS(list) == NDIS_STATUS_SUCCESS) InterlockedIncrement(&Proto.Counters.Answered);
    ProtoFreeFrame(PROTO_FRAME_OF(list));
  }
  ProtoEndSends(ProtocolBindingContext, count);
}

// ---- receives ----

static VOID ProtoLookAt(PPROTO_BINDING Binding, PNET_BUFFER_LIST List, BOOLEAN AtDispatch) {
  UCHAR storage[PROTO_HEADER];
  PNET_BUFFER buffer;
  PUCHAR header;

  for (buffer = NET_BUFFER_LIST_FIRST_NB(List); buffer != NULL; buffer = NET_BUFFER_NEXT_NB(buffer)) {
    InterlockedIncrement(&Proto.Counters.Received);
    if (NET_BUFFER_DATA_LENGTH(buffer) < PROTO_HEADER) continue;
    header = NdisGetDataBuffer(buffer, PROTO_HEADER, storage, 1, 0);
    if (header != NULL && ProtoIsQuestion(Binding, header)) ProtoAnswer(Binding, buffer, AtDispatch);
  }
}

VOID ProtoReceive(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferLists,
                  NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists, ULONG ReceiveFlags) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  BOOLEAN atDispatch = NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(ReceiveFlags);
  PNET_BUFFER_LIST list, last = NULL, first = NetBufferLists;
  LARGE_INTEGER due;

  UNREFERENCED_PARAMETER(PortNumber);
  UNREFERENCED_PARAMETER(NumberOfNetBufferLists);
  for (list = NetBufferLists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
    ProtoLookAt(binding, list, atDispatch);
    last = list;
  }
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags)) return;  // they are the miniport's again with this call

  // The first one is kept, in the place of the one that was kept before. That one goes back with the rest.
  NdisAcquireSpinLock(&binding->Lock);
  if (binding->Running) {
    first = NET_BUFFER_LIST_NEXT_NBL(NetBufferLists);
    if (binding->Kept != NULL) {
      if (first == NULL)
        first = binding->Kept;
      else
        NET_BUFFER_LIST_NEXT_NBL(last) = binding->Kept;
    }
    NET_BUFFER_LIST_NEXT_NBL(NetBufferLists) = NULL;
    binding->Kept = NetBufferLists;
    due.QuadPart = -10000LL * PROTO_KEEP_MILLISECONDS;
    NdisSetTimerObject(binding->ReturnTimer, due, 0, NULL);  // under the lock: not after ProtoStop
    InterlockedIncrement(&Proto.Counters.Kept);
  }
  NdisReleaseSpinLock(&binding->Lock);
  if (first != NULL)
    NdisReturnNetBufferLists(binding->Handle, first, atDispatch ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0);
}

VOID ProtoReturnKept(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                     PVOID SystemSpecific3) {
  PPROTO_BINDING binding = FunctionContext;
  PNET_BUFFER_LIST kept;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisDprAcquireSpinLock(&binding->Lock);
  kept = binding->Kept;
  binding->Kept = NULL;
  NdisDprReleaseSpinLock(&binding->Lock);
  if (kept != NULL) NdisReturnNetBufferLists(binding->Handle, kept, NDIS_RETURN_FLAGS_DISPATCH_LEVEL);
}
