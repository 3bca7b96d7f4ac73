// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 6.30 protocol: it opens each adapter and receives nothing. A driver that includes
// this says only what it does otherwise, by hooks.
#pragma once

#include <ndis.h>

#define PROTO6_BINDINGS 8

typedef struct _PROTO6_BINDING {
  LONG InUse;
  NDIS_HANDLE Handle;
  NDIS_EVENT Completed;
  NDIS_STATUS Status;
  NDIS_OID_REQUEST Request;
  PVOID Extra;  // the including driver's
} PROTO6_BINDING, *PPROTO6_BINDING;

typedef struct _PROTO6_HOOKS {
  PDRIVER_UNLOAD Unload;  // required
  NDIS_STATUS(*Unbind)
  (PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext);              // the whole of ProtocolUnbindAdapterEx
  VOID (*Event)(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event);  // inside ProtocolNetPnPEvent
  VOID (*SendComplete)(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists);
  PNET_BUFFER_LIST(*Receive)
  (PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists);  // what it does not return is kept
  ULONG Filter;                                       // what to receive; nothing by default
} PROTO6_HOOKS;

static NDIS_HANDLE Proto6Handle;
static PROTO6_BINDING Proto6Bindings[PROTO6_BINDINGS];
static const PROTO6_HOOKS* Proto6Hooks;

// Closes the binding and waits until it is closed.
static VOID Proto6Close(PPROTO6_BINDING Binding) {
  NdisResetEvent(&Binding->Completed);
  if (NdisCloseAdapterEx(Binding->Handle) == NDIS_STATUS_PENDING) NdisWaitEvent(&Binding->Completed, 0);
}

static VOID Proto6Release(PPROTO6_BINDING Binding) {
  InterlockedExchange(&Binding->InUse, FALSE);
}

static VOID Proto6OpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPROTO6_BINDING binding = ProtocolBindingContext;

  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

static VOID Proto6CloseComplete(NDIS_HANDLE ProtocolBindingContext) {
  PPROTO6_BINDING binding = ProtocolBindingContext;

  NdisSetEvent(&binding->Completed);
}

// The packet filter; without one nothing is received.
static NDIS_STATUS Proto6SetFilter(PPROTO6_BINDING Binding) {
  ULONG filter = Proto6Hooks->Filter;
  NDIS_STATUS status;

  if (filter == 0) return NDIS_STATUS_SUCCESS;
  NdisZeroMemory(&Binding->Request, sizeof(Binding->Request));
  Binding->Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  Binding->Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  Binding->Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  Binding->Request.RequestType = NdisRequestSetInformation;
  Binding->Request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  Binding->Request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  Binding->Request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
  NdisResetEvent(&Binding->Completed);
  status = NdisOidRequest(Binding->Handle, &Binding->Request);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Binding->Completed, 0);
  return Binding->Status;
}

static NDIS_STATUS Proto6Bind(NDIS_HANDLE ProtocolDriverContext, NDIS_HANDLE BindContext,
                              PNDIS_BIND_PARAMETERS BindParameters) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_OPEN_PARAMETERS open;
  PPROTO6_BINDING binding;
  NDIS_STATUS status;
  UINT medium, slot = 0;

  UNREFERENCED_PARAMETER(ProtocolDriverContext);
  while (slot < PROTO6_BINDINGS && InterlockedExchange(&Proto6Bindings[slot].InUse, TRUE)) slot++;
  if (slot == PROTO6_BINDINGS) return NDIS_STATUS_RESOURCES;
  binding = &Proto6Bindings[slot];
  NdisInitializeEvent(&binding->Completed);

  NdisZeroMemory(&open, sizeof(open));
  open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
  open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
  open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
  open.AdapterName = BindParameters->AdapterName;
  open.MediumArray = media;
  open.MediumArraySize = RTL_NUMBER_OF(media);
  open.SelectedMediumIndex = &medium;
  status = NdisOpenAdapterEx(Proto6Handle, binding, &open, BindContext, &binding->Handle);
  if (status == NDIS_STATUS_PENDING) {
    NdisWaitEvent(&binding->Completed, 0);
    status = binding->Status;
  }
  if (status == NDIS_STATUS_SUCCESS) {
    status = Proto6SetFilter(binding);
    if (status == NDIS_STATUS_SUCCESS) return status;
    Proto6Close(binding);
  }
  Proto6Release(binding);
  return status;
}

static NDIS_STATUS Proto6Unbind(NDIS_HANDLE UnbindContext, NDIS_HANDLE ProtocolBindingContext) {
  if (Proto6Hooks->Unbind != NULL) return Proto6Hooks->Unbind(ProtocolBindingContext, UnbindContext);
  Proto6Close(ProtocolBindingContext);
  Proto6Release(ProtocolBindingContext);
  return NDIS_STATUS_SUCCESS;
}

// Unless the including driver sends or keeps something, a pause has nothing to wait for.
static NDIS_STATUS Proto6NetPnPEvent(NDIS_HANDLE ProtocolBindingContext,
                                     PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  if (Proto6Hooks->Event != NULL && ProtocolBindingContext != NULL)
    Proto6Hooks->Event(ProtocolBindingContext, NetPnPEventNotification->NetPnPEvent.NetEvent);
  return NDIS_STATUS_SUCCESS;
}

static VOID Proto6OidRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_OID_REQUEST OidRequest,
                                     NDIS_STATUS Status) {
  PPROTO6_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OidRequest);
  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

static VOID Proto6Status(NDIS_HANDLE ProtocolBindingContext, PNDIS_STATUS_INDICATION StatusIndication) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(StatusIndication);
}

static VOID Proto6Receive(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferLists,
                          NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists, ULONG ReceiveFlags) {
  PPROTO6_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(PortNumber);
  UNREFERENCED_PARAMETER(NumberOfNetBufferLists);
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags)) return;  // they are the miniport's again with this call
  if (Proto6Hooks->Receive != NULL) NetBufferLists = Proto6Hooks->Receive(binding, NetBufferLists);
  if (NetBufferLists != NULL) NdisReturnNetBufferLists(binding->Handle, NetBufferLists, 0);
}

static VOID Proto6SendComplete(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferList,
                               ULONG SendCompleteFlags) {
  if (Proto6Hooks->SendComplete != NULL) Proto6Hooks->SendComplete(ProtocolBindingContext, NetBufferList);
  UNREFERENCED_PARAMETER(SendCompleteFlags);
}

// The whole of a correct DriverEntry.
static NTSTATUS Proto6DriverEntry(PDRIVER_OBJECT DriverObject, const PROTO6_HOOKS* Hooks) {
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("FaultyProto6");

  Proto6Hooks = Hooks;
  DriverObject->DriverUnload = Hooks->Unload;
  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_PROTOCOL_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_PROTOCOL_MINOR_VERSION;
  c.Name = name;
  c.BindAdapterHandlerEx = Proto6Bind;
  c.UnbindAdapterHandlerEx = Proto6Unbind;
  c.OpenAdapterCompleteHandlerEx = Proto6OpenComplete;
  c.CloseAdapterCompleteHandlerEx = Proto6CloseComplete;
  c.NetPnPEventHandler = Proto6NetPnPEvent;
  c.OidRequestCompleteHandler = Proto6OidRequestComplete;
  c.StatusHandlerEx = Proto6Status;
  c.ReceiveNetBufferListsHandler = Proto6Receive;
  c.SendNetBufferListsCompleteHandler = Proto6SendComplete;
  return NdisRegisterProtocolDriver(NULL, &c, &Proto6Handle);
}
