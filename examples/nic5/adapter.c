// SPDX-License-Identifier: MIT
//
// nic5: the life of an adapter.
#include "nic5.h"

static VOID NicFreeAdapter(PNIC_ADAPTER Adapter) {
  ULONG i;

  for (i = 0; i < NIC_RING; i++) {
    PNIC_FRAME frame = &Adapter->Ring[i];
    if (frame->Packet != NULL) {
      NdisReinitializePacket(frame->Packet);  // the buffer is freed apart
      NdisFreePacket(frame->Packet);
    }
    if (frame->Buffer != NULL) NdisFreeBuffer(frame->Buffer);
  }
  if (Adapter->BufferPool != NULL) NdisFreeBufferPool(Adapter->BufferPool);
  if (Adapter->PacketPool != NULL) NdisFreePacketPool(Adapter->PacketPool);
  NdisFreeSpinLock(&Adapter->Lock);
  NdisFreeMemory(Adapter, sizeof(*Adapter), 0);
}

// A made-up address, another one for each adapter of this run.
static VOID NicMakeAddress(PNIC_ADAPTER Adapter) {
  static const UCHAR First[ETH_LENGTH_OF_ADDRESS] = {0x02, 0x00, 0x05, 0x00, 0x00, 0x00};
  static LONG Number;
  LONG number = InterlockedIncrement(&Number);

  NdisMoveMemory(Adapter->PermanentAddress, First, sizeof(First));
  Adapter->PermanentAddress[4] = (UCHAR)(number >> 8);
  Adapter->PermanentAddress[5] = (UCHAR)number;
  NdisMoveMemory(Adapter->CurrentAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
}

// "NetworkAddress" in the adapter's configuration takes the place of the made-up address.
static NDIS_STATUS NicReadConfiguration(PNIC_ADAPTER Adapter, NDIS_HANDLE WrapperConfigurationContext) {
  NDIS_HANDLE configuration;
  NDIS_STATUS status;
  PVOID address = NULL;
  UINT length = 0;

  NdisOpenConfiguration(&status, &configuration, WrapperConfigurationContext);
  if (status != NDIS_STATUS_SUCCESS) return status;

  // NDIS does not look at what the user wrote there: a wrong length or a group address is not for a card.
  NdisReadNetworkAddress(&status, &address, &length, configuration);
  if (status == NDIS_STATUS_SUCCESS && length == ETH_LENGTH_OF_ADDRESS && !ETH_IS_MULTICAST(address) &&
      !ETH_IS_EMPTY(address))
    NdisMoveMemory(Adapter->CurrentAddress, address, ETH_LENGTH_OF_ADDRESS);
  NdisCloseConfiguration(configuration);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicMakeRing(PNIC_ADAPTER Adapter) {
  NDIS_STATUS status;
  ULONG i;

  NdisAllocatePacketPool(&status, &Adapter->PacketPool, NIC_RING, PROTOCOL_RESERVED_SIZE_IN_PACKET);
  if (status != NDIS_STATUS_SUCCESS) {
    Adapter->PacketPool = NULL;
    return status;
  }
  NdisAllocateBufferPool(&status, &Adapter->BufferPool, NIC_RING);
  if (status != NDIS_STATUS_SUCCESS) {
    Adapter->BufferPool = NULL;
    return status;
  }
  for (i = 0; i < NIC_RING; i++) {
    PNIC_FRAME frame = &Adapter->Ring[i];
    NdisAllocateBuffer(&status, &frame->Buffer, Adapter->BufferPool, frame->Data, NIC_FRAME_MAX);
    if (status != NDIS_STATUS_SUCCESS) {
      frame->Buffer = NULL;
      return status;
    }
    NdisAllocatePacket(&status, &frame->Packet, Adapter->PacketPool);
    if (status != NDIS_STATUS_SUCCESS) {
      frame->Packet = NULL;
      return status;
    }
    InsertTailList(&Adapter->Free, &frame->Link);
    Adapter->FreeCount++;
  }
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI NicInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext) {
  PNIC_ADAPTER adapter;
  NDIS_STATUS status;
  UINT medium = 0;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  while (medium < MediumArraySize && MediumArray[medium] != NdisMedium802_3) medium++;
  if (medium == MediumArraySize) return NDIS_STATUS_UNSUPPORTED_MEDIA;
  *SelectedMediumIndex = medium;

  status = NdisAllocateMemoryWithTag((PVOID*)&adapter, sizeof(*adapter), NIC_TAG);
  if (status != NDIS_STATUS_SUCCESS) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(adapter, sizeof(*adapter));
  adapter->Handle = MiniportAdapterHandle;
  adapter->Lookahead = NIC_FRAME_MAX - NIC_HEADER;
  InitializeListHead(&adapter->Sends);
  InitializeListHead(&adapter->Free);
  NdisAllocateSpinLock(&adapter->Lock);
  NdisInitializeEvent(&adapter->Idle);
  NicMakeAddress(adapter);

  // Before the first call that takes the adapter's handle for granted.
  NdisMSetAttributesEx(MiniportAdapterHandle, adapter, 0,
                       NDIS_ATTRIBUTE_DESERIALIZE | NDIS_ATTRIBUTE_SURPRISE_REMOVE_OK, NdisInterfaceInternal);
  NdisMInitializeTimer(&adapter->WireTimer, MiniportAdapterHandle, NicWire, adapter);

  status = NicReadConfiguration(adapter, WrapperConfigurationContext);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeRing(adapter);
  if (status != NDIS_STATUS_SUCCESS) NicFreeAdapter(adapter);
  return status;
}

NDIS_STATUS NTAPI NicReset(PBOOLEAN AddressingReset, NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  LIST_ENTRY sends;

  NdisAcquireSpinLock(&adapter->Lock);
  NicTakeSends(adapter, &sends);
  NdisReleaseSpinLock(&adapter->Lock);
  NicCompleteSends(adapter, &sends, NDIS_STATUS_RESET_IN_PROGRESS);
  *AddressingReset = FALSE;  // filter and multicast list are still what they were
  return NDIS_STATUS_SUCCESS;
}

VOID NTAPI NicHalt(NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  LIST_ENTRY sends;
  BOOLEAN cancelled, busy;

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Halting = TRUE;  // from here nothing is queued, and the timer is not set any more
  NicTakeSends(adapter, &sends);
  NdisReleaseSpinLock(&adapter->Lock);
  NicCompleteSends(adapter, &sends, NDIS_STATUS_FAILURE);

  // A timer that has already fired runs to its end.
  NdisMCancelTimer(&adapter->WireTimer, &cancelled);
  KeFlushQueuedDpcs();

  NdisAcquireSpinLock(&adapter->Lock);
  busy = (BOOLEAN)(adapter->Busy != 0);
  NdisReleaseSpinLock(&adapter->Lock);
  if (busy) {
    NdisWaitEvent(&adapter->Idle, 0);
    // Whoever set the event did so with the lock held, and may still be about to release it.
    NdisAcquireSpinLock(&adapter->Lock);
    NdisReleaseSpinLock(&adapter->Lock);
  }
  NicFreeAdapter(adapter);
}

VOID NTAPI NicShutdown(PVOID ShutdownContext) {
  // There is no hardware to bring to rest, and nothing else may be done here.
  UNREFERENCED_PARAMETER(ShutdownContext);
}

VOID NTAPI NicPnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                       PVOID InformationBuffer, ULONG InformationBufferLength) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(PnPEvent);
  UNREFERENCED_PARAMETER(InformationBuffer);
  UNREFERENCED_PARAMETER(InformationBufferLength);
}
