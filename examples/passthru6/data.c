// SPDX-License-Identifier: MIT
//
// passthru6: net buffer lists. Each is cloned, the clone goes on, and when the clone comes back so does the
// original. A clone shares the data; its ParentNetBufferList is the original.
#include "passthru6.h"

// A chain that is being built.
typedef struct _PT_CHAIN {
  PNET_BUFFER_LIST First;
  PNET_BUFFER_LIST Last;
  ULONG Count;
} PT_CHAIN;

static VOID PtAppend(PT_CHAIN* Chain, PNET_BUFFER_LIST List) {
  NET_BUFFER_LIST_NEXT_NBL(List) = NULL;
  if (Chain->Last == NULL)
    Chain->First = List;
  else
    NET_BUFFER_LIST_NEXT_NBL(Chain->Last) = List;
  Chain->Last = List;
  Chain->Count++;
}

static PNET_BUFFER_LIST PtClone(PPT_ADAPTER Adapter, PNET_BUFFER_LIST Original, NDIS_HANDLE Source) {
  PNET_BUFFER_LIST clone = NdisAllocateCloneNetBufferList(Original, Adapter->Pool, NULL, 0);

  if (clone == NULL) return NULL;
  clone->SourceHandle = Source;
  clone->ParentNetBufferList = Original;
  NET_BUFFER_LIST_STATUS(clone) = NDIS_STATUS_SUCCESS;
  return clone;
}

static ULONG PtCount(PNET_BUFFER_LIST Lists) {
  ULONG count = 0;

  for (; Lists != NULL; Lists = NET_BUFFER_LIST_NEXT_NBL(Lists)) count++;
  return count;
}

// Takes lists off the two counts, and tells whoever waits for that. The adapter may be gone afterwards.
static VOID PtDone(PPT_ADAPTER Adapter, ULONG Sends, ULONG Receives) {
  NDIS_HANDLE miniport = NULL;

  NdisAcquireSpinLock(&Adapter->Lock);
  Adapter->Sends -= Sends;
  Adapter->Receives -= Receives;
  if (Adapter->Sends == 0 && Adapter->Receives == 0 && Adapter->PausePended) {
    Adapter->PausePended = FALSE;
    Adapter->Above = PtPaused;
    miniport = Adapter->Miniport;
  }
  if (Adapter->Sends == 0 && Adapter->Below != PtRunning) NdisSetEvent(&Adapter->NoSends);
  NdisReleaseSpinLock(&Adapter->Lock);
  if (miniport != NULL) NdisMPauseComplete(miniport);
}

// ---- down ----

VOID PtSend(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferList, NDIS_PORT_NUMBER PortNumber,
            ULONG SendFlags) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  ULONG flags = NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0;
  ULONG count = PtCount(NetBufferList);
  PNET_BUFFER_LIST list, next, clone;
  PT_CHAIN down = {0}, refused = {0};
  NDIS_STATUS status = NDIS_STATUS_RESOURCES;
  BOOLEAN running;

  NdisAcquireSpinLock(&adapter->Lock);
  running = (BOOLEAN)(adapter->Above == PtRunning && adapter->Below == PtRunning);
  if (running) adapter->Sends += count;
  NdisReleaseSpinLock(&adapter->Lock);
  if (!running) status = NDIS_STATUS_PAUSED;

  for (list = NetBufferList; list != NULL; list = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    clone = running ? PtClone(adapter, list, adapter->Binding) : NULL;
    if (clone == NULL) {
      NET_BUFFER_LIST_STATUS(list) = status;
      PtAppend(&refused, list);
      continue;
    }
    NdisCopySendNetBufferListInfo(clone, list);
    PtAppend(&down, clone);
  }

  // The chain that is refused counts until the end: as long as it does, the binding is there.
  if (down.First != NULL) NdisSendNetBufferLists(adapter->Binding, down.First, PortNumber, SendFlags);
  if (refused.First != NULL) {
    NdisMSendNetBufferListsComplete(adapter->Miniport, refused.First, flags);
    if (running) PtDone(adapter, refused.Count, 0);
  }
}

VOID PtSendComplete(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferList,
                    ULONG SendCompleteFlags) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  PNET_BUFFER_LIST clone, next, original;
  PT_CHAIN up = {0};

  for (clone = NetBufferList; clone != NULL; clone = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(clone);
    NET_BUFFER_LIST_NEXT_NBL(clone) = NULL;
    original = clone->ParentNetBufferList;
    NET_BUFFER_LIST_STATUS(original) = NET_BUFFER_LIST_STATUS(clone);
    NdisFreeCloneNetBufferList(clone, 0);
    PtAppend(&up, original);
  }
  NdisMSendNetBufferListsComplete(adapter->Miniport, up.First, SendCompleteFlags);
  PtDone(adapter, up.Count, 0);
}

VOID PtCancelSend(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  PPT_ADAPTER adapter = MiniportAdapterContext;

  // Nothing waits here; but it may below, and the clones carry the same id.
  NdisCancelSendNetBufferLists(adapter->Binding, CancelId);
}

// ---- up ----

VOID PtReceive(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferLists,
               NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists, ULONG ReceiveFlags) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  BOOLEAN borrowed = NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags);
  ULONG flags = NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(ReceiveFlags) ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0;
  PNET_BUFFER_LIST list, next, clone;
  PT_CHAIN up = {0}, back = {0};
  NDIS_HANDLE miniport;
  ULONG done;

  // One more than there are lists: for the call itself, which a pause waits for too.
  NdisAcquireSpinLock(&adapter->Lock);
  miniport = adapter->Above == PtRunning ? adapter->Miniport : NULL;
  if (miniport != NULL) adapter->Receives += NumberOfNetBufferLists + 1;
  NdisReleaseSpinLock(&adapter->Lock);
  if (miniport == NULL) {
    if (!borrowed) NdisReturnNetBufferLists(adapter->Binding, NetBufferLists, flags);
    return;
  }

  for (list = NetBufferLists; list != NULL; list = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    clone = PtClone(adapter, list, miniport);
    if (clone == NULL) {
      if (!borrowed) PtAppend(&back, list);  // the frame is lost, as on any crowded wire
      continue;
    }
    NdisCopyReceiveNetBufferListInfo(clone, list);
    PtAppend(&up, clone);
  }

  done = NumberOfNetBufferLists + 1 - up.Count;  // what comes back later is counted in PtReturn
  if (up.First != NULL) {
    NdisMIndicateReceiveNetBufferLists(miniport, up.First, PortNumber, up.Count, ReceiveFlags);
    if (borrowed) {
      // Those above have copied it: the clones are ours again with the call.
      for (clone = up.First; clone != NULL; clone = next) {
        next = NET_BUFFER_LIST_NEXT_NBL(clone);
        NET_BUFFER_LIST_NEXT_NBL(clone) = NULL;
        NdisFreeCloneNetBufferList(clone, 0);
      }
      done += up.Count;
    }
  }
  if (back.First != NULL) NdisReturnNetBufferLists(adapter->Binding, back.First, flags);
  PtDone(adapter, 0, done);
}

VOID PtReturn(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST clone, next, original;
  PT_CHAIN back = {0};

  for (clone = NetBufferLists; clone != NULL; clone = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(clone);
    NET_BUFFER_LIST_NEXT_NBL(clone) = NULL;
    original = clone->ParentNetBufferList;
    NdisFreeCloneNetBufferList(clone, 0);
    PtAppend(&back, original);
  }
  NdisReturnNetBufferLists(adapter->Binding, back.First, ReturnFlags);
  PtDone(adapter, 0, back.Count);
}
