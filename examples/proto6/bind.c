// SPDX-License-Identifier: MIT
//
// proto6: a binding from open to close, with its pauses and restarts. ProtoBind waits for what NDIS pends;
// ProtoUnbind shows the other way, and pends itself.
#include "proto6.h"

// A request that its sender waits for. NDIS hands the first member back.
typedef struct _PROTO_REQUEST {
  NDIS_OID_REQUEST Request;
  NDIS_EVENT Completed;
  NDIS_STATUS Status;
} PROTO_REQUEST, *PPROTO_REQUEST;

static NDIS_STATUS ProtoSet(PPROTO_BINDING Binding, NDIS_OID Oid, PVOID Buffer, UINT Length) {
  PROTO_REQUEST request;
  NDIS_STATUS status;

  NdisZeroMemory(&request, sizeof(request));
  NdisInitializeEvent(&request.Completed);
  request.Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request.Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  request.Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  request.Request.RequestType = NdisRequestSetInformation;
  request.Request.RequestId = &request;
  request.Request.DATA.SET_INFORMATION.Oid = Oid;
  request.Request.DATA.SET_INFORMATION.InformationBuffer = Buffer;
  request.Request.DATA.SET_INFORMATION.InformationBufferLength = Length;
  status = NdisOidRequest(Binding->Handle, &request.Request);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&request.Completed, 0);
  return request.Status;
}

VOID ProtoOidRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_OID_REQUEST OidRequest,
                             NDIS_STATUS Status) {
  PPROTO_REQUEST request = CONTAINING_RECORD(OidRequest, PROTO_REQUEST, Request);

  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  request->Status = Status;
  NdisSetEvent(&request->Completed);
}

// ---- open ----

static VOID ProtoFreeBinding(PPROTO_BINDING Binding) {
  if (Binding->ReturnTimer != NULL) NdisFreeTimerObject(Binding->ReturnTimer);
  if (Binding->Pool != NULL) NdisFreeNetBufferListPool(Binding->Pool);
  NdisFreeSpinLock(&Binding->Lock);
  NdisFreeMemory(Binding, 0, 0);
}

static NDIS_STATUS ProtoMakePool(PPROTO_BINDING Binding) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = PROTO_TAG;
  Binding->Pool = NdisAllocateNetBufferListPool(Proto.Protocol, &parameters);
  return Binding->Pool == NULL ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS ProtoMakeTimer(PPROTO_BINDING Binding) {
  NDIS_TIMER_CHARACTERISTICS timer;
  NDIS_STATUS status;

  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = PROTO_TAG;
  timer.TimerFunction = ProtoReturnKept;
  timer.FunctionContext = Binding;
  status = NdisAllocateTimerObject(Proto.Protocol, &timer, &Binding->ReturnTimer);
  if (status != NDIS_STATUS_SUCCESS) Binding->ReturnTimer = NULL;
  return status;
}

VOID ProtoOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPROTO_BINDING binding = ProtocolBindingContext;

  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

static NDIS_STATUS ProtoOpen(PPROTO_BINDING Binding, NDIS_HANDLE BindContext, PNDIS_STRING AdapterName) {
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
  status = NdisOpenAdapterEx(Proto.Protocol, Binding, &open, BindContext, &Binding->Handle);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Binding->Completed, 0);
  return Binding->Status;
}

NDIS_STATUS ProtoBind(NDIS_HANDLE ProtocolDriverContext, NDIS_HANDLE BindContext,
                      PNDIS_BIND_PARAMETERS BindParameters) {
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST;
  PPROTO_BINDING binding;
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(ProtocolDriverContext);
  if (BindParameters->MacAddressLength != ETH_LENGTH_OF_ADDRESS) return NDIS_STATUS_NOT_SUPPORTED;
  binding =
      NdisAllocateMemoryWithTagPriority(Proto.Protocol, sizeof(*binding), PROTO_TAG, NormalPoolPriority);
  if (binding == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(binding, sizeof(*binding));
  NdisAllocateSpinLock(&binding->Lock);
  NdisInitializeEvent(&binding->Completed);
  NdisInitializeEvent(&binding->NoSends);
  NdisMoveMemory(binding->Address, BindParameters->CurrentMacAddress, ETH_LENGTH_OF_ADDRESS);

  status = ProtoMakePool(binding);
  if (status == NDIS_STATUS_SUCCESS) status = ProtoMakeTimer(binding);
  if (status == NDIS_STATUS_SUCCESS) status = ProtoOpen(binding, BindContext, BindParameters->AdapterName);
  if (status != NDIS_STATUS_SUCCESS) {
    ProtoFreeBinding(binding);
    return status;
  }

  // The binding is paused: what the filter lets in comes after NetEventRestart.
  InterlockedIncrement(&Proto.Counters.Bindings);
  status = ProtoSet(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  if (status == NDIS_STATUS_SUCCESS) return NDIS_STATUS_SUCCESS;

  // A bind that fails leaves nothing open. There is no unbind to complete: ProtoCloseComplete sets the event.
  NdisResetEvent(&binding->Completed);
  if (NdisCloseAdapterEx(binding->Handle) == NDIS_STATUS_PENDING) NdisWaitEvent(&binding->Completed, 0);
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
  return status;
}

// ---- pause and restart ----

NDIS_STATUS ProtoNetPnPEvent(NDIS_HANDLE ProtocolBindingContext,
                             PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  PPROTO_BINDING binding = ProtocolBindingContext;

  switch (NetPnPEventNotification->NetPnPEvent.NetEvent) {
  case NetEventRestart:
    ProtoRun(binding);
    return NDIS_STATUS_SUCCESS;
  case NetEventPause:
    ProtoStop(binding);
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

VOID ProtoStatus(NDIS_HANDLE ProtocolBindingContext, PNDIS_STATUS_INDICATION StatusIndication) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(StatusIndication);
}

// ---- close ----

// The binding is paused: nothing is kept, and no send is under way. Only the timer may still be about to find
// that out.
static VOID ProtoDrain(PPROTO_BINDING Binding) {
  NdisCancelTimerObject(Binding->ReturnTimer);
  KeFlushQueuedDpcs();
}

NDIS_STATUS ProtoUnbind(NDIS_HANDLE UnbindContext, NDIS_HANDLE ProtocolBindingContext) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  ULONG filter = 0;

  ProtoDrain(binding);
  ProtoSet(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));  // what it says changes nothing
  binding->UnbindContext = UnbindContext;
  if (NdisCloseAdapterEx(binding->Handle) == NDIS_STATUS_PENDING)
    return NDIS_STATUS_PENDING;  // ProtoCloseComplete goes on, or has already: the binding may be gone
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
  return NDIS_STATUS_SUCCESS;
}

VOID ProtoCloseComplete(NDIS_HANDLE ProtocolBindingContext) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  NDIS_HANDLE unbind = binding->UnbindContext;

  if (unbind == NULL) {
    NdisSetEvent(&binding->Completed);
    return;
  }
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
  NdisCompleteUnbindAdapterEx(unbind);
}
