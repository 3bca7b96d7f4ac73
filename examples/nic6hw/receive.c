// SPDX-License-Identifier: MIT
//
// nic6hw: receives, one ring for each queue. A frame that is indicated leaves its descriptor empty; when it
// is returned it goes back to the card.
#include "nic6hw.h"

static const ULONG NicHashTypes[] = {NDIS_HASH_IPV4, NDIS_HASH_TCP_IPV4, NDIS_HASH_IPV6, NDIS_HASH_TCP_IPV6};

// Makes the list describe the frame from its first byte, whatever those above did to it last time.
static VOID NicPrepare(PNIC_FRAME Frame, PNIC_DESCRIPTOR Descriptor) {
  PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(Frame->List);
  ULONG i;

  NET_BUFFER_FIRST_MDL(buffer) = NET_BUFFER_CURRENT_MDL(buffer) = Frame->Mdl;
  NET_BUFFER_DATA_OFFSET(buffer) = NET_BUFFER_CURRENT_MDL_OFFSET(buffer) = 0;
  NET_BUFFER_DATA_LENGTH(buffer) = Descriptor->Length;
  NET_BUFFER_LIST_NEXT_NBL(Frame->List) = NULL;
  NET_BUFFER_LIST_STATUS(Frame->List) = NDIS_STATUS_SUCCESS;
  NET_BUFFER_LIST_INFO(Frame->List, NetBufferListHashInfo) = NULL;
  NET_BUFFER_LIST_INFO(Frame->List, NetBufferListHashValue) = NULL;
  for (i = 0; i < ARRAYSIZE(NicHashTypes); i++) {
    if ((Descriptor->Status & (NIC_DESCRIPTOR_HASH << i)) == 0) continue;
    NET_BUFFER_LIST_SET_HASH_TYPE(Frame->List, NicHashTypes[i]);
    NET_BUFFER_LIST_SET_HASH_FUNCTION(Frame->List, NdisHashFunctionToeplitz);
    NET_BUFFER_LIST_SET_HASH_VALUE(Frame->List, Descriptor->Hash);
  }
}

BOOLEAN NicReceive(PNIC_QUEUE Queue, ULONG Most) {
  PNIC_ADAPTER adapter = Queue->Adapter;
  PNET_BUFFER_LIST first = NULL, last = NULL;
  ULONG count = 0;
  BOOLEAN running, more;

  // One for the call of NDIS' receive function, taken off when it has returned.
  NdisDprAcquireSpinLock(&adapter->Lock);
  running = (BOOLEAN)(adapter->State == NicRunning);
  if (running) adapter->Busy++;
  NdisDprReleaseSpinLock(&adapter->Lock);

  NdisDprAcquireSpinLock(&Queue->Lock);
  for (;;) {
    PNIC_DESCRIPTOR descriptor = (PNIC_DESCRIPTOR)Queue->Ring.Address + Queue->Head;
    PNIC_FRAME frame;
    more = (BOOLEAN)(Queue->Head != Queue->Tail && (descriptor->Status & NIC_DESCRIPTOR_DONE) != 0);
    if (!more || count == Most) break;
    frame = Queue->Posted[Queue->Head];
    Queue->Head = (Queue->Head + 1) % NIC_RING;
    if (!running) {
      NicPost(Queue, frame);  // nobody is to see it: back to the card
      continue;
    }
    NicPrepare(frame, descriptor);
    if (last == NULL)
      first = frame->List;
    else
      NET_BUFFER_LIST_NEXT_NBL(last) = frame->List;
    last = frame->List;
    count++;
  }
  NicWrite(adapter, NIC_REG_QUEUE(Queue->Index) + NIC_QUEUE_RX_TAIL, Queue->Tail);
  NdisDprReleaseSpinLock(&Queue->Lock);

  if (!running) return FALSE;
  NdisDprAcquireSpinLock(&adapter->Lock);
  adapter->Busy += count;
  adapter->FramesIn += count;
  NdisDprReleaseSpinLock(&adapter->Lock);
  if (count != 0)
    NdisMIndicateReceiveNetBufferLists(adapter->Handle, first, NDIS_DEFAULT_PORT_NUMBER, count,
                                       NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL |
                                           NDIS_RECEIVE_FLAGS_PERFECT_FILTERED);
  NicDone(adapter, 1);
  return more;
}

VOID NicReturn(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST list, next;
  ULONG count = 0;

  UNREFERENCED_PARAMETER(ReturnFlags);
  for (list = NetBufferLists; list != NULL; list = next, count++) {
    PNIC_FRAME frame = NET_BUFFER_LIST_MINIPORT_RESERVED(list)[0];
    PNIC_QUEUE queue = frame->Queue;
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    NdisAcquireSpinLock(&queue->Lock);
    NicPost(queue, frame);
    NicWrite(adapter, NIC_REG_QUEUE(queue->Index) + NIC_QUEUE_RX_TAIL, queue->Tail);
    NdisReleaseSpinLock(&queue->Lock);
  }
  NicDone(adapter, count);
}
