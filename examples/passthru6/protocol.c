// SPDX-License-Identifier: MIT
//
// passthru6: the protocol half, as far as it is not data.
#include "passthru6.h"

// ---- the adapter structure ----

static VOID PtFreeAdapter(PPT_ADAPTER Adapter) {
  if (Adapter->DeviceName.Buffer != NULL) NdisFreeMemory(Adapter->DeviceName.Buffer, 0, 0);
  if (Adapter->Pool != NULL) NdisFreeNetBufferListPool(Adapter->Pool);
  NdisFreeSpinLock(&Adapter->Lock);
  NdisFreeMemory(Adapter, 0, 0);
}

// The virtual miniport is like the adapter below, as far as frames are concerned.
static VOID PtLearnAttributes(PPT_ADAPTER Adapter, PNDIS_BIND_PARAMETERS Below) {
  PNDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES general = &Adapter->General;

  general->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
  general->Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2;
  general->MediaType = Below->MediaType;
  general->PhysicalMediumType = Below->PhysicalMediumType;
  general->MtuSize = Below->MtuSize;
  general->MaxXmitLinkSpeed = Below->MaxXmitLinkSpeed;
  general->XmitLinkSpeed = Below->XmitLinkSpeed;
  general->MaxRcvLinkSpeed = Below->MaxRcvLinkSpeed;
  general->RcvLinkSpeed = Below->RcvLinkSpeed;
  general->MediaConnectState = Below->MediaConnectState;
  general->MediaDuplexState = Below->MediaDuplexState;
  general->LookaheadSize = Below->LookaheadSize;
  general->MacOptions = Below->MacOptions;
  general->SupportedPacketFilters = Below->SupportedPacketFilters;
  general->MaxMulticastListSize = Below->MaxMulticastListSize;
  general->MacAddressLength = Below->MacAddressLength;
  NdisMoveMemory(general->PermanentMacAddress, Below->CurrentMacAddress, Below->MacAddressLength);
  NdisMoveMemory(general->CurrentMacAddress, Below->CurrentMacAddress, Below->MacAddressLength);
  general->AccessType = Below->AccessType;
  general->DirectionType = Below->DirectionType;
  general->ConnectionType = Below->ConnectionType;
  general->IfType = Below->IfType;
  general->IfConnectorPresent = FALSE;
  general->DataBackFillSize = Below->DataBackFillSize;
  general->ContextBackFillSize = Below->ContextBackFillSize;
}

static NDIS_STATUS PtAllocateAdapter(PNDIS_BIND_PARAMETERS BindParameters, PPT_ADAPTER* Result) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;
  PPT_ADAPTER adapter;

  adapter = NdisAllocateMemoryWithTagPriority(Pt.Protocol, sizeof(*adapter), PT_TAG, NormalPoolPriority);
  if (adapter == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(adapter, sizeof(*adapter));
  NdisAllocateSpinLock(&adapter->Lock);
  NdisInitializeEvent(&adapter->Completed);
  NdisInitializeEvent(&adapter->Initialized);
  NdisInitializeEvent(&adapter->Halted);
  NdisInitializeEvent(&adapter->NoUsers);
  NdisInitializeEvent(&adapter->NoSends);
  PtLearnAttributes(adapter, BindParameters);

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = PT_TAG;
  adapter->Pool = NdisAllocateNetBufferListPool(Pt.Protocol, &parameters);
  if (adapter->Pool == NULL) {
    PtFreeAdapter(adapter);
    return NDIS_STATUS_RESOURCES;
  }
  *Result = adapter;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS PtCopyName(PPT_ADAPTER Adapter, PNDIS_STRING Name) {
  PWCHAR buffer = NdisAllocateMemoryWithTagPriority(Pt.Protocol, Name->Length + sizeof(WCHAR), PT_TAG,
                                                    NormalPoolPriority);

  if (buffer == NULL) return NDIS_STATUS_RESOURCES;
  NdisMoveMemory(buffer, Name->Buffer, Name->Length);
  buffer[Name->Length / sizeof(WCHAR)] = 0;
  Adapter->DeviceName.Buffer = buffer;
  Adapter->DeviceName.Length = Name->Length;
  Adapter->DeviceName.MaximumLength = (USHORT)(Name->Length + sizeof(WCHAR));
  return NDIS_STATUS_SUCCESS;
}

// "UpperBindings" in the protocol's section for this binding names the device of the virtual miniport.
static NDIS_STATUS PtReadDeviceName(PPT_ADAPTER Adapter) {
  NDIS_STRING keyword = NDIS_STRING_CONST("UpperBindings");
  PNDIS_CONFIGURATION_PARAMETER name;
  NDIS_CONFIGURATION_OBJECT object;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;

  NdisZeroMemory(&object, sizeof(object));
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
  object.NdisHandle = Adapter->Binding;
  status = NdisOpenConfigurationEx(&object, &configuration);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadConfiguration(&status, &name, configuration, &keyword, NdisParameterString);
  if (status == NDIS_STATUS_SUCCESS) status = PtCopyName(Adapter, &name->ParameterData.StringData);
  NdisCloseConfiguration(configuration);
  return status;
}

// ---- bind and unbind ----

VOID PtOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  adapter->Status = Status;
  NdisSetEvent(&adapter->Completed);
}

VOID PtCloseComplete(NDIS_HANDLE ProtocolBindingContext) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  NdisSetEvent(&adapter->Completed);
}

static NDIS_STATUS PtOpen(PPT_ADAPTER Adapter, NDIS_HANDLE BindContext, PNDIS_STRING AdapterName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_OPEN_PARAMETERS open;
  NDIS_STATUS status;
  UINT medium;

  NdisZeroMemory(&open, sizeof(open));
  open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
  open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
  open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
  open.AdapterName = AdapterName;
  open.MediumArray = media;
  open.MediumArraySize = RTL_NUMBER_OF(media);
  open.SelectedMediumIndex = &medium;
  status = NdisOpenAdapterEx(Pt.Protocol, Adapter, &open, BindContext, &Adapter->Binding);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Adapter->Completed, 0);
  return Adapter->Status;
}

static VOID PtClose(PPT_ADAPTER Adapter) {
  NdisResetEvent(&Adapter->Completed);
  if (NdisCloseAdapterEx(Adapter->Binding) == NDIS_STATUS_PENDING) NdisWaitEvent(&Adapter->Completed, 0);
}

NDIS_STATUS PtBind(NDIS_HANDLE ProtocolDriverContext, NDIS_HANDLE BindContext,
                   PNDIS_BIND_PARAMETERS BindParameters) {
  PPT_ADAPTER adapter;
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(ProtocolDriverContext);
  status = PtAllocateAdapter(BindParameters, &adapter);
  if (status != NDIS_STATUS_SUCCESS) return status;
  status = PtOpen(adapter, BindContext, BindParameters->AdapterName);
  if (status != NDIS_STATUS_SUCCESS) {
    PtFreeAdapter(adapter);
    return status;
  }
  status = PtReadDeviceName(adapter);
  if (status == NDIS_STATUS_SUCCESS) {
    // PtInitialize runs inside this call, or at any time afterwards.
    adapter->InitializePending = TRUE;
    status = NdisIMInitializeDeviceInstanceEx(Pt.Driver, &adapter->DeviceName, adapter);
  }
  if (status != NDIS_STATUS_SUCCESS) {
    PtClose(adapter);
    PtFreeAdapter(adapter);
  }
  return status;
}

// Takes the virtual miniport down, in whatever state it is.
static VOID PtRemoveMiniport(PPT_ADAPTER Adapter) {
  NDIS_HANDLE miniport;
  BOOLEAN pending;

  NdisAcquireSpinLock(&Adapter->Lock);
  pending = Adapter->InitializePending;
  NdisReleaseSpinLock(&Adapter->Lock);
  if (pending) {
    if (NdisIMCancelInitializeDeviceInstance(Pt.Driver, &Adapter->DeviceName) == NDIS_STATUS_SUCCESS) return;
    NdisWaitEvent(&Adapter->Initialized, 0);  // too late to cancel: it is under way
  }

  NdisAcquireSpinLock(&Adapter->Lock);
  miniport = Adapter->Miniport;
  NdisReleaseSpinLock(&Adapter->Lock);
  if (miniport == NULL) return;  // its initialize failed, or it has been halted on its own
  NdisIMDeInitializeDeviceInstance(miniport);
  NdisWaitEvent(&Adapter->Halted, 0);  // set already, unless somebody else is just halting it
}

NDIS_STATUS PtUnbind(NDIS_HANDLE UnbindContext, NDIS_HANDLE ProtocolBindingContext) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(UnbindContext);
  PtRemoveMiniport(adapter);
  PtClose(adapter);
  PtFreeAdapter(adapter);
  return NDIS_STATUS_SUCCESS;
}

// ---- pause and restart of the binding ----

static VOID PtRestartBelow(PPT_ADAPTER Adapter) {
  NdisAcquireSpinLock(&Adapter->Lock);
  Adapter->Below = PtRunning;
  NdisReleaseSpinLock(&Adapter->Lock);
}

// Lets the sends under way end. What those above send from now on is refused until the restart.
static VOID PtPauseBelow(PPT_ADAPTER Adapter) {
  BOOLEAN sends;

  NdisAcquireSpinLock(&Adapter->Lock);
  Adapter->Below = PtPausing;
  sends = (BOOLEAN)(Adapter->Sends != 0);
  NdisResetEvent(&Adapter->NoSends);
  NdisReleaseSpinLock(&Adapter->Lock);
  if (sends) NdisWaitEvent(&Adapter->NoSends, 0);
  NdisAcquireSpinLock(&Adapter->Lock);
  Adapter->Below = PtPaused;
  NdisReleaseSpinLock(&Adapter->Lock);
}

NDIS_STATUS PtNetPnPEvent(NDIS_HANDLE ProtocolBindingContext,
                          PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  switch (NetPnPEventNotification->NetPnPEvent.NetEvent) {
  case NetEventRestart:
    PtRestartBelow(adapter);
    return NDIS_STATUS_SUCCESS;
  case NetEventPause:
    PtPauseBelow(adapter);
    return NDIS_STATUS_SUCCESS;
  case NetEventSetPower:
  case NetEventQueryPower:
  case NetEventQueryRemoveDevice:
  case NetEventCancelRemoveDevice:
  case NetEventReconfigure:
  case NetEventBindList:
  case NetEventBindsComplete:
  case NetEventPnPCapabilities:
  case NetEventPortActivation:
  case NetEventPortDeactivation:
    return NDIS_STATUS_SUCCESS;  // nothing of ours depends on it
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

// ---- status ----

VOID PtStatus(NDIS_HANDLE ProtocolBindingContext, PNDIS_STATUS_INDICATION StatusIndication) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  NDIS_STATUS_INDICATION status;

  if (!PtBeginUse(adapter)) return;
  NdisZeroMemory(&status, sizeof(status));
  status.Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
  status.Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
  status.Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
  status.SourceHandle = adapter->Miniport;
  status.PortNumber = StatusIndication->PortNumber;
  status.StatusCode = StatusIndication->StatusCode;
  status.Flags = StatusIndication->Flags;
  status.StatusBuffer = StatusIndication->StatusBuffer;
  status.StatusBufferSize = StatusIndication->StatusBufferSize;
  NdisMIndicateStatusEx(adapter->Miniport, &status);
  PtEndUse(adapter);
}
