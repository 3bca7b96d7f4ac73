// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 5.1 protocol: it opens each adapter and receives nothing. A driver that includes
// this says only what it does otherwise, by hooks.
#pragma once

#include <ndis.h>

#define PROTO5_BINDINGS 8

typedef struct _PROTO5_BINDING {
  LONG InUse;
  NDIS_HANDLE Handle;
  NDIS_EVENT Completed;
  NDIS_STATUS Status;
} PROTO5_BINDING, *PPROTO5_BINDING;

typedef struct _PROTO5_HOOKS {
  PDRIVER_UNLOAD Unload;                           // required
  NDIS_STATUS (*Unbind)(PPROTO5_BINDING Binding);  // the whole of ProtocolUnbindAdapter
  NDIS_MEDIUM Medium;                              // what to open; 802.3 by default
} PROTO5_HOOKS;

static NDIS_HANDLE Proto5Handle;
static LONG Proto5Registered;
static LONG Proto5EverBound;
static PROTO5_BINDING Proto5Bindings[PROTO5_BINDINGS];
static const PROTO5_HOOKS* Proto5Hooks;

// Deregisters, if that has not been done yet.
static VOID Proto5Deregister(VOID) {
  NDIS_STATUS status;

  if (InterlockedExchange(&Proto5Registered, FALSE)) NdisDeregisterProtocol(&status, Proto5Handle);
}

// Closes the binding and waits until it is closed.
static VOID Proto5Close(PPROTO5_BINDING Binding) {
  NDIS_STATUS status;

  NdisResetEvent(&Binding->Completed);
  NdisCloseAdapter(&status, Binding->Handle);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&Binding->Completed, 0);
}

static VOID Proto5Release(PPROTO5_BINDING Binding) {
  InterlockedExchange(&Binding->InUse, FALSE);
}

static VOID NTAPI Proto5OpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                                     NDIS_STATUS OpenErrorStatus) {
  PPROTO5_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

static VOID NTAPI Proto5CloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PPROTO5_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(Status);
  NdisSetEvent(&binding->Completed);
}

static VOID NTAPI Proto5Bind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                             PVOID SystemSpecific1, PVOID SystemSpecific2) {
  NDIS_MEDIUM media[] = {Proto5Hooks->Medium};
  PPROTO5_BINDING binding;
  NDIS_STATUS error;
  UINT medium, slot = 0;

  UNREFERENCED_PARAMETER(BindContext);
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  while (slot < PROTO5_BINDINGS && InterlockedExchange(&Proto5Bindings[slot].InUse, TRUE)) slot++;
  if (slot == PROTO5_BINDINGS) {
    *Status = NDIS_STATUS_RESOURCES;
    return;
  }
  binding = &Proto5Bindings[slot];
  NdisInitializeEvent(&binding->Completed);
  NdisOpenAdapter(Status, &error, &binding->Handle, &medium, media, RTL_NUMBER_OF(media), Proto5Handle,
                  binding, DeviceName, 0, NULL);
  if (*Status == NDIS_STATUS_PENDING) {
    NdisWaitEvent(&binding->Completed, 0);
    *Status = binding->Status;
  }
  if (*Status == NDIS_STATUS_SUCCESS)
    InterlockedExchange(&Proto5EverBound, TRUE);
  else
    Proto5Release(binding);
}

static VOID NTAPI Proto5Unbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext,
                               NDIS_HANDLE UnbindContext) {
  UNREFERENCED_PARAMETER(UnbindContext);
  if (Proto5Hooks->Unbind != NULL) {
    *Status = Proto5Hooks->Unbind(ProtocolBindingContext);
    return;
  }
  Proto5Close(ProtocolBindingContext);
  Proto5Release(ProtocolBindingContext);
  *Status = NDIS_STATUS_SUCCESS;
}

// No packet filter is ever set: nothing is received. NDIS wants the handlers all the same.
static NDIS_STATUS NTAPI Proto5Receive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                                       PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                                       UINT LookaheadBufferSize, UINT PacketSize) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(MacReceiveContext);
  UNREFERENCED_PARAMETER(HeaderBuffer);
  UNREFERENCED_PARAMETER(HeaderBufferSize);
  UNREFERENCED_PARAMETER(LookAheadBuffer);
  UNREFERENCED_PARAMETER(LookaheadBufferSize);
  UNREFERENCED_PARAMETER(PacketSize);
  return NDIS_STATUS_NOT_ACCEPTED;
}

static VOID NTAPI Proto5ReceiveComplete(NDIS_HANDLE ProtocolBindingContext) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}

static VOID NTAPI Proto5Status(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus,
                               PVOID StatusBuffer, UINT StatusBufferSize) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(GeneralStatus);
  UNREFERENCED_PARAMETER(StatusBuffer);
  UNREFERENCED_PARAMETER(StatusBufferSize);
}

static VOID NTAPI Proto5StatusComplete(NDIS_HANDLE ProtocolBindingContext) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}

static VOID NTAPI Proto5RequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                                        NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NdisRequest);
  UNREFERENCED_PARAMETER(Status);
}

static NDIS_STATUS NTAPI Proto5PnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NetPnPEvent);
  return NDIS_STATUS_SUCCESS;
}

// The whole of a correct DriverEntry.
static NTSTATUS Proto5DriverEntry(PDRIVER_OBJECT DriverObject, const PROTO5_HOOKS* Hooks) {
  NDIS_STRING name = NDIS_STRING_CONST("FaultyProto5");
  NDIS_PROTOCOL_CHARACTERISTICS c;
  NDIS_STATUS status;

  Proto5Hooks = Hooks;
  DriverObject->DriverUnload = Hooks->Unload;
  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.Name = name;
  c.OpenAdapterCompleteHandler = Proto5OpenComplete;
  c.CloseAdapterCompleteHandler = Proto5CloseComplete;
  c.RequestCompleteHandler = Proto5RequestComplete;
  c.ReceiveHandler = Proto5Receive;
  c.ReceiveCompleteHandler = Proto5ReceiveComplete;
  c.StatusHandler = Proto5Status;
  c.StatusCompleteHandler = Proto5StatusComplete;
  c.BindAdapterHandler = Proto5Bind;
  c.UnbindAdapterHandler = Proto5Unbind;
  c.PnPEventHandler = Proto5PnPEvent;
  InterlockedExchange(&Proto5Registered, TRUE);
  NdisRegisterProtocol(&status, &Proto5Handle, &c, sizeof(c));
  if (status != NDIS_STATUS_SUCCESS) InterlockedExchange(&Proto5Registered, FALSE);
  return status;
}
