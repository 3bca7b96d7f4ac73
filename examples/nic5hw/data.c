// SPDX-License-Identifier: MIT
//
// nic5hw: frames. A packet is copied into a buffer of the ring and is done at once; what finds the ring full
// is refused with NDIS_STATUS_RESOURCES, and NDIS sends it again when there is room.
#include "nic5hw.h"

// Copies a whole packet. 0: it is longer than a frame can be.
static ULONG NicCopyPacket(PNDIS_PACKET Packet, PUCHAR To) {
  PNDIS_BUFFER buffer;
  ULONG copied = 0;
  UINT length, total;
  PVOID data;

  NdisQueryPacket(Packet, NULL, NULL, &buffer, &total);
  if (total < NIC_HEADER || total > NIC_FRAME_MAX) return 0;
  for (; buffer != NULL; NdisGetNextBuffer(buffer, &buffer)) {
    NdisQueryBufferSafe(buffer, &data, &length, NormalPagePriority);
    if (data == NULL) return 0;
    NdisMoveMemory(To + copied, data, length);
    copied += length;
  }
  return copied;
}

NDIS_STATUS NTAPI NicSend(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet, UINT Flags) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNIC_DESCRIPTOR descriptor = (PNIC_DESCRIPTOR)adapter->Tx.Ring.Address + adapter->Tx.Tail;
  ULONG length;

  UNREFERENCED_PARAMETER(Flags);
  if ((adapter->Tx.Tail + 1) % NIC_RING == adapter->Tx.Head) return NDIS_STATUS_RESOURCES;
  length = NicCopyPacket(Packet, (PUCHAR)adapter->Tx.Buffers.Address + adapter->Tx.Tail * NIC_BUFFER);
  if (length == 0) {
    adapter->ErrorsOut++;
    return NDIS_STATUS_INVALID_PACKET;
  }
  descriptor->Length = (USHORT)length;
  descriptor->Flags = NIC_DESCRIPTOR_END;
  descriptor->Status = 0;
  adapter->Tx.Tail = (adapter->Tx.Tail + 1) % NIC_RING;
  NicOut(adapter, NIC_PORT_TX_TAIL, adapter->Tx.Tail);
  return NDIS_STATUS_SUCCESS;
}

// ---- the interrupt ----

// At the card's IRQL. The line is shared: the card may not be the one that asks.
VOID NTAPI NicIsr(PBOOLEAN InterruptRecognized, PBOOLEAN QueueMiniportHandleInterrupt,
                  NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  *InterruptRecognized = *QueueMiniportHandleInterrupt =
      (BOOLEAN)((NicIn(adapter, NIC_PORT_CAUSES) & NicIn(adapter, NIC_PORT_MASK)) != 0);
  if (*InterruptRecognized) NicDisableInterrupt(adapter);  // until NicHandleInterrupt is through
}

VOID NTAPI NicDisableInterrupt(NDIS_HANDLE MiniportAdapterContext) {
  NicOut(MiniportAdapterContext, NIC_PORT_MASK, 0);
}

// NDIS calls it after NicHandleInterrupt.
VOID NTAPI NicEnableInterrupt(NDIS_HANDLE MiniportAdapterContext) {
  NicOut(MiniportAdapterContext, NIC_PORT_MASK, NIC_CAUSES_ALL);
}

static VOID NicFinishSends(PNIC_ADAPTER Adapter) {
  PNIC_DESCRIPTOR ring = Adapter->Tx.Ring.Address;
  BOOLEAN any = FALSE;

  while (Adapter->Tx.Head != Adapter->Tx.Tail && (ring[Adapter->Tx.Head].Status & NIC_DESCRIPTOR_DONE) != 0) {
    if (ring[Adapter->Tx.Head].Status & NIC_DESCRIPTOR_ERROR)
      Adapter->ErrorsOut++;
    else
      Adapter->FramesOut++;
    Adapter->Tx.Head = (Adapter->Tx.Head + 1) % NIC_RING;
    any = TRUE;
  }
  if (any) NdisMSendResourcesAvailable(Adapter->Handle);
}

// Each frame is indicated from its buffer: who wants more of it than the look-ahead has NicTransferData, now.
static VOID NicReceiveFrames(PNIC_ADAPTER Adapter) {
  PNIC_DESCRIPTOR ring = Adapter->Rx.Ring.Address;
  BOOLEAN any = FALSE;

  while (Adapter->Rx.Head != Adapter->Rx.Tail && (ring[Adapter->Rx.Head].Status & NIC_DESCRIPTOR_DONE) != 0) {
    PNIC_DESCRIPTOR descriptor = &ring[Adapter->Rx.Head];
    PUCHAR frame = (PUCHAR)Adapter->Rx.Buffers.Address + Adapter->Rx.Head * NIC_BUFFER;
    UINT length = (UINT)descriptor->Length - NIC_HEADER;
    Adapter->FramesIn++;
    NdisMEthIndicateReceive(Adapter->Handle, (NDIS_HANDLE)descriptor, (PCHAR)frame, NIC_HEADER,
                            frame + NIC_HEADER, length < Adapter->Lookahead ? length : Adapter->Lookahead,
                            length);
    any = TRUE;
    descriptor->Length = NIC_BUFFER;
    descriptor->Status = 0;
    Adapter->Rx.Head = (Adapter->Rx.Head + 1) % NIC_RING;
    Adapter->Rx.Tail = (Adapter->Rx.Tail + 1) % NIC_RING;
    NicOut(Adapter, NIC_PORT_RX_TAIL, Adapter->Rx.Tail);
  }
  if (any) NdisMEthIndicateReceiveComplete(Adapter->Handle);
}

NDIS_STATUS NTAPI NicTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                  NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                  UINT ByteOffset, UINT BytesToTransfer) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNIC_DESCRIPTOR descriptor = MiniportReceiveContext;
  ULONG index = (ULONG)(descriptor - (PNIC_DESCRIPTOR)adapter->Rx.Ring.Address);
  PUCHAR from = (PUCHAR)adapter->Rx.Buffers.Address + index * NIC_BUFFER + NIC_HEADER + ByteOffset;
  PNDIS_BUFFER buffer;
  UINT length, copied = 0;
  PVOID data;

  NdisQueryPacket(Packet, NULL, NULL, &buffer, NULL);
  for (; buffer != NULL && copied < BytesToTransfer; NdisGetNextBuffer(buffer, &buffer)) {
    NdisQueryBufferSafe(buffer, &data, &length, NormalPagePriority);
    if (data == NULL) break;
    if (length > BytesToTransfer - copied) length = BytesToTransfer - copied;
    NdisMoveMemory(data, from + copied, length);
    copied += length;
  }
  *BytesTransferred = copied;
  return copied == BytesToTransfer ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
}

VOID NTAPI NicHandleInterrupt(NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  ULONG causes = NicIn(adapter, NIC_PORT_CAUSES);
  BOOLEAN connected;

  NicOut(adapter, NIC_PORT_CAUSES, causes);  // before the work: what comes meanwhile asks again
  NicFinishSends(adapter);
  NicReceiveFrames(adapter);
  if ((causes & NIC_CAUSE_LINK) == 0) return;
  connected = (BOOLEAN)((NicIn(adapter, NIC_PORT_STATUS) & NIC_STATUS_LINK) != 0);
  if (connected == adapter->Connected) return;
  adapter->Connected = connected;
  NdisMIndicateStatus(adapter->Handle, connected ? NDIS_STATUS_MEDIA_CONNECT : NDIS_STATUS_MEDIA_DISCONNECT,
                      NULL, 0);
  NdisMIndicateStatusComplete(adapter->Handle);
}
