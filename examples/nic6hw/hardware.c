// SPDX-License-Identifier: MIT
//
// nic6hw: registers, rings and buffers.
#include "nic6hw.h"

NDIS_STATUS NicMapRegisters(PNIC_ADAPTER Adapter, PNDIS_RESOURCE_LIST Resources) {
  NDIS_STATUS status = NDIS_STATUS_RESOURCE_CONFLICT;
  PVOID registers;
  ULONG i;

  if (Resources == NULL) return NDIS_STATUS_RESOURCE_CONFLICT;
  for (i = 0; i < Resources->Count && Adapter->Registers == NULL; i++) {
    PCM_PARTIAL_RESOURCE_DESCRIPTOR d = &Resources->PartialDescriptors[i];
    if (d->Type != CmResourceTypeMemory) continue;
    status = NdisMMapIoSpace(&registers, Adapter->Handle, d->u.Memory.Start, d->u.Memory.Length);
    if (status != NDIS_STATUS_SUCCESS) return status;
    Adapter->Registers = registers;
    Adapter->RegistersLength = d->u.Memory.Length;
  }
  if (status != NDIS_STATUS_SUCCESS) return status;
  if (NicRead(Adapter, NIC_REG_ID) != NIC_ID) return NDIS_STATUS_ADAPTER_NOT_FOUND;
  NicReset(Adapter);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicAllocate(PNIC_ADAPTER Adapter, NIC_MEMORY* Memory, ULONG Length) {
  Memory->Length = Length;
  NdisMAllocateSharedMemory(Adapter->Handle, Length, TRUE, &Memory->Address, &Memory->Physical);
  if (Memory->Address == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(Memory->Address, Length);
  return NDIS_STATUS_SUCCESS;
}

static VOID NicFree(PNIC_ADAPTER Adapter, NIC_MEMORY* Memory) {
  if (Memory->Address != NULL)
    NdisMFreeSharedMemory(Adapter->Handle, Memory->Length, TRUE, Memory->Address, Memory->Physical);
}

static NDIS_STATUS NicMakeQueue(PNIC_QUEUE Queue) {
  PNIC_ADAPTER adapter = Queue->Adapter;
  NDIS_STATUS status;
  ULONG i;

  status = NicAllocate(adapter, &Queue->Ring, NIC_RING * sizeof(NIC_DESCRIPTOR));
  if (status == NDIS_STATUS_SUCCESS) status = NicAllocate(adapter, &Queue->Buffers, NIC_RING * NIC_BUFFER);
  for (i = 0; i < NIC_RING && status == NDIS_STATUS_SUCCESS; i++) {
    PNIC_FRAME frame = &Queue->Frames[i];
    frame->Queue = Queue;
    frame->Data = (PUCHAR)Queue->Buffers.Address + i * NIC_BUFFER;
    frame->Physical = (ULONG64)Queue->Buffers.Physical.QuadPart + i * NIC_BUFFER;
    frame->Mdl = NdisAllocateMdl(adapter->Handle, frame->Data, NIC_BUFFER);
    if (frame->Mdl == NULL) return NDIS_STATUS_RESOURCES;
    frame->List = NdisAllocateNetBufferAndNetBufferList(adapter->Pool, 0, 0, frame->Mdl, 0, 0);
    if (frame->List == NULL) return NDIS_STATUS_RESOURCES;
    frame->List->SourceHandle = adapter->Handle;
    NET_BUFFER_LIST_MINIPORT_RESERVED(frame->List)[0] = frame;
  }
  return status;
}

NDIS_STATUS NicMakeRings(PNIC_ADAPTER Adapter) {
  NDIS_SG_DMA_DESCRIPTION dma;
  NET_BUFFER_LIST_POOL_PARAMETERS pool;
  NDIS_STATUS status;
  ULONG q;

  NdisZeroMemory(&dma, sizeof(dma));
  dma.Header.Type = NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION;
  dma.Header.Revision = NDIS_SG_DMA_DESCRIPTION_REVISION_1;
  dma.Header.Size = NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1;
  dma.Flags = NDIS_SG_DMA_64_BIT_ADDRESS;
  dma.MaximumPhysicalMapping = 64 * 1024;
  dma.ProcessSGListHandler = NicProcessSGList;
  status = NdisMRegisterScatterGatherDma(Adapter->Handle, &dma, &Adapter->Dma);
  if (status != NDIS_STATUS_SUCCESS) return status;

  NdisZeroMemory(&pool, sizeof(pool));
  pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  pool.fAllocateNetBuffer = TRUE;
  pool.PoolTag = NIC_TAG;
  Adapter->Pool = NdisAllocateNetBufferListPool(Adapter->Handle, &pool);
  if (Adapter->Pool == NULL) return NDIS_STATUS_RESOURCES;

  status = NicAllocate(Adapter, &Adapter->TxRing, NIC_RING * sizeof(NIC_DESCRIPTOR));
  for (q = 0; q < NIC_QUEUES && status == NDIS_STATUS_SUCCESS; q++)
    status = NicMakeQueue(&Adapter->Queues[q]);
  return status;
}

// Whatever of the above there is. The card is quiet.
VOID NicFreeHardware(PNIC_ADAPTER Adapter) {
  ULONG q, i;

  for (q = 0; q < NIC_QUEUES; q++) {
    PNIC_QUEUE queue = &Adapter->Queues[q];
    for (i = 0; i < NIC_RING; i++) {
      if (queue->Frames[i].List != NULL) NdisFreeNetBufferList(queue->Frames[i].List);
      if (queue->Frames[i].Mdl != NULL) NdisFreeMdl(queue->Frames[i].Mdl);
    }
    NicFree(Adapter, &queue->Buffers);
    NicFree(Adapter, &queue->Ring);
  }
  NicFree(Adapter, &Adapter->TxRing);
  if (Adapter->Pool != NULL) NdisFreeNetBufferListPool(Adapter->Pool);
  if (Adapter->Dma != NULL) NdisMDeregisterScatterGatherDma(Adapter->Dma);
  if (Adapter->Registers != NULL)
    NdisMUnmapIoSpace(Adapter->Handle, Adapter->Registers, Adapter->RegistersLength);
}

VOID NicReset(PNIC_ADAPTER Adapter) {
  NicWrite(Adapter, NIC_REG_CONTROL, NIC_CONTROL_RESET);
}

// Gives a buffer to the card. The queue's lock is held, or nobody else knows the queue yet.
VOID NicPost(PNIC_QUEUE Queue, PNIC_FRAME Frame) {
  PNIC_DESCRIPTOR descriptor = (PNIC_DESCRIPTOR)Queue->Ring.Address + Queue->Tail;

  descriptor->Address = Frame->Physical;
  descriptor->Length = NIC_BUFFER;
  descriptor->Flags = 0;
  descriptor->Status = 0;
  Queue->Posted[Queue->Tail] = Frame;
  Queue->Tail = (Queue->Tail + 1) % NIC_RING;
}

// After a reset: tells the card where everything is, and lets it go.
VOID NicStart(PNIC_ADAPTER Adapter) {
  ULONG q, i, low, high = 0;

  NdisMoveMemory(&low, Adapter->CurrentAddress, 4);
  NdisMoveMemory(&high, Adapter->CurrentAddress + 4, 2);
  NicWrite(Adapter, NIC_REG_MAC_LOW, low);
  NicWrite(Adapter, NIC_REG_MAC_HIGH, high);
  NicWrite(Adapter, NIC_REG_FILTER, Adapter->PacketFilter);
  NicWrite(Adapter, NIC_REG_QUEUE(0) + NIC_QUEUE_TX_LOW, Adapter->TxRing.Physical.LowPart);
  NicWrite(Adapter, NIC_REG_QUEUE(0) + NIC_QUEUE_TX_HIGH, (ULONG)Adapter->TxRing.Physical.HighPart);
  NicWrite(Adapter, NIC_REG_QUEUE(0) + NIC_QUEUE_TX_SIZE, NIC_RING);
  for (q = 0; q < NIC_QUEUES; q++) {
    PNIC_QUEUE queue = &Adapter->Queues[q];
    NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_RX_LOW, queue->Ring.Physical.LowPart);
    NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_RX_HIGH, (ULONG)queue->Ring.Physical.HighPart);
    NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_RX_SIZE, NIC_RING);
    // One descriptor always stays free: full and empty look different then.
    for (i = 0; i < NIC_RING - 1; i++) NicPost(queue, &queue->Frames[i]);
    NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_RX_TAIL, queue->Tail);
    NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_VECTOR, q);
    if (Adapter->Messages) NicWrite(Adapter, NIC_REG_QUEUE(q) + NIC_QUEUE_ARM, 1);
  }
  if (Adapter->Messages)
    NicWrite(Adapter, NIC_REG_LINK_ARM, 1);
  else
    NicWrite(Adapter, NIC_REG_MASK, NIC_CAUSES_ALL);
  NicWrite(Adapter, NIC_REG_CONTROL, NIC_CONTROL_RECEIVE | NIC_CONTROL_TRANSMIT);
}
