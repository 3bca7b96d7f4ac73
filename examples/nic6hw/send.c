// SPDX-License-Identifier: MIT
//
// nic6hw: sends. Each buffer gets a scatter/gather list, then descriptors as the ring has room, and is done
// when the card says so in its last one.
#include "nic6hw.h"

static VOID NicCompleteList(PNIC_ADAPTER Adapter, PNET_BUFFER_LIST List, BOOLEAN Dispatch) {
  NdisMSendNetBufferListsComplete(Adapter->Handle, List,
                                  Dispatch ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
  NicDone(Adapter, 1);
}

// One buffer less. TRUE: it was the last of its list. The lock is held.
static BOOLEAN NicDropBuffer(PNET_BUFFER Buffer) {
  return --NIC_LEFT_OF(NIC_LIST_OF(Buffer)) == 0;
}

static ULONG NicFree(PNIC_ADAPTER Adapter) {
  return NIC_RING - 1 - (Adapter->TxTail + NIC_RING - Adapter->TxHead) % NIC_RING;
}

// The list begins with the first MDL of the buffer, its data a bit later.
static VOID NicFill(PNIC_ADAPTER Adapter, PNET_BUFFER Buffer) {
  PSCATTER_GATHER_LIST sg = NIC_SG_OF(Buffer);
  ULONG skip = NET_BUFFER_CURRENT_MDL_OFFSET(Buffer);
  ULONG last = Adapter->TxTail;
  ULONG i;

  for (i = 0; i < sg->NumberOfElements; i++) {
    PNIC_DESCRIPTOR descriptor = (PNIC_DESCRIPTOR)Adapter->TxRing.Address + Adapter->TxTail;
    ULONG length = sg->Elements[i].Length;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    descriptor->Address = (ULONG64)sg->Elements[i].Address.QuadPart + skip;
    descriptor->Length = (USHORT)(length - skip);
    descriptor->Flags = 0;
    descriptor->Status = 0;
    skip = 0;
    last = Adapter->TxTail;
    Adapter->TxBuffers[last] = NULL;
    Adapter->TxTail = (Adapter->TxTail + 1) % NIC_RING;
  }
  ((PNIC_DESCRIPTOR)Adapter->TxRing.Address)[last].Flags = NIC_DESCRIPTOR_END;
  Adapter->TxBuffers[last] = Buffer;
}

// Gives the card what there is room for. The lock is held.
static VOID NicPush(PNIC_ADAPTER Adapter) {
  BOOLEAN any = FALSE;

  while (Adapter->ReadyHead != NULL && NIC_SG_OF(Adapter->ReadyHead)->NumberOfElements <= NicFree(Adapter)) {
    PNET_BUFFER buffer = Adapter->ReadyHead;
    Adapter->ReadyHead = NIC_NEXT_OF(buffer);
    if (Adapter->ReadyHead == NULL) Adapter->ReadyTail = NULL;
    NicFill(Adapter, buffer);
    any = TRUE;
  }
  if (any) NicWrite(Adapter, NIC_REG_QUEUE(0) + NIC_QUEUE_TX_TAIL, Adapter->TxTail);
}

VOID NicProcessSGList(PDEVICE_OBJECT pDO, PVOID Reserved, PSCATTER_GATHER_LIST pSGL, PVOID Context) {
  PNET_BUFFER buffer = Context;
  PNET_BUFFER_LIST list = NIC_LIST_OF(buffer);
  PNIC_ADAPTER adapter = NIC_ADAPTER_OF(list);
  BOOLEAN over = FALSE, fits = (BOOLEAN)(pSGL->NumberOfElements < NIC_RING);

  UNREFERENCED_PARAMETER(pDO);
  UNREFERENCED_PARAMETER(Reserved);
  if (!fits) NdisMFreeNetBufferSGList(adapter->Dma, pSGL, buffer);
  NdisDprAcquireSpinLock(&adapter->Lock);
  if (fits) {
    NIC_SG_OF(buffer) = pSGL;
    NIC_NEXT_OF(buffer) = NULL;
    if (adapter->ReadyTail == NULL)
      adapter->ReadyHead = buffer;
    else
      NIC_NEXT_OF(adapter->ReadyTail) = buffer;
    adapter->ReadyTail = buffer;
    NicPush(adapter);
  } else {
    adapter->ErrorsOut++;
    NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_INVALID_LENGTH;
    over = NicDropBuffer(buffer);
  }
  NdisDprReleaseSpinLock(&adapter->Lock);
  if (over) NicCompleteList(adapter, list, TRUE);
}

static VOID NicSendList(PNIC_ADAPTER Adapter, PNET_BUFFER_LIST List) {
  PNET_BUFFER buffer, next;
  NDIS_STATUS status;
  ULONG count = 0;
  KIRQL irql;
  BOOLEAN over;

  for (buffer = NET_BUFFER_LIST_FIRST_NB(List); buffer != NULL; buffer = NET_BUFFER_NEXT_NB(buffer), count++)
    NIC_LIST_OF(buffer) = List;
  // One more than there are buffers: the list must not be completed, and be gone, while this loop still walks
  // along it.
  NIC_LEFT_OF(List) = count + 1;
  NIC_ADAPTER_OF(List) = Adapter;
  NET_BUFFER_LIST_STATUS(List) = NDIS_STATUS_SUCCESS;

  KeRaiseIrql(DISPATCH_LEVEL, &irql);  // where scatter/gather lists are made
  for (buffer = NET_BUFFER_LIST_FIRST_NB(List); buffer != NULL; buffer = next) {
    next = NET_BUFFER_NEXT_NB(buffer);
    status =
        NdisMAllocateNetBufferSGList(Adapter->Dma, buffer, buffer, NDIS_SG_LIST_WRITE_TO_DEVICE, NULL, 0);
    if (status == NDIS_STATUS_SUCCESS) continue;
    NdisDprAcquireSpinLock(&Adapter->Lock);
    Adapter->ErrorsOut++;
    NET_BUFFER_LIST_STATUS(List) = status;
    NicDropBuffer(buffer);
    NdisDprReleaseSpinLock(&Adapter->Lock);
  }
  NdisDprAcquireSpinLock(&Adapter->Lock);
  over = (BOOLEAN)(--NIC_LEFT_OF(List) == 0);
  NdisDprReleaseSpinLock(&Adapter->Lock);
  if (over) NicCompleteList(Adapter, List, TRUE);
  KeLowerIrql(irql);
}

VOID NicSend(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferList, NDIS_PORT_NUMBER PortNumber,
             ULONG SendFlags) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST list, next;
  ULONG count = 0;
  BOOLEAN running;

  UNREFERENCED_PARAMETER(PortNumber);
  for (list = NetBufferList; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) count++;
  NdisAcquireSpinLock(&adapter->Lock);
  running = (BOOLEAN)(adapter->State == NicRunning && !adapter->Gone);
  if (running) adapter->Busy += count;
  NdisReleaseSpinLock(&adapter->Lock);

  if (!running) {
    for (list = NetBufferList; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list))
      NET_BUFFER_LIST_STATUS(list) = adapter->Gone ? NDIS_STATUS_NOT_ACCEPTED : NDIS_STATUS_PAUSED;
    NdisMSendNetBufferListsComplete(
        adapter->Handle, NetBufferList,
        NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
    return;
  }
  for (list = NetBufferList; list != NULL; list = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(list);
    NET_BUFFER_LIST_NEXT_NBL(list) = NULL;
    NicSendList(adapter, list);
  }
}

// At DISPATCH_LEVEL: what the card is through with.
VOID NicFinishSends(PNIC_ADAPTER Adapter) {
  for (;;) {
    PNIC_DESCRIPTOR ring = Adapter->TxRing.Address;
    PNET_BUFFER buffer = NULL;
    PNET_BUFFER_LIST list = NULL;
    BOOLEAN over = FALSE, error = FALSE;

    NdisDprAcquireSpinLock(&Adapter->Lock);
    while (buffer == NULL && Adapter->TxHead != Adapter->TxTail &&
           (ring[Adapter->TxHead].Status & NIC_DESCRIPTOR_DONE) != 0) {
      error = (BOOLEAN)((ring[Adapter->TxHead].Status & NIC_DESCRIPTOR_ERROR) != 0);
      buffer = Adapter->TxBuffers[Adapter->TxHead];
      Adapter->TxHead = (Adapter->TxHead + 1) % NIC_RING;
    }
    NicPush(Adapter);
    NdisDprReleaseSpinLock(&Adapter->Lock);
    if (buffer == NULL) return;

    NdisMFreeNetBufferSGList(Adapter->Dma, NIC_SG_OF(buffer), buffer);
    NdisDprAcquireSpinLock(&Adapter->Lock);
    list = NIC_LIST_OF(buffer);
    if (error) {
      Adapter->ErrorsOut++;
      NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_FAILURE;
    } else {
      Adapter->FramesOut++;
    }
    over = NicDropBuffer(buffer);
    NdisDprReleaseSpinLock(&Adapter->Lock);
    if (over) NicCompleteList(Adapter, list, TRUE);
  }
}

VOID NicCancelSend(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  // What was sent is with the card, or about to be: there is nothing that could be called back in time.
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(CancelId);
}
