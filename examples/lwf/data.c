// SPDX-License-Identifier: MIT
//
// lwf: frames. What comes is passed on in its chain; what is ours has our handle in SourceHandle, and ends
// with us.
#include "lwf.h"

// ---- lists of our own ----

static PNET_BUFFER_LIST LwfMakeOwn(PLWF_MODULE Module, ULONG Length, PLWF_OWN* Memory) {
  PNET_BUFFER_LIST list;
  PLWF_OWN own;

  own = NdisAllocateMemoryWithTagPriority(Module->Handle, sizeof(*own), LWF_TAG, NormalPoolPriority);
  if (own == NULL) return NULL;
  own->Mdl = NdisAllocateMdl(Module->Handle, own->Data, Length);
  if (own->Mdl == NULL) {
    NdisFreeMemory(own, 0, 0);
    return NULL;
  }
  list = NdisAllocateNetBufferAndNetBufferList(Module->Pool, 0, 0, own->Mdl, 0, Length);
  if (list == NULL) {
    NdisFreeMdl(own->Mdl);
    NdisFreeMemory(own, 0, 0);
    return NULL;
  }
  list->SourceHandle = Module->Handle;
  *Memory = own;
  return list;
}

static VOID LwfFreeOwn(PNET_BUFFER_LIST List) {
  PMDL mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(List));
  PLWF_OWN own = CONTAINING_RECORD(MmGetMdlVirtualAddress(mdl), LWF_OWN, Data);

  NdisFreeNetBufferList(List);
  NdisFreeMdl(mdl);
  NdisFreeMemory(own, 0, 0);
}

// Takes our own lists out of a chain that has come back, and gives back the rest of it.
static PNET_BUFFER_LIST LwfTakeOwn(PLWF_MODULE Module, PNET_BUFFER_LIST Chain, PULONG Taken) {
  PNET_BUFFER_LIST rest = NULL;
  PNET_BUFFER_LIST* last = &rest;
  PNET_BUFFER_LIST next;

  *Taken = 0;
  for (; Chain != NULL; Chain = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Chain);
    NET_BUFFER_LIST_NEXT_NBL(Chain) = NULL;
    if (Chain->SourceHandle == Module->Handle) {
      LwfFreeOwn(Chain);
      ++*Taken;
    } else {
      *last = Chain;
      last = &NET_BUFFER_LIST_NEXT_NBL(Chain);
    }
  }
  return rest;
}

VOID LwfAnnounce(PLWF_MODULE Module) {
  static const UCHAR header[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0, 0, 0x6C, 0x66, 0x88, 0xB5};
  PNET_BUFFER_LIST list;
  PLWF_OWN own;

  if (!LwfBeginOwn(Module)) return;
  list = LwfMakeOwn(Module, LWF_ANNOUNCEMENT, &own);
  if (list == NULL) {
    LwfEndOwn(Module);
    return;
  }
  NdisZeroMemory(own->Data, LWF_ANNOUNCEMENT);
  NdisMoveMemory(own->Data, header, sizeof(header));
  NdisAcquireSpinLock(&Module->Lock);
  Module->Counters.Announced++;
  NdisReleaseSpinLock(&Module->Lock);
  NdisFSendNetBufferLists(Module->Handle, list, NDIS_DEFAULT_PORT_NUMBER, 0);
}

// ---- sends ----

VOID LwfSend(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists, NDIS_PORT_NUMBER PortNumber,
             ULONG SendFlags) {
  PLWF_MODULE module = FilterModuleContext;
  PNET_BUFFER_LIST list;
  BOOLEAN announce;
  BOOLEAN paused;

  NdisAcquireSpinLock(&module->Lock);
  paused = module->State == LwfPaused;
  announce = !paused && ++module->Chains % LWF_ANNOUNCE_EVERY == 0;
  for (list = NetBufferLists; list != NULL && !paused; list = NET_BUFFER_LIST_NEXT_NBL(list))
    module->Counters.Sent++;
  NdisReleaseSpinLock(&module->Lock);
  if (paused) {
    for (list = NetBufferLists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list))
      NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_PAUSED;
    NdisFSendNetBufferListsComplete(
        module->Handle, NetBufferLists,
        NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
    return;
  }
  // First ours: as long as the chain of others is here the module is not paused, nor detached.
  if (announce) LwfAnnounce(module);
  NdisFSendNetBufferLists(module->Handle, NetBufferLists, PortNumber, SendFlags);
}

VOID LwfSendComplete(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists,
                     ULONG SendCompleteFlags) {
  PLWF_MODULE module = FilterModuleContext;
  ULONG own;
  PNET_BUFFER_LIST others = LwfTakeOwn(module, NetBufferLists, &own);

  if (others != NULL) NdisFSendNetBufferListsComplete(module->Handle, others, SendCompleteFlags);
  for (; own != 0; --own) LwfEndOwn(module);
}

VOID LwfCancelSend(NDIS_HANDLE FilterModuleContext, PVOID CancelId) {
  // Nothing waits here: what is to be cancelled is below.
  NdisFCancelSendNetBufferLists(((PLWF_MODULE)FilterModuleContext)->Handle, CancelId);
}

// ---- receives ----

// A copy of one frame, counted as ours; NULL: the frame is to be passed on itself.
static PNET_BUFFER_LIST LwfCopy(PLWF_MODULE Module, PNET_BUFFER_LIST List) {
  PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(List);
  ULONG length = NET_BUFFER_DATA_LENGTH(buffer);
  PNET_BUFFER_LIST copy;
  PLWF_OWN own;
  PVOID data;

  if (length > LWF_FRAME_MAX || NET_BUFFER_NEXT_NB(buffer) != NULL || !LwfBeginOwn(Module)) return NULL;
  copy = LwfMakeOwn(Module, length, &own);
  if (copy == NULL) {
    LwfEndOwn(Module);
    return NULL;
  }
  data = NdisGetDataBuffer(buffer, length, own->Data, 1, 0);
  if (data == NULL) {
    LwfFreeOwn(copy);
    LwfEndOwn(Module);
    return NULL;
  }
  if (data != own->Data) NdisMoveMemory(own->Data, data, length);
  NdisAcquireSpinLock(&Module->Lock);
  Module->Counters.Copied++;
  NdisReleaseSpinLock(&Module->Lock);
  return copy;
}

static BOOLEAN LwfIsCopyDue(PLWF_MODULE Module) {
  BOOLEAN due;

  NdisAcquireSpinLock(&Module->Lock);
  Module->Counters.Received++;
  due = ++Module->Frames % LWF_COPY_EVERY == 0;
  NdisReleaseSpinLock(&Module->Lock);
  return due;
}

VOID LwfReceive(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists, NDIS_PORT_NUMBER PortNumber,
                ULONG NumberOfNetBufferLists, ULONG ReceiveFlags) {
  PLWF_MODULE module = FilterModuleContext;
  ULONG returnFlags =
      NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(ReceiveFlags) ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0;
  PNET_BUFFER_LIST passed = NULL;
  PNET_BUFFER_LIST* lastPassed = &passed;
  PNET_BUFFER_LIST replaced = NULL;
  PNET_BUFFER_LIST* lastReplaced = &replaced;
  PNET_BUFFER_LIST next;
  PNET_BUFFER_LIST copy;
  ULONG count = 0;

  if (NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags)) {
    // The chain stays as it is and is the miniport's again when we return.
    NdisFIndicateReceiveNetBufferLists(module->Handle, NetBufferLists, PortNumber, NumberOfNetBufferLists,
                                       ReceiveFlags);
    return;
  }
  for (; NetBufferLists != NULL; NetBufferLists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(NetBufferLists);
    NET_BUFFER_LIST_NEXT_NBL(NetBufferLists) = NULL;
    copy = LwfIsCopyDue(module) ? LwfCopy(module, NetBufferLists) : NULL;
    if (copy != NULL) {
      *lastReplaced = NetBufferLists;
      lastReplaced = &NET_BUFFER_LIST_NEXT_NBL(NetBufferLists);
    }
    *lastPassed = copy != NULL ? copy : NetBufferLists;
    lastPassed = &NET_BUFFER_LIST_NEXT_NBL(*lastPassed);
    count++;
  }
  if (replaced != NULL) NdisFReturnNetBufferLists(module->Handle, replaced, returnFlags);
  NdisFIndicateReceiveNetBufferLists(module->Handle, passed, PortNumber, count, ReceiveFlags);
}

VOID LwfReturn(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags) {
  PLWF_MODULE module = FilterModuleContext;
  ULONG own;
  PNET_BUFFER_LIST others = LwfTakeOwn(module, NetBufferLists, &own);

  if (others != NULL) NdisFReturnNetBufferLists(module->Handle, others, ReturnFlags);
  for (; own != 0; --own) LwfEndOwn(module);
}
