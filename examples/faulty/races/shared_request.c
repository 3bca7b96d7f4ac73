// SPDX-License-Identifier: MIT
//
// Rule    OidRequestReused
// Page    ndis/nf-ndis-ndisoidrequest
// Race    two threads share one request structure; both look whether it is free before either has said that
//         it is not.
// See     undis verify shared_request.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static LONG Busy[PROTO6_BINDINGS];
static LONG Asking[PROTO6_BINDINGS];
static LONG Running[PROTO6_BINDINGS];
static NDIS_OID_REQUEST Request[PROTO6_BINDINGS];
static ULONG Value[PROTO6_BINDINGS];

static VOID Ask(PPROTO6_BINDING Binding) {
  ptrdiff_t i = RACE_SLOT(Binding);
  NDIS_STATUS status;

  if (InterlockedCompareExchange(&Busy[i], FALSE, FALSE)) return;
  NdisResetEvent(&Binding->Completed);
  InterlockedExchange(&Busy[i], TRUE);  // wrong: another may have looked as well
  NdisZeroMemory(&Request[i], sizeof(Request[i]));
  Request[i].Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  Request[i].Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  Request[i].Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  Request[i].RequestType = NdisRequestQueryInformation;
  Request[i].DATA.QUERY_INFORMATION.Oid = OID_GEN_CURRENT_LOOKAHEAD;
  Request[i].DATA.QUERY_INFORMATION.InformationBuffer = &Value[i];
  Request[i].DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(Value[i]);
  status = NdisOidRequest(Binding->Handle, &Request[i]);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&Binding->Completed, 0);
  InterlockedExchange(&Busy[i], FALSE);
}

static VOID Work(PVOID Context) {
  PPROTO6_BINDING binding = Context;
  ptrdiff_t i = RACE_SLOT(binding);

  if (InterlockedCompareExchange(&Running[i], TRUE, TRUE)) Ask(binding);
  InterlockedDecrement(&Asking[i]);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) InterlockedExchange(&Running[i], TRUE);
  if (Event != NetEventPause) return;
  InterlockedExchange(&Running[i], FALSE);
  while (InterlockedCompareExchange(&Asking[i], 0, 0) != 0) NdisMSleep(1000);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = RACE_SLOT(Binding);

  InterlockedIncrement(&Asking[i]);
  if (!InterlockedCompareExchange(&Running[i], TRUE, TRUE) || !RaceQueue(Work, Binding))
    InterlockedDecrement(&Asking[i]);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {
    .Unload = Unload, .Event = Event, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  NdisMSleep(100000);  // the work items are through by then
}
