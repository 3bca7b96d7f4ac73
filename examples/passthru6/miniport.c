// SPDX-License-Identifier: MIT
//
// passthru6: the virtual miniport, as far as it is not data.
#include "passthru6.h"

// What those above may ask: NDIS answers some of it from the attributes, the adapter below the rest.
static const NDIS_OID PtSupportedOids[] = {
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_HARDWARE_STATUS,
    OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_RECEIVE_BUFFER_SPACE,
    OID_GEN_TRANSMIT_BLOCK_SIZE,
    OID_GEN_RECEIVE_BLOCK_SIZE,
    OID_GEN_VENDOR_ID,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
    OID_GEN_XMIT_OK,
    OID_GEN_RCV_OK,
    OID_GEN_STATISTICS,
    OID_GEN_INTERRUPT_MODERATION,
    OID_GEN_LINK_PARAMETERS,
    OID_802_3_PERMANENT_ADDRESS,
    OID_802_3_CURRENT_ADDRESS,
    OID_802_3_MULTICAST_LIST,
    OID_802_3_MAXIMUM_LIST_SIZE,
};

BOOLEAN PtBeginUse(PPT_ADAPTER Adapter) {
  BOOLEAN up;

  NdisAcquireSpinLock(&Adapter->Lock);
  up = Adapter->Up;
  if (up) Adapter->Users++;
  NdisReleaseSpinLock(&Adapter->Lock);
  return up;
}

VOID PtEndUse(PPT_ADAPTER Adapter) {
  NdisAcquireSpinLock(&Adapter->Lock);
  if (--Adapter->Users == 0 && !Adapter->Up) NdisSetEvent(&Adapter->NoUsers);
  NdisReleaseSpinLock(&Adapter->Lock);
}

// ---- life ----

static NDIS_STATUS PtSetAttributes(PPT_ADAPTER Adapter, NDIS_HANDLE Miniport) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
  PNDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES registration = &attributes.RegistrationAttributes;
  NDIS_STATUS status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  registration->Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
  registration->Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  registration->MiniportAdapterContext = Adapter;
  registration->AttributeFlags = NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND;
  registration->InterfaceType = NdisInterfaceInternal;
  status = NdisMSetMiniportAttributes(Miniport, &attributes);
  if (status != NDIS_STATUS_SUCCESS) return status;

  NdisZeroMemory(&attributes, sizeof(attributes));
  attributes.GeneralAttributes = Adapter->General;
  attributes.GeneralAttributes.SupportedOidList = (PNDIS_OID)PtSupportedOids;
  attributes.GeneralAttributes.SupportedOidListLength = sizeof(PtSupportedOids);
  return NdisMSetMiniportAttributes(Miniport, &attributes);
}

NDIS_STATUS PtInitialize(NDIS_HANDLE NdisMiniportHandle, NDIS_HANDLE MiniportDriverContext,
                         PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters) {
  PPT_ADAPTER adapter = MiniportInitParameters->IMDeviceInstanceContext;
  NDIS_STATUS status;
  BOOLEAN good;

  UNREFERENCED_PARAMETER(MiniportDriverContext);
  status = PtSetAttributes(adapter, NdisMiniportHandle);
  good = (BOOLEAN)(status == NDIS_STATUS_SUCCESS);

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->InitializePending = FALSE;
  adapter->Miniport = good ? NdisMiniportHandle : NULL;
  adapter->Up = good;
  NdisReleaseSpinLock(&adapter->Lock);
  NdisSetEvent(&adapter->Initialized);  // last: after a failure PtUnbind may free the adapter now
  return status;
}

VOID PtHalt(NDIS_HANDLE MiniportAdapterContext, NDIS_HALT_ACTION HaltAction) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  BOOLEAN used;

  UNREFERENCED_PARAMETER(HaltAction);
  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Up = FALSE;
  used = (BOOLEAN)(adapter->Users != 0);
  NdisReleaseSpinLock(&adapter->Lock);
  if (used) NdisWaitEvent(&adapter->NoUsers, 0);

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Miniport = NULL;
  NdisReleaseSpinLock(&adapter->Lock);
  NdisSetEvent(&adapter->Halted);  // last: PtUnbind may free the adapter now
}

NDIS_STATUS PtRestart(NDIS_HANDLE MiniportAdapterContext,
                      PNDIS_MINIPORT_RESTART_PARAMETERS RestartParameters) {
  PPT_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(RestartParameters);
  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Above = PtRunning;
  NdisReleaseSpinLock(&adapter->Lock);
  return NDIS_STATUS_SUCCESS;
}

// Sends that are under way end below, and what was indicated comes back: whoever finishes the last one
// completes the pause.
NDIS_STATUS PtPause(NDIS_HANDLE MiniportAdapterContext, PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  BOOLEAN idle;

  UNREFERENCED_PARAMETER(PauseParameters);
  NdisAcquireSpinLock(&adapter->Lock);
  idle = (BOOLEAN)(adapter->Sends == 0 && adapter->Receives == 0);
  adapter->Above = idle ? PtPaused : PtPausing;
  adapter->PausePended = !idle;
  NdisReleaseSpinLock(&adapter->Lock);
  return idle ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PENDING;
}

VOID PtShutdown(NDIS_HANDLE MiniportAdapterContext, NDIS_SHUTDOWN_ACTION ShutdownAction) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(ShutdownAction);
}

VOID PtDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(NetDevicePnPEvent);
}

// ---- OID requests: the adapter below answers, but for power, which is the virtual miniport's own ----

// The outcome goes into the request from above: the members that a copy made before the call could not know.
static VOID PtGiveResults(PNDIS_OID_REQUEST From, PNDIS_OID_REQUEST To) {
  switch (To->RequestType) {
  case NdisRequestMethod:
    To->DATA.METHOD_INFORMATION.BytesRead = From->DATA.METHOD_INFORMATION.BytesRead;
    To->DATA.METHOD_INFORMATION.BytesWritten = From->DATA.METHOD_INFORMATION.BytesWritten;
    To->DATA.METHOD_INFORMATION.BytesNeeded = From->DATA.METHOD_INFORMATION.BytesNeeded;
    break;
  case NdisRequestSetInformation:
    To->DATA.SET_INFORMATION.BytesRead = From->DATA.SET_INFORMATION.BytesRead;
    To->DATA.SET_INFORMATION.BytesNeeded = From->DATA.SET_INFORMATION.BytesNeeded;
    break;
  default:
    To->DATA.QUERY_INFORMATION.BytesWritten = From->DATA.QUERY_INFORMATION.BytesWritten;
    To->DATA.QUERY_INFORMATION.BytesNeeded = From->DATA.QUERY_INFORMATION.BytesNeeded;
    break;
  }
}

NDIS_STATUS PtOidRequest(NDIS_HANDLE MiniportAdapterContext, PNDIS_OID_REQUEST OidRequest) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  NDIS_STATUS status;

  if (OidRequest->RequestType == NdisRequestQueryInformation && OidRequest->DATA.Oid == OID_PNP_QUERY_POWER)
    return NDIS_STATUS_SUCCESS;
  if (OidRequest->RequestType == NdisRequestSetInformation && OidRequest->DATA.Oid == OID_PNP_SET_POWER) {
    OidRequest->DATA.SET_INFORMATION.BytesRead = OidRequest->DATA.SET_INFORMATION.InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  }

  NdisZeroMemory(&adapter->Request, sizeof(adapter->Request));
  adapter->Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  adapter->Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  adapter->Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  adapter->Request.RequestType = OidRequest->RequestType;
  adapter->Request.PortNumber = OidRequest->PortNumber;
  adapter->Request.Timeout = OidRequest->Timeout;
  adapter->Request.RequestId = OidRequest->RequestId;
  adapter->Request.DATA = OidRequest->DATA;
  adapter->RequestFromAbove = OidRequest;
  status = NdisOidRequest(adapter->Binding, &adapter->Request);
  if (status != NDIS_STATUS_PENDING) PtGiveResults(&adapter->Request, OidRequest);
  return status;
}

VOID PtOidRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_OID_REQUEST OidRequest,
                          NDIS_STATUS Status) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  PNDIS_OID_REQUEST above = adapter->RequestFromAbove;

  PtGiveResults(OidRequest, above);
  // The next request may come, and use adapter->Request, before this returns.
  NdisMOidRequestComplete(adapter->Miniport, above, Status);
}

VOID PtCancelOidRequest(NDIS_HANDLE MiniportAdapterContext, PVOID RequestId) {
  PPT_ADAPTER adapter = MiniportAdapterContext;

  NdisCancelOidRequest(adapter->Binding, RequestId);  // the request below has the same id
}
