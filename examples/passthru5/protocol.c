// SPDX-License-Identifier: MIT
//
// passthru5: the protocol half, as far as it is not data.
#include "passthru5.h"

// ---- the adapter structure ----

static VOID PtFreeAdapter(PPT_ADAPTER Adapter) {
  if (Adapter->ReceivePool != NULL) NdisFreePacketPool(Adapter->ReceivePool);
  if (Adapter->SendPool != NULL) NdisFreePacketPool(Adapter->SendPool);
  NdisFreeSpinLock(&Adapter->Lock);
  NdisFreeMemory(Adapter, 0, 0);
}

static NDIS_STATUS PtMakePool(PNDIS_HANDLE Pool) {
  NDIS_STATUS status;

  NdisAllocatePacketPoolEx(&status, Pool, PT_PACKETS, PT_PACKETS_OVERFLOW, PROTOCOL_RESERVED_SIZE_IN_PACKET);
  if (status != NDIS_STATUS_SUCCESS) *Pool = NULL;
  return status;
}

static NDIS_STATUS PtAllocateAdapter(PNDIS_STRING Name, PPT_ADAPTER* Result) {
  PPT_ADAPTER adapter;
  NDIS_STATUS status;

  status = NdisAllocateMemoryWithTag(
      (PVOID*)&adapter, FIELD_OFFSET(PT_ADAPTER, NameBuffer) + Name->Length + sizeof(WCHAR), PT_TAG);
  if (status != NDIS_STATUS_SUCCESS) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(adapter, FIELD_OFFSET(PT_ADAPTER, NameBuffer) + Name->Length + sizeof(WCHAR));
  NdisMoveMemory(adapter->NameBuffer, Name->Buffer, Name->Length);
  adapter->DeviceName.Buffer = adapter->NameBuffer;
  adapter->DeviceName.Length = Name->Length;
  adapter->DeviceName.MaximumLength = (USHORT)(Name->Length + sizeof(WCHAR));
  NdisAllocateSpinLock(&adapter->Lock);
  NdisInitializeEvent(&adapter->Completed);
  NdisInitializeEvent(&adapter->Initialized);
  NdisInitializeEvent(&adapter->Halted);
  NdisInitializeEvent(&adapter->NoUsers);
  status = PtMakePool(&adapter->SendPool);
  if (status == NDIS_STATUS_SUCCESS) status = PtMakePool(&adapter->ReceivePool);
  if (status != NDIS_STATUS_SUCCESS)
    PtFreeAdapter(adapter);
  else
    *Result = adapter;
  return status;
}

// "UpperBindings" in the protocol's section for this binding names the device of the virtual miniport.
static NDIS_STATUS PtReadAdapter(PNDIS_STRING ProtocolSection, PPT_ADAPTER* Adapter) {
  NDIS_STRING keyword = NDIS_STRING_CONST("UpperBindings");
  PNDIS_CONFIGURATION_PARAMETER name;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;

  NdisOpenProtocolConfiguration(&status, &configuration, ProtocolSection);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadConfiguration(&status, &name, configuration, &keyword, NdisParameterString);
  if (status == NDIS_STATUS_SUCCESS) status = PtAllocateAdapter(&name->ParameterData.StringData, Adapter);
  NdisCloseConfiguration(configuration);
  return status;
}

// ---- bind and unbind ----

VOID NTAPI PtOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                          NDIS_STATUS OpenErrorStatus) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  adapter->Status = Status;
  NdisSetEvent(&adapter->Completed);
}

VOID NTAPI PtCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(Status);
  NdisSetEvent(&adapter->Completed);
}

static NDIS_STATUS PtOpen(PPT_ADAPTER Adapter, PNDIS_STRING DeviceName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_STATUS status, error;
  UINT medium;

  NdisOpenAdapter(&status, &error, &Adapter->Binding, &medium, media, RTL_NUMBER_OF(media), Pt.Protocol,
                  Adapter, DeviceName, 0, NULL);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Adapter->Completed, 0);
  return Adapter->Status;
}

static VOID PtClose(PPT_ADAPTER Adapter) {
  NDIS_STATUS status;

  NdisResetEvent(&Adapter->Completed);
  NdisCloseAdapter(&status, Adapter->Binding);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&Adapter->Completed, 0);
}

VOID NTAPI PtBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                  PVOID SystemSpecific1, PVOID SystemSpecific2) {
  PPT_ADAPTER adapter = NULL;

  UNREFERENCED_PARAMETER(BindContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  *Status = PtReadAdapter(SystemSpecific1, &adapter);
  if (*Status != NDIS_STATUS_SUCCESS) return;
  *Status = PtOpen(adapter, DeviceName);
  if (*Status != NDIS_STATUS_SUCCESS) {
    PtFreeAdapter(adapter);
    return;
  }
  // PtInitialize runs inside this call, or at any time afterwards.
  adapter->InitializePending = TRUE;
  *Status = NdisIMInitializeDeviceInstanceEx(Pt.Driver, &adapter->DeviceName, adapter);
  if (*Status != NDIS_STATUS_SUCCESS) {
    PtClose(adapter);
    PtFreeAdapter(adapter);
  }
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

VOID NTAPI PtUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(UnbindContext);
  PtRemoveMiniport(adapter);
  PtClose(adapter);
  PtFreeAdapter(adapter);
  *Status = NDIS_STATUS_SUCCESS;
}

// ---- events and status from below ----

VOID NTAPI PtStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                    UINT StatusBufferSize) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  if (!PtBeginUse(adapter, FALSE)) return;
  NdisMIndicateStatus(adapter->Miniport, GeneralStatus, StatusBuffer, StatusBufferSize);
  PtEndUse(adapter);
}

VOID NTAPI PtStatusComplete(NDIS_HANDLE ProtocolBindingContext) {
  PPT_ADAPTER adapter = ProtocolBindingContext;

  if (!PtBeginUse(adapter, FALSE)) return;
  NdisMIndicateStatusComplete(adapter->Miniport);
  PtEndUse(adapter);
}

NDIS_STATUS NTAPI PtPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  switch (NetPnPEvent->NetEvent) {
  case NetEventSetPower:
  case NetEventQueryPower:
  case NetEventQueryRemoveDevice:
  case NetEventCancelRemoveDevice:
  case NetEventReconfigure:
  case NetEventBindList:
  case NetEventBindsComplete:
  case NetEventPnPCapabilities:
    return NDIS_STATUS_SUCCESS;  // nothing of ours depends on it
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

VOID NTAPI PtResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(Status);
}
