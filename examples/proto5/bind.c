// SPDX-License-Identifier: MIT
//
// proto5: a binding from open to close. ProtoBind waits for what NDIS pends; ProtoUnbind shows the other way,
// and pends itself.
#include "proto5.h"

// A request that its sender waits for. NDIS hands the first member back.
typedef struct _PROTO_REQUEST {
  NDIS_REQUEST Request;
  NDIS_EVENT Completed;
  NDIS_STATUS Status;
} PROTO_REQUEST, *PPROTO_REQUEST;

static NDIS_STATUS ProtoRequest(PPROTO_BINDING Binding, NDIS_REQUEST_TYPE Type, NDIS_OID Oid, PVOID Buffer,
                                UINT Length) {
  PROTO_REQUEST request;
  NDIS_STATUS status;

  NdisZeroMemory(&request, sizeof(request));
  NdisInitializeEvent(&request.Completed);
  request.Request.RequestType = Type;
  if (Type == NdisRequestQueryInformation) {
    request.Request.DATA.QUERY_INFORMATION.Oid = Oid;
    request.Request.DATA.QUERY_INFORMATION.InformationBuffer = Buffer;
    request.Request.DATA.QUERY_INFORMATION.InformationBufferLength = Length;
  } else {
    request.Request.DATA.SET_INFORMATION.Oid = Oid;
    request.Request.DATA.SET_INFORMATION.InformationBuffer = Buffer;
    request.Request.DATA.SET_INFORMATION.InformationBufferLength = Length;
  }
  NdisRequest(&status, Binding->Handle, &request.Request);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&request.Completed, 0);
  return request.Status;
}

VOID NTAPI ProtoRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                                NDIS_STATUS Status) {
  PPROTO_REQUEST request = CONTAINING_RECORD(NdisRequest, PROTO_REQUEST, Request);

  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  request->Status = Status;
  NdisSetEvent(&request->Completed);
}

// ---- open ----

static VOID ProtoFreeBinding(PPROTO_BINDING Binding) {
  NdisFreeSpinLock(&Binding->Lock);
  NdisFreeMemory(Binding, sizeof(*Binding), 0);
}

static PPROTO_BINDING ProtoAllocateBinding(VOID) {
  PPROTO_BINDING binding;

  if (NdisAllocateMemoryWithTag((PVOID*)&binding, sizeof(*binding), PROTO_TAG) != NDIS_STATUS_SUCCESS)
    return NULL;
  NdisZeroMemory(binding, sizeof(*binding));
  NdisAllocateSpinLock(&binding->Lock);
  NdisInitializeEvent(&binding->Completed);
  NdisInitializeEvent(&binding->NoUsers);
  NdisInitializeTimer(&binding->ReturnTimer, ProtoReturnKept, binding);
  return binding;
}

VOID NTAPI ProtoOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                             NDIS_STATUS OpenErrorStatus) {
  PPROTO_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

static NDIS_STATUS ProtoOpen(PPROTO_BINDING Binding, PNDIS_STRING DeviceName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_STATUS status, error;
  UINT medium;

  NdisOpenAdapter(&status, &error, &Binding->Handle, &medium, media, RTL_NUMBER_OF(media), Proto.Protocol,
                  Binding, DeviceName, 0, NULL);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Binding->Completed, 0);
  return Binding->Status;
}

// What has to be known and said before the first frame. The filter is last: it lets the frames in.
static NDIS_STATUS ProtoConfigure(PPROTO_BINDING Binding) {
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST;
  ULONG lookahead = PROTO_LOOKAHEAD;
  NDIS_STATUS status;

  status = ProtoRequest(Binding, NdisRequestQueryInformation, OID_802_3_CURRENT_ADDRESS, Binding->Address,
                        sizeof(Binding->Address));
  if (status != NDIS_STATUS_SUCCESS) return status;
  // How much of a frame is enough to know whether the rest is wanted. A miniport that shows less is asked for
  // it too.
  ProtoRequest(Binding, NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead));
  return ProtoRequest(Binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter,
                      sizeof(filter));
}

VOID NTAPI ProtoBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                     PVOID SystemSpecific1, PVOID SystemSpecific2) {
  PPROTO_BINDING binding = ProtoAllocateBinding();
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(BindContext);
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  if (binding == NULL) {
    *Status = NDIS_STATUS_RESOURCES;
    return;
  }
  *Status = ProtoOpen(binding, DeviceName);
  if (*Status != NDIS_STATUS_SUCCESS) {
    ProtoFreeBinding(binding);
    return;
  }
  InterlockedIncrement(&Proto.Counters.Bindings);
  *Status = ProtoConfigure(binding);
  if (*Status == NDIS_STATUS_SUCCESS) return;

  // A bind that fails leaves nothing open. There is no unbind to complete: ProtoCloseComplete sets the event.
  ProtoQuiesce(binding);
  NdisResetEvent(&binding->Completed);
  NdisCloseAdapter(&status, binding->Handle);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&binding->Completed, 0);
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
}

// ---- close ----

VOID NTAPI ProtoUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  NDIS_STATUS status;

  ProtoQuiesce(binding);
  binding->UnbindContext = UnbindContext;
  NdisCloseAdapter(&status, binding->Handle);
  if (status == NDIS_STATUS_PENDING) {
    *Status = NDIS_STATUS_PENDING;  // ProtoCloseComplete goes on, or has already: the binding may be gone
    return;
  }
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
  *Status = NDIS_STATUS_SUCCESS;
}

VOID NTAPI ProtoCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPROTO_BINDING binding = ProtocolBindingContext;
  NDIS_HANDLE unbind = binding->UnbindContext;

  UNREFERENCED_PARAMETER(Status);
  if (unbind == NULL) {
    NdisSetEvent(&binding->Completed);
    return;
  }
  InterlockedDecrement(&Proto.Counters.Bindings);
  ProtoFreeBinding(binding);
  NdisCompleteUnbindAdapter(unbind, NDIS_STATUS_SUCCESS);
}

// ---- events ----

NDIS_STATUS NTAPI ProtoPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent) {
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

VOID NTAPI ProtoStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                       UINT StatusBufferSize) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(GeneralStatus);
  UNREFERENCED_PARAMETER(StatusBuffer);
  UNREFERENCED_PARAMETER(StatusBufferSize);
}

VOID NTAPI ProtoStatusComplete(NDIS_HANDLE ProtocolBindingContext) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}

VOID NTAPI ProtoResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(Status);
}
