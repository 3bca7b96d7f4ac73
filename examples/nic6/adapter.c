// SPDX-License-Identifier: MIT
//
// nic6: the life of an adapter.
#include "nic6.h"

static VOID NicFreeAdapter(PNIC_ADAPTER Adapter) {
  ULONG i;

  for (i = 0; i < NIC_RING; i++) {
    if (Adapter->Ring[i].List != NULL) NdisFreeNetBufferList(Adapter->Ring[i].List);
    if (Adapter->Ring[i].Mdl != NULL) NdisFreeMdl(Adapter->Ring[i].Mdl);
  }
  if (Adapter->WireTimer != NULL) NdisFreeTimerObject(Adapter->WireTimer);
  if (Adapter->Pool != NULL) NdisFreeNetBufferListPool(Adapter->Pool);
  NdisFreeSpinLock(&Adapter->Lock);
  NdisFreeMemory(Adapter, 0, 0);
}

// A made-up address, the same at each start and another one for each adapter.
static VOID NicMakeAddress(PNIC_ADAPTER Adapter, NET_IFINDEX Index) {
  static const UCHAR First[ETH_LENGTH_OF_ADDRESS] = {0x02, 0x00, 0x06, 0x00, 0x00, 0x00};

  NdisMoveMemory(Adapter->PermanentAddress, First, sizeof(First));
  Adapter->PermanentAddress[4] = (UCHAR)(Index >> 8);
  Adapter->PermanentAddress[5] = (UCHAR)Index;
  NdisMoveMemory(Adapter->CurrentAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
}

// "NetworkAddress" in the adapter's configuration takes the place of the made-up address.
static NDIS_STATUS NicReadConfiguration(PNIC_ADAPTER Adapter) {
  NDIS_CONFIGURATION_OBJECT object;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;
  PVOID address = NULL;
  UINT length = 0;

  NdisZeroMemory(&object, sizeof(object));
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
  object.NdisHandle = Adapter->Handle;
  status = NdisOpenConfigurationEx(&object, &configuration);
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
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;
  ULONG i;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = NIC_TAG;
  Adapter->Pool = NdisAllocateNetBufferListPool(Adapter->Handle, &parameters);
  if (Adapter->Pool == NULL) return NDIS_STATUS_RESOURCES;

  for (i = 0; i < NIC_RING; i++) {
    PNIC_FRAME frame = &Adapter->Ring[i];
    frame->Mdl = NdisAllocateMdl(Adapter->Handle, frame->Data, NIC_FRAME_MAX);
    if (frame->Mdl == NULL) return NDIS_STATUS_RESOURCES;
    frame->List = NdisAllocateNetBufferAndNetBufferList(Adapter->Pool, 0, 0, frame->Mdl, 0, 0);
    if (frame->List == NULL) return NDIS_STATUS_RESOURCES;
    frame->List->SourceHandle = Adapter->Handle;
    InsertTailList(&Adapter->Free, &frame->Link);
  }
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NicMakeTimer(PNIC_ADAPTER Adapter) {
  NDIS_TIMER_CHARACTERISTICS timer;

  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = NIC_TAG;
  timer.TimerFunction = NicWire;
  timer.FunctionContext = Adapter;
  return NdisAllocateTimerObject(Adapter->Handle, &timer, &Adapter->WireTimer);
}

static NDIS_STATUS NicSetAttributes(PNIC_ADAPTER Adapter) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
  PNDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES registration = &attributes.RegistrationAttributes;
  PNDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES general = &attributes.GeneralAttributes;
  NDIS_STATUS status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  registration->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
  registration->Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->MiniportAdapterContext = Adapter;
  registration->AttributeFlags =
      NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM | NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK;
  registration->InterfaceType = NdisInterfaceInternal;
  status = NdisMSetMiniportAttributes(Adapter->Handle, &attributes);
  if (status != NDIS_STATUS_SUCCESS) return status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  general->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
  general->Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->MediaType = NdisMedium802_3;
  general->PhysicalMediumType = NdisPhysicalMediumUnspecified;
  general->MtuSize = NIC_MTU;
  general->MaxXmitLinkSpeed = general->XmitLinkSpeed = NIC_LINK_SPEED;
  general->MaxRcvLinkSpeed = general->RcvLinkSpeed = NIC_LINK_SPEED;
  general->MediaConnectState = MediaConnectStateConnected;
  general->MediaDuplexState = MediaDuplexStateFull;
  general->LookaheadSize = NIC_FRAME_MAX;
  general->MacOptions =
      NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA | NDIS_MAC_OPTION_TRANSFERS_NOT_PEND | NDIS_MAC_OPTION_NO_LOOPBACK;
  general->SupportedPacketFilters = NIC_FILTERS;
  general->MaxMulticastListSize = NIC_MULTICAST_MAX;
  general->MacAddressLength = ETH_LENGTH_OF_ADDRESS;
  NdisMoveMemory(general->PermanentMacAddress, Adapter->PermanentAddress, ETH_LENGTH_OF_ADDRESS);
  NdisMoveMemory(general->CurrentMacAddress, Adapter->CurrentAddress, ETH_LENGTH_OF_ADDRESS);
  general->AccessType = NET_IF_ACCESS_BROADCAST;
  general->DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
  general->ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general->IfType = IF_TYPE_ETHERNET_CSMACD;
  general->IfConnectorPresent = FALSE;
  general->SupportedStatistics = NDIS_STATISTICS_XMIT_OK_SUPPORTED | NDIS_STATISTICS_RCV_OK_SUPPORTED |
                                 NDIS_STATISTICS_XMIT_ERROR_SUPPORTED | NDIS_STATISTICS_RCV_ERROR_SUPPORTED |
                                 NDIS_STATISTICS_RCV_DISCARDS_SUPPORTED |
                                 NDIS_STATISTICS_XMIT_DISCARDS_SUPPORTED |
                                 NDIS_STATISTICS_GEN_STATISTICS_SUPPORTED;
  general->SupportedOidList = (PNDIS_OID)NicSupportedOids;
  general->SupportedOidListLength = NicSupportedOidsSize;
  return NdisMSetMiniportAttributes(Adapter->Handle, &attributes);
}

NDIS_STATUS NicInitialize(NDIS_HANDLE NdisMiniportHandle, NDIS_HANDLE MiniportDriverContext,
                          PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters) {
  PNIC_ADAPTER adapter;
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(MiniportDriverContext);
  adapter =
      NdisAllocateMemoryWithTagPriority(NdisMiniportHandle, sizeof(*adapter), NIC_TAG, NormalPoolPriority);
  if (adapter == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(adapter, sizeof(*adapter));
  adapter->Handle = NdisMiniportHandle;
  adapter->State = NicPaused;  // NDIS restarts the adapter before the first send
  adapter->Lookahead = NIC_FRAME_MAX;
  InitializeListHead(&adapter->Free);
  NdisAllocateSpinLock(&adapter->Lock);
  NicMakeAddress(adapter, MiniportInitParameters->IfIndex);

  status = NicReadConfiguration(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeRing(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicMakeTimer(adapter);
  if (status == NDIS_STATUS_SUCCESS) status = NicSetAttributes(adapter);
  if (status != NDIS_STATUS_SUCCESS) NicFreeAdapter(adapter);
  return status;
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

NDIS_STATUS NicPause(NDIS_HANDLE MiniportAdapterContext, PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  PNET_BUFFER_LIST waiting;
  ULONG completed;
  BOOLEAN idle;

  UNREFERENCED_PARAMETER(PauseParameters);
  NdisAcquireSpinLock(&adapter->Lock);
  adapter->State = NicPausing;  // from here NicSend refuses, and the timer is not set any more
  waiting = adapter->SendHead;
  adapter->SendHead = adapter->SendTail = NULL;
  NdisReleaseSpinLock(&adapter->Lock);

  completed = NicCompleteSends(adapter, waiting, NDIS_STATUS_PAUSED, 0);

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Busy -= completed;
  idle = (BOOLEAN)(adapter->Busy == 0);
  adapter->PausePended = !idle;
  if (idle) adapter->State = NicPaused;
  NdisReleaseSpinLock(&adapter->Lock);
  return idle ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PENDING;
}

VOID NicHalt(NDIS_HANDLE MiniportAdapterContext, NDIS_HALT_ACTION HaltAction) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(HaltAction);
  // The adapter is paused: nothing is out. But the timer may be about to run for sends that the pause has
  // completed, or may be in its last lines after it completed the pause.
  NdisCancelTimerObject(adapter->WireTimer);
  KeFlushQueuedDpcs();
  NicFreeAdapter(adapter);
}

VOID NicShutdown(NDIS_HANDLE MiniportAdapterContext, NDIS_SHUTDOWN_ACTION ShutdownAction) {
  // There is no hardware to bring to rest, and nothing else may be done here.
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(ShutdownAction);
}

VOID NicDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  PNIC_ADAPTER adapter = MiniportAdapterContext;
  if (NetDevicePnPEvent->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved)
    InterlockedExchange(&adapter->Gone, 1);
}
