// SPDX-License-Identifier: MIT
//
// nic6: sends are queued, and a timer carries them over the wire: it copies each frame into the ring,
// indicates it as received if the packet filter lets it in, and completes the send. What finds the ring empty
// is dropped.
#include "nic6.h"

NIC_CAST NicCastOf(const UCHAR* Address) {
  if (ETH_IS_BROADCAST(Address)) return NicBroadcast;
  return ETH_IS_MULTICAST(Address) ? NicMulticast : NicUnicast;
}

static VOID NicCount(NIC_COUNTERS* Counters, const UCHAR* Destination, ULONG Length) {
  NIC_CAST cast = NicCastOf(Destination);

  Counters->Frames[cast]++;
  Counters->Octets[cast] += Length;
}

// The lock is held.
static BOOLEAN NicAccepts(PNIC_ADAPTER Adapter, const UCHAR* Destination) {
  ULONG i;

  if (Adapter->PacketFilter & NDIS_PACKET_TYPE_PROMISCUOUS) return TRUE;
  switch (NicCastOf(Destination)) {
  case NicBroadcast:
    return (Adapter->PacketFilter & NDIS_PACKET_TYPE_BROADCAST) != 0;
  case NicMulticast:
    if (Adapter->PacketFilter & NDIS_PACKET_TYPE_ALL_MULTICAST) return TRUE;
    if (!(Adapter->PacketFilter & NDIS_PACKET_TYPE_MULTICAST)) return FALSE;
    for (i = 0; i < Adapter->MulticastCount; i++)
      if (NdisEqualMemory(Adapter->Multicast[i], Destination, ETH_LENGTH_OF_ADDRESS)) return TRUE;
    return FALSE;
  default:
    return (Adapter->PacketFilter & NDIS_PACKET_TYPE_DIRECTED) != 0 &&
           NdisEqualMemory(Adapter->CurrentAddress, Destination, ETH_LENGTH_OF_ADDRESS);
  }
}

ULONG NicCompleteSends(PNIC_ADAPTER Adapter, PNET_BUFFER_LIST Lists, NDIS_STATUS Status, ULONG Flags) {
  PNET_BUFFER_LIST list;
  ULONG count = 0;

  for (list = Lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list), count++)
    NET_BUFFER_LIST_STATUS(list) = Status;
  if (Lists != NULL) NdisMSendNetBufferListsComplete(Adapter->Handle, Lists, Flags);
  return count;
}

VOID NicDone(PNIC_ADAPTER Adapter, ULONG Count) {
  NDIS_HANDLE handle = Adapter->Handle;
  BOOLEAN paused;

  NdisAcquireSpinLock(&Adapter->Lock);
  Adapter->Busy -= Count;
  paused = (BOOLEAN)(Adapter->Busy == 0 && Adapter->PausePended);
  if (paused) {
    Adapter->PausePended = FALSE;
    Adapter->State = NicPaused;
  }
  NdisReleaseSpinLock(&Adapter->Lock);
  if (paused) NdisMPauseComplete(handle);
}

// ---- sends ----

VOID NicSend(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferList, NDIS_PORT_NUMBER PortNumber,
             ULONG SendFlags) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST last = NetBufferList;
  ULONG count = 1;

  UNREFERENCED_PARAMETER(PortNumber);
  for (; NET_BUFFER_LIST_NEXT_NBL(last) != NULL; last = NET_BUFFER_LIST_NEXT_NBL(last)) count++;

  NdisAcquireSpinLock(&adapter->Lock);
  if (adapter->State != NicRunning || adapter->Gone) {
    NdisReleaseSpinLock(&adapter->Lock);
    NicCompleteSends(adapter, NetBufferList, adapter->Gone ? NDIS_STATUS_NOT_ACCEPTED : NDIS_STATUS_PAUSED,
                     NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL
                                                                 : 0);
    return;
  }
  if (adapter->SendTail == NULL)
    adapter->SendHead = NetBufferList;
  else
    NET_BUFFER_LIST_NEXT_NBL(adapter->SendTail) = NetBufferList;
  adapter->SendTail = last;
  adapter->Busy += count;
  if (!adapter->WireTimerSet) {
    // Under the lock: after a pause, and so after NicHalt has begun, the timer must not be set again.
    LARGE_INTEGER due;
    due.QuadPart = -10000LL * NIC_WIRE_MILLISECONDS;
    adapter->WireTimerSet = TRUE;
    NdisSetTimerObject(adapter->WireTimer, due, 0, NULL);
  }
  NdisReleaseSpinLock(&adapter->Lock);
}

VOID NicCancelSend(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST list, next, cancelled = NULL;
  ULONG count;

  NdisAcquireSpinLock(&adapter->Lock);
  list = adapter->SendHead;
  adapter->SendHead = adapter->SendTail = NULL;
  for (; list != NULL; list = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    if (NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(list) == CancelId) {
      NET_BUFFER_LIST_NEXT_NBL(list) = cancelled;
      cancelled = list;
    } else {
      NET_BUFFER_LIST_NEXT_NBL(list) = NULL;
      if (adapter->SendTail == NULL)
        adapter->SendHead = list;
      else
        NET_BUFFER_LIST_NEXT_NBL(adapter->SendTail) = list;
      adapter->SendTail = list;
    }
  }
  NdisReleaseSpinLock(&adapter->Lock);
  if (cancelled == NULL) return;
  count = NicCompleteSends(adapter, cancelled, NDIS_STATUS_SEND_ABORTED, 0);
  NicDone(adapter, count);
}

// ---- the wire ----

static BOOLEAN NicCopy(PNET_BUFFER Buffer, PNIC_FRAME Frame) {
  PUCHAR data = NdisGetDataBuffer(Buffer, NET_BUFFER_DATA_LENGTH(Buffer), Frame->Data, 1, 0);

  if (data == NULL) return FALSE;
  if (data != Frame->Data) NdisMoveMemory(Frame->Data, data, NET_BUFFER_DATA_LENGTH(Buffer));
  Frame->Length = NET_BUFFER_DATA_LENGTH(Buffer);
  return TRUE;
}

// Makes the list describe the frame from its first byte, whatever those above did to it last time.
static VOID NicPrepare(PNIC_FRAME Frame) {
  PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(Frame->List);

  NET_BUFFER_FIRST_MDL(buffer) = NET_BUFFER_CURRENT_MDL(buffer) = Frame->Mdl;
  NET_BUFFER_DATA_OFFSET(buffer) = NET_BUFFER_CURRENT_MDL_OFFSET(buffer) = 0;
  NET_BUFFER_DATA_LENGTH(buffer) = Frame->Length;
  NET_BUFFER_LIST_NEXT_NBL(Frame->List) = NULL;
  NET_BUFFER_LIST_STATUS(Frame->List) = NDIS_STATUS_SUCCESS;
  NET_BUFFER_LIST_MINIPORT_RESERVED(Frame->List)[0] = Frame;
}

// Over the wire with one frame. The lock is held. NULL: nobody is to receive it.
static PNIC_FRAME NicCarry(PNIC_ADAPTER Adapter, PNET_BUFFER Buffer) {
  PNIC_FRAME frame;

  if (NET_BUFFER_DATA_LENGTH(Buffer) < NIC_HEADER || NET_BUFFER_DATA_LENGTH(Buffer) > NIC_FRAME_MAX) {
    Adapter->Sent.Errors++;
    return NULL;
  }
  if (IsListEmpty(&Adapter->Free)) {
    Adapter->Received.Discards++;
    return NULL;
  }
  frame = CONTAINING_RECORD(RemoveHeadList(&Adapter->Free), NIC_FRAME, Link);
  if (!NicCopy(Buffer, frame)) {
    Adapter->Sent.Errors++;
  } else {
    NicCount(&Adapter->Sent, frame->Data, frame->Length);
    if (NicAccepts(Adapter, frame->Data)) {
      NicCount(&Adapter->Received, frame->Data, frame->Length);
      NicPrepare(frame);
      return frame;
    }
  }
  InsertHeadList(&Adapter->Free, &frame->Link);
  return NULL;
}

VOID NicWire(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  PNIC_ADAPTER adapter = FunctionContext;
  PNET_BUFFER_LIST sends, list, first = NULL, last = NULL;
  PNET_BUFFER buffer;
  PNIC_FRAME frame;
  ULONG received = 0;
  ULONG done;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);

  NdisDprAcquireSpinLock(&adapter->Lock);
  adapter->WireTimerSet = FALSE;
  sends = adapter->SendHead;
  adapter->SendHead = adapter->SendTail = NULL;
  for (list = sends; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
    for (buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer != NULL; buffer = NET_BUFFER_NEXT_NB(buffer)) {
      frame = NicCarry(adapter, buffer);
      if (frame == NULL) continue;
      if (last == NULL)
        first = frame->List;
      else
        NET_BUFFER_LIST_NEXT_NBL(last) = frame->List;
      last = frame->List;
      received++;
    }
  }
  // A pause waits for the frames to come back, and for the call that gives them away to return.
  if (received != 0) adapter->Busy += received + 1;
  NdisDprReleaseSpinLock(&adapter->Lock);

  done = 0;
  if (received != 0) {
    NdisMIndicateReceiveNetBufferLists(adapter->Handle, first, NDIS_DEFAULT_PORT_NUMBER, received,
                                       NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL);
    done = 1;
  }
  done += NicCompleteSends(adapter, sends, NDIS_STATUS_SUCCESS, NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
  if (done != 0) NicDone(adapter, done);
}

// ---- returns ----

VOID NicReturn(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST list, next;
  ULONG count = 0;

  UNREFERENCED_PARAMETER(ReturnFlags);
  NdisAcquireSpinLock(&adapter->Lock);
  for (list = NetBufferLists; list != NULL; list = next, count++) {
    PNIC_FRAME frame = NET_BUFFER_LIST_MINIPORT_RESERVED(list)[0];
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    InsertTailList(&adapter->Free, &frame->Link);
  }
  NdisReleaseSpinLock(&adapter->Lock);
  NicDone(adapter, count);
}
