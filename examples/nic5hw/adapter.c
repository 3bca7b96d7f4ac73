// SPDX-License-Identifier: MIT
//
// nic5hw: the life of an adapter.
#include "nic5hw.h"

static VOID NicFreeMemory(PNIC_ADAPTER Adapter, NIC_MEMORY* Memory) {
  if (Memory->Address != NULL)
    NdisMFreeSharedMemory(Adapter->Handle, Memory->Length, TRUE, Memory->Address, Memory->Physical);
}

static VOID NicFreeAdapter(PNIC_ADAPTER Adapter) {
  NicFreeMemory(Adapter, &Adapter->Tx.Ring);
  NicFreeMemory(Adapter, &Adapter->Tx.Buffers);
  NicFreeMemory(Adapter, &Adapter->Rx.Ring);
  NicFreeMemory(Adapter, &Adapter->Rx.Buffers);
  if (Adapter->Ports != NULL)
    NdisMDeregisterIoPortRange(Adapter->Handle, Adapter->FirstPort, NIC_PORTS, Adapter->Ports);
  NdisFreeMemory(Adapter, sizeof(*Adapter), 0);
}

// Which ports and which interrupt the card was given.
static NDIS_STATUS NicReadResources(PNIC_ADAPTER Adapter, NDIS_HANDLE WrapperConfigurationContext) {
  PNDIS_RESOURCE_LIST list = NULL;
  NDIS_STATUS status;
  UINT size = 0, i;
  BOOLEAN ports = FALSE, interrupt = FALSE;

  NdisMQueryAdapterResources(&status, WrapperConfigurationContext, NULL, &size);  // how long it is
  if (size == 0) return NDIS_STATUS_RESOURCE_CONFLICT;
  status = NdisAllocateMemoryWithTag((PVOID*)&list, size, NIC_TAG);
  if (status != NDIS_STATUS_SUCCESS) return NDIS_STATUS_RESOURCES;
  NdisMQueryAdapterResources(&status, WrapperConfigurationContext, list, &size);
  for (i = 0; status == NDIS_STATUS_SUCCESS && i < list->Count; i++) {
    PCM_PARTIAL_RESOURCE_DESCRIPTOR d = &list->PartialDescriptors[i];
    if (d->Type == CmResourceTypePort && d->u.Port.Length >= NIC_PORTS) {
      Adapter->FirstPort = d->u.Port.Start.LowPart;
      ports = TRUE;
    } else if (d->Type == CmResourceTypeInterrupt) {
      Adapter->Vector = d->u.Interrupt.Vector;
      Adapter->Level = d->u.Interrupt.Level;
      interrupt = TRUE;
    }
  }
  NdisFreeMemory(list, size, 0);
  if (status != NDIS_STATUS_SUCCESS) return status;
  return ports && interrupt ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCE_CONFLICT;
}

static NDIS_STATUS NicReadConfiguration(PNIC_ADAPTER Adapter, NDIS_HANDLE WrapperConfigurationContext) {
  NDIS_HANDLE configuration;
  NDIS_STATUS status;
  PVOID address = NULL;
  UINT length = 0;

  NdisOpenConfiguration(&status, &configuration, WrapperConfigurationContext);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadNetworkAddress(&status, &address, &length, configuration);
  if (status == NDIS_STATUS_SUCCESS && length == ETH_LENGTH_OF_ADDRESS && !ETH_IS_MULTICAST(address) &&
      !ETH_IS_EMPTY(address))
    NdisMoveMemory(Adapter->CurrentAddress, address, ETH_LENGTH_OF_ADDRESS);
  NdisCloseConfiguration(configuration);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicFindCard(PNIC_ADAPTER Adapter) {
  PVOID ports = NULL;
  ULONG low, high;
  NDIS_STATUS status = NdisMRegisterIoPortRange(&ports, Adapter->Handle, Adapter->FirstPort, NIC_PORTS);

  if (status != NDIS_STATUS_SUCCESS) return status;
  Adapter->Ports = ports;
  if (NicIn(Adapter, NIC_PORT_ID) != NIC_ID) return NDIS_STATUS_ADAPTER_NOT_FOUND;
  NicOut(Adapter, NIC_PORT_CONTROL, NIC_CONTROL_RESET);
  low = NicIn(Adapter, NIC_PORT_MAC_LOW);
  high = NicIn(Adapter, NIC_PORT_MAC_HIGH);
  NdisMoveMemory(Adapter->PermanentAddress, &low, 4);
  NdisMoveMemory(Adapter->PermanentAddress + 4, &high, 2);
  NdisMoveMemory(Adapter->CurrentAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicAllocateMemory(PNIC_ADAPTER Adapter, NIC_MEMORY* Memory, ULONG Length) {
  Memory->Length = Length;
  NdisMAllocateSharedMemory(Adapter->Handle, Length, TRUE, &Memory->Address, &Memory->Physical);
  if (Memory->Address == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(Memory->Address, Length);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicMakeRing(PNIC_ADAPTER Adapter, NIC_RING_STATE* Ring) {
  NDIS_STATUS status = NicAllocateMemory(Adapter, &Ring->Ring, NIC_RING * sizeof(NIC_DESCRIPTOR));

  if (status == NDIS_STATUS_SUCCESS)
    status = NicAllocateMemory(Adapter, &Ring->Buffers, NIC_RING * NIC_BUFFER);
  return status;
}

// After a reset of the card: each descriptor has its buffer for good.
static VOID NicPrepareRing(NIC_RING_STATE* Ring, USHORT Length) {
  PNIC_DESCRIPTOR descriptor = Ring->Ring.Address;
  ULONG i;

  for (i = 0; i < NIC_RING; i++) {
    descriptor[i].Address = (ULONG64)Ring->Buffers.Physical.QuadPart + i * NIC_BUFFER;
    descriptor[i].Length = Length;
    descriptor[i].Flags = 0;
    descriptor[i].Status = 0;
  }
  Ring->Head = Ring->Tail = 0;
}

VOID NicSetFilter(PNIC_ADAPTER Adapter) {
  NicOut(Adapter, NIC_PORT_FILTER, Adapter->PacketFilter | Adapter->MulticastFilter);
}

static VOID NicStart(PNIC_ADAPTER Adapter) {
  ULONG low, high = 0;

  NicPrepareRing(&Adapter->Tx, 0);
  NicPrepareRing(&Adapter->Rx, NIC_BUFFER);
  NdisMoveMemory(&low, Adapter->CurrentAddress, 4);
  NdisMoveMemory(&high, Adapter->CurrentAddress + 4, 2);
  NicOut(Adapter, NIC_PORT_MAC_LOW, low);
  NicOut(Adapter, NIC_PORT_MAC_HIGH, high);
  NicOut(Adapter, NIC_PORT_TX_LOW, Adapter->Tx.Ring.Physical.LowPart);
  NicOut(Adapter, NIC_PORT_TX_HIGH, (ULONG)Adapter->Tx.Ring.Physical.HighPart);
  NicOut(Adapter, NIC_PORT_TX_SIZE, NIC_RING);
  NicOut(Adapter, NIC_PORT_RX_LOW, Adapter->Rx.Ring.Physical.LowPart);
  NicOut(Adapter, NIC_PORT_RX_HIGH, (ULONG)Adapter->Rx.Ring.Physical.HighPart);
  NicOut(Adapter, NIC_PORT_RX_SIZE, NIC_RING);
  Adapter->Rx.Tail = NIC_RING - 1;  // one stays free: full and empty look different then
  NicOut(Adapter, NIC_PORT_RX_TAIL, Adapter->Rx.Tail);
  NicSetFilter(Adapter);
  Adapter->Connected = (BOOLEAN)((NicIn(Adapter, NIC_PORT_STATUS) & NIC_STATUS_LINK) != 0);
  NicOut(Adapter, NIC_PORT_MASK, NIC_CAUSES_ALL);
  NicOut(Adapter, NIC_PORT_CONTROL, NIC_CONTROL_RECEIVE | NIC_CONTROL_TRANSMIT);
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
  NdisMSetAttributesEx(MiniportAdapterHandle, adapter, 0, NDIS_ATTRIBUTE_BUS_MASTER, NdisInterfacePci);

  status = NicReadResources(adapter, WrapperConfigurationContext);
  if (status == NDIS_STATUS_SUCCESS) status = NicFindCard(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicReadConfiguration(adapter, WrapperConfigurationContext);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeRing(adapter, &adapter->Tx);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeRing(adapter, &adapter->Rx);
  if (status == NDIS_STATUS_SUCCESS)
    status = NdisMRegisterInterrupt(&adapter->Interrupt, MiniportAdapterHandle, adapter->Vector,
                                    adapter->Level, TRUE, TRUE, NdisInterruptLevelSensitive);
  if (status != NDIS_STATUS_SUCCESS) {
    NicFreeAdapter(adapter);
    return status;
  }
  NicStart(adapter);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI NicReset(PBOOLEAN AddressingReset, NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  NicOut(adapter, NIC_PORT_CONTROL, NIC_CONTROL_RESET);
  NicStart(adapter);
  *AddressingReset = FALSE;  // address, filter and list are set again already
  return NDIS_STATUS_SUCCESS;
}

VOID NTAPI NicHalt(NDIS_HANDLE MiniportAdapterContext) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  NicOut(adapter, NIC_PORT_CONTROL, NIC_CONTROL_RESET);  // no transfer, no interrupt any more
  NdisMDeregisterInterrupt(&adapter->Interrupt);
  NicFreeAdapter(adapter);
}

VOID NTAPI NicShutdown(PVOID ShutdownContext) {
  NicOut(ShutdownContext, NIC_PORT_CONTROL, NIC_CONTROL_RESET);
}

VOID NTAPI NicPnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                       PVOID InformationBuffer, ULONG InformationBufferLength) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(PnPEvent);
  UNREFERENCED_PARAMETER(InformationBuffer);
  UNREFERENCED_PARAMETER(InformationBufferLength);
}
