// SPDX-License-Identifier: MIT
//
// nic5: sends are queued, and a timer carries them over the wire: it copies each frame into the ring,
// indicates it as received if the packet filter lets it in, and completes the send. What finds the ring empty
// is dropped.
#include "nic5.h"

// Until it is completed a packet is the miniport's, MiniportReserved with it.
C_ASSERT(sizeof(LIST_ENTRY) <= RTL_FIELD_SIZE(NDIS_PACKET, MiniportReserved));
#define NIC_LINK_OF(Packet) ((PLIST_ENTRY)(Packet)->MiniportReserved)
#define NIC_PACKET_OF(Link) CONTAINING_RECORD(Link, NDIS_PACKET, MiniportReserved)

// The lock is held.
static BOOLEAN NicAccepts(PNIC_ADAPTER Adapter, const UCHAR* Destination) {
  ULONG i;

  if (Adapter->PacketFilter & NDIS_PACKET_TYPE_PROMISCUOUS) return TRUE;
  if (ETH_IS_BROADCAST(Destination)) return (Adapter->PacketFilter & NDIS_PACKET_TYPE_BROADCAST) != 0;
  if (!ETH_IS_MULTICAST(Destination))
    return (Adapter->PacketFilter & NDIS_PACKET_TYPE_DIRECTED) != 0 &&
           NdisEqualMemory(Adapter->CurrentAddress, Destination, ETH_LENGTH_OF_ADDRESS);
  if (Adapter->PacketFilter & NDIS_PACKET_TYPE_ALL_MULTICAST) return TRUE;
  if (!(Adapter->PacketFilter & NDIS_PACKET_TYPE_MULTICAST)) return FALSE;
  for (i = 0; i < Adapter->MulticastCount; i++)
    if (NdisEqualMemory(Adapter->Multicast[i], Destination, ETH_LENGTH_OF_ADDRESS)) return TRUE;
  return FALSE;
}

// Takes `Count` off Busy. The lock is held.
static VOID NicDone(PNIC_ADAPTER Adapter, ULONG Count) {
  Adapter->Busy -= Count;
  if (Adapter->Busy == 0 && Adapter->Halting) NdisSetEvent(&Adapter->Idle);
}

// ---- sends ----

VOID NTAPI NicSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                          UINT NumberOfPackets) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  LIST_ENTRY refused;
  UINT i;

  InitializeListHead(&refused);
  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Busy += NumberOfPackets;
  for (i = 0; i < NumberOfPackets; i++)
    InsertTailList(adapter->Halting ? &refused : &adapter->Sends, NIC_LINK_OF(PacketArray[i]));
  if (!adapter->Halting && !adapter->WireTimerSet) {
    // Under the lock: once NicHalt has begun the timer must not be set again.
    adapter->WireTimerSet = TRUE;
    NdisMSetTimer(&adapter->WireTimer, NIC_WIRE_MILLISECONDS);
  }
  NdisReleaseSpinLock(&adapter->Lock);
  NicCompleteSends(adapter, &refused, NDIS_STATUS_FAILURE);
}

VOID NicTakeSends(PNIC_ADAPTER Adapter, PLIST_ENTRY Taken) {
  InitializeListHead(Taken);
  while (!IsListEmpty(&Adapter->Sends)) InsertTailList(Taken, RemoveHeadList(&Adapter->Sends));
}

VOID NicCompleteSends(PNIC_ADAPTER Adapter, PLIST_ENTRY Taken, NDIS_STATUS Status) {
  ULONG count = 0;

  while (!IsListEmpty(Taken)) {
    PNDIS_PACKET packet = NIC_PACKET_OF(RemoveHeadList(Taken));
    NdisMSendComplete(Adapter->Handle, packet, Status);
    count++;
  }
  if (count == 0) return;
  NdisAcquireSpinLock(&Adapter->Lock);
  NicDone(Adapter, count);
  NdisReleaseSpinLock(&Adapter->Lock);
}

VOID NTAPI NicCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  LIST_ENTRY cancelled;
  PLIST_ENTRY link, next;

  InitializeListHead(&cancelled);
  NdisAcquireSpinLock(&adapter->Lock);
  for (link = adapter->Sends.Flink; link != &adapter->Sends; link = next) {
    next = link->Flink;
    if (NDIS_GET_PACKET_CANCEL_ID(NIC_PACKET_OF(link)) != CancelId) continue;
    RemoveEntryList(link);
    InsertTailList(&cancelled, link);
  }
  NdisReleaseSpinLock(&adapter->Lock);
  NicCompleteSends(adapter, &cancelled, NDIS_STATUS_REQUEST_ABORTED);
}

// ---- the wire ----

// The frame of a packet that may lie in many pieces. FALSE: it is no frame, or cannot be read now.
static BOOLEAN NicCopy(PNDIS_PACKET Packet, PNIC_FRAME Frame) {
  PNDIS_BUFFER buffer;
  UINT length, total;
  PVOID data;

  NdisQueryPacket(Packet, NULL, NULL, &buffer, &total);
  if (total < NIC_HEADER || total > NIC_FRAME_MAX) return FALSE;
  Frame->Length = 0;
  for (; buffer != NULL; NdisGetNextBuffer(buffer, &buffer)) {
    NdisQueryBufferSafe(buffer, &data, &length, NormalPagePriority);
    if (data == NULL || length > NIC_FRAME_MAX - Frame->Length) return FALSE;
    NdisMoveMemory(Frame->Data + Frame->Length, data, length);
    Frame->Length += length;
  }
  return Frame->Length >= NIC_HEADER;
}

// Makes the packet describe the frame, whatever those above did to it last time.
static VOID NicPrepare(PNIC_ADAPTER Adapter, PNIC_FRAME Frame) {
  PNDIS_PACKET packet = Frame->Packet;

  NdisReinitializePacket(packet);
  NdisZeroMemory(NDIS_OOB_DATA_FROM_PACKET(packet), sizeof(NDIS_PACKET_OOB_DATA));
  NdisAdjustBufferLength(Frame->Buffer, Frame->Length);
  NDIS_BUFFER_LINKAGE(Frame->Buffer) = NULL;
  NdisChainBufferAtFront(packet, Frame->Buffer);
  NDIS_SET_PACKET_HEADER_SIZE(packet, NIC_HEADER);
  *(PNIC_FRAME*)packet->MiniportReserved = Frame;
  // With few free places left those above have to copy the frame, and the packet comes back with the call.
  NDIS_SET_PACKET_STATUS(packet,
                         Adapter->FreeCount < NIC_RING_LOW ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS);
}

// Over the wire with one packet. The lock is held. NULL: nobody is to receive it.
static PNIC_FRAME NicCarry(PNIC_ADAPTER Adapter, PNDIS_PACKET Packet) {
  PNIC_FRAME frame;

  if (IsListEmpty(&Adapter->Free)) {
    Adapter->Received.Discards++;
    return NULL;
  }
  frame = CONTAINING_RECORD(RemoveHeadList(&Adapter->Free), NIC_FRAME, Link);
  Adapter->FreeCount--;
  if (!NicCopy(Packet, frame)) {
    Adapter->Sent.Errors++;
  } else {
    Adapter->Sent.Frames++;
    if (NicAccepts(Adapter, frame->Data)) {
      Adapter->Received.Frames++;
      NicPrepare(Adapter, frame);
      return frame;
    }
  }
  InsertHeadList(&Adapter->Free, &frame->Link);
  Adapter->FreeCount++;
  return NULL;
}

static VOID NicPutBack(PNIC_ADAPTER Adapter, PNIC_FRAME Frame) {
  NdisAcquireSpinLock(&Adapter->Lock);
  InsertTailList(&Adapter->Free, &Frame->Link);
  Adapter->FreeCount++;
  NicDone(Adapter, 1);
  NdisReleaseSpinLock(&Adapter->Lock);
}

VOID NTAPI NicWire(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                   PVOID SystemSpecific3) {
  PNIC_ADAPTER adapter = FunctionContext;
  PNDIS_PACKET packets[NIC_RING];
  BOOLEAN borrowed[NIC_RING];  // whose status asks for it back at once; afterwards the packet is not ours to
                               // look at
  UINT count = 0, i;
  LIST_ENTRY sends;
  PLIST_ENTRY link;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);

  NdisDprAcquireSpinLock(&adapter->Lock);
  adapter->WireTimerSet = FALSE;
  NicTakeSends(adapter, &sends);
  for (link = sends.Flink; link != &sends; link = link->Flink) {
    PNIC_FRAME frame = NicCarry(adapter, NIC_PACKET_OF(link));
    if (frame == NULL) continue;
    borrowed[count] = (BOOLEAN)(NDIS_GET_PACKET_STATUS(frame->Packet) == NDIS_STATUS_RESOURCES);
    packets[count++] = frame->Packet;
  }
  adapter->Busy += count;
  NdisDprReleaseSpinLock(&adapter->Lock);

  if (count != 0) NdisMIndicateReceivePacket(adapter->Handle, packets, count);
  for (i = 0; i < count; i++)
    if (borrowed[i]) NicPutBack(adapter, *(PNIC_FRAME*)packets[i]->MiniportReserved);
  NicCompleteSends(adapter, &sends, NDIS_STATUS_SUCCESS);
}

// ---- returns ----

VOID NTAPI NicReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet) {
  NicPutBack(MiniportAdapterContext, *(PNIC_FRAME*)Packet->MiniportReserved);
}
