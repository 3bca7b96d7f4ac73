// SPDX-License-Identifier: MIT
//
// nic6hw: the life of an adapter.
#include "nic6hw.h"

static VOID NicFreeAdapter(PNIC_ADAPTER Adapter) {
  ULONG q;

  NicFreeHardware(Adapter);
  for (q = 0; q < NIC_QUEUES; q++) NdisFreeSpinLock(&Adapter->Queues[q].Lock);
  NdisFreeSpinLock(&Adapter->Lock);
  NdisFreeMemory(Adapter, 0, 0);
}

static NDIS_STATUS NicSetRegistration(PNIC_ADAPTER Adapter) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
  PNDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES registration = &attributes.RegistrationAttributes;

  NdisZeroMemory(&attributes, sizeof(attributes));
  registration->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
  registration->Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->MiniportAdapterContext = Adapter;
  registration->AttributeFlags =
      NDIS_MINIPORT_ATTRIBUTES_HARDWARE_DEVICE | NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER;
  registration->InterfaceType = NdisInterfacePci;
  return NdisMSetMiniportAttributes(Adapter->Handle, &attributes);
}

static NDIS_STATUS NicSetGeneral(PNIC_ADAPTER Adapter) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
  NDIS_RECEIVE_SCALE_CAPABILITIES scaling;
  PNDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES general = &attributes.GeneralAttributes;
  ULONG64 speed = (ULONG64)NicRead(Adapter, NIC_REG_SPEED) * 1000000;

  NdisZeroMemory(&scaling, sizeof(scaling));
  scaling.Header.Type = NDIS_OBJECT_TYPE_RSS_CAPABILITIES;
  scaling.Header.Revision = NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2;
  scaling.Header.Size = NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2;
  scaling.CapabilitiesFlags = NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS | NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4 |
                              NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV6 | NdisHashFunctionToeplitz;
  scaling.NumberOfInterruptMessages = NIC_QUEUES;
  scaling.NumberOfReceiveQueues = NIC_QUEUES;
  scaling.NumberOfIndirectionTableEntries = NIC_RSS_TABLE;

  NdisZeroMemory(&attributes, sizeof(attributes));
  general->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
  general->Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->MediaType = NdisMedium802_3;
  general->PhysicalMediumType = NdisPhysicalMedium802_3;
  general->MtuSize = NIC_MTU;
  general->MaxXmitLinkSpeed = general->XmitLinkSpeed = speed;
  general->MaxRcvLinkSpeed = general->RcvLinkSpeed = speed;
  general->MediaConnectState = (NicRead(Adapter, NIC_REG_STATUS) & NIC_STATUS_LINK) != 0
                                   ? MediaConnectStateConnected
                                   : MediaConnectStateDisconnected;
  general->MediaDuplexState = MediaDuplexStateFull;
  general->LookaheadSize = NIC_FRAME_MAX;
  general->MacOptions =
      NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA | NDIS_MAC_OPTION_TRANSFERS_NOT_PEND | NDIS_MAC_OPTION_NO_LOOPBACK;
  general->SupportedPacketFilters = NIC_FILTERS;
  general->MaxMulticastListSize = NIC_MULTICAST_MAX;
  general->MacAddressLength = ETH_LENGTH_OF_ADDRESS;
  NdisMoveMemory(general->PermanentMacAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
  NdisMoveMemory(general->CurrentMacAddress, Adapter->CurrentAddress, ETH_LENGTH_OF_ADDRESS);
  general->RecvScaleCapabilities = Adapter->Messages ? &scaling : NULL;
  general->AccessType = NET_IF_ACCESS_BROADCAST;
  general->DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
  general->ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general->IfType = IF_TYPE_ETHERNET_CSMACD;
  general->IfConnectorPresent = TRUE;
  general->SupportedStatistics = NDIS_STATISTICS_XMIT_OK_SUPPORTED | NDIS_STATISTICS_RCV_OK_SUPPORTED |
                                 NDIS_STATISTICS_XMIT_ERROR_SUPPORTED | NDIS_STATISTICS_RCV_ERROR_SUPPORTED |
                                 NDIS_STATISTICS_GEN_STATISTICS_SUPPORTED;
  general->SupportedOidList = (PNDIS_OID)NicSupportedOids;
  general->SupportedOidListLength = NicSupportedOidsSize;
  return NdisMSetMiniportAttributes(Adapter->Handle, &attributes);
}

// The address of the card, unless the configuration has another.
static NDIS_STATUS NicReadAddress(PNIC_ADAPTER Adapter) {
  NDIS_CONFIGURATION_OBJECT object;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;
  PVOID address = NULL;
  UINT length = 0;
  ULONG low = NicRead(Adapter, NIC_REG_MAC_LOW), high = NicRead(Adapter, NIC_REG_MAC_HIGH);

  NdisMoveMemory(Adapter->PermanentAddress, &low, 4);
  NdisMoveMemory(Adapter->PermanentAddress + 4, &high, 2);
  NdisMoveMemory(Adapter->CurrentAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);

  NdisZeroMemory(&object, sizeof(object));
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
  object.NdisHandle = Adapter->Handle;
  status = NdisOpenConfigurationEx(&object, &configuration);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadNetworkAddress(&status, &address, &length, configuration);
  if (status == NDIS_STATUS_SUCCESS && length == ETH_LENGTH_OF_ADDRESS && !ETH_IS_MULTICAST(address) &&
      !ETH_IS_EMPTY(address))
    NdisMoveMemory(Adapter->CurrentAddress, address, ETH_LENGTH_OF_ADDRESS);
  NdisCloseConfiguration(configuration);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NicInitialize(NDIS_HANDLE NdisMiniportHandle, NDIS_HANDLE MiniportDriverContext,
                          PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters) {
  PNIC_ADAPTER adapter;
  NDIS_STATUS status;
  ULONG q;

  UNREFERENCED_PARAMETER(MiniportDriverContext);
  adapter =
      NdisAllocateMemoryWithTagPriority(NdisMiniportHandle, sizeof(*adapter), NIC_TAG, NormalPoolPriority);
  if (adapter == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(adapter, sizeof(*adapter));
  adapter->Handle = NdisMiniportHandle;
  adapter->State = NicPaused;  // NDIS restarts the adapter before the first send
  adapter->Lookahead = NIC_FRAME_MAX;
  NdisAllocateSpinLock(&adapter->Lock);
  for (q = 0; q < NIC_QUEUES; q++) {
    adapter->Queues[q].Adapter = adapter;
    adapter->Queues[q].Index = q;
    NdisAllocateSpinLock(&adapter->Queues[q].Lock);
  }

  status = NicSetRegistration(adapter);
  if (status == NDIS_STATUS_SUCCESS)
    status = NicMapRegisters(adapter, MiniportInitParameters->AllocatedResources);
  if (status == NDIS_STATUS_SUCCESS) status = NicReadAddress(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeRings(adapter);
  // Last of what the card can touch: from here its interrupts come, and find everything ready.
  if (status == NDIS_STATUS_SUCCESS) status = NicRegisterInterrupt(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicSetGeneral(adapter);
  if (status != NDIS_STATUS_SUCCESS) {
    NicStopInterrupts(adapter);
    NicFreeAdapter(adapter);
    return status;
  }
  NicStart(adapter);
  return NDIS_STATUS_SUCCESS;
}

VOID NicHalt(NDIS_HANDLE MiniportAdapterContext, NDIS_HALT_ACTION HaltAction) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(HaltAction);
  // The card first: what it might still write to is freed afterwards.
  NicReset(adapter);
  NicStopInterrupts(adapter);
  NicFreeAdapter(adapter);
}

VOID NicShutdown(NDIS_HANDLE MiniportAdapterContext, NDIS_SHUTDOWN_ACTION ShutdownAction) {
  UNREFERENCED_PARAMETER(ShutdownAction);
  NicReset(MiniportAdapterContext);  // no DMA into a system that is going down; nothing else may be done here
}

NDIS_STATUS NicRestart(NDIS_HANDLE MiniportAdapterContext,
                       PNDIS_MINIPORT_RESTART_PARAMETERS RestartParameters) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(RestartParameters);
  NdisAcquireSpinLock(&adapter->Lock);
  adapter->State = NicRunning;
  NdisReleaseSpinLock(&adapter->Lock);
  return NDIS_STATUS_SUCCESS;
}

// What the card has it finishes: the pause is over when the last of it is.
NDIS_STATUS NicPause(NDIS_HANDLE MiniportAdapterContext, PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  BOOLEAN idle;

  UNREFERENCED_PARAMETER(PauseParameters);
  NdisAcquireSpinLock(&adapter->Lock);
  idle = (BOOLEAN)(adapter->Busy == 0);
  adapter->State = idle ? NicPaused : NicPausing;
  adapter->PausePended = !idle;
  NdisReleaseSpinLock(&adapter->Lock);
  return idle ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PENDING;
}

VOID NicDone(PNIC_ADAPTER Adapter, ULONG Count) {
  NDIS_HANDLE handle = Adapter->Handle;
  BOOLEAN paused;

  if (Count == 0) return;
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

VOID NicDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  if (NetDevicePnPEvent->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved)
    InterlockedExchange(&adapter->Gone, 1);
}
