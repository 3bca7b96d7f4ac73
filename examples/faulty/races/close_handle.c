// SPDX-License-Identifier: MIT
//
// Rule    NoUseAfterClose
// Page    ndis/nf-ndis-ndiscloseadapterex
// Race    a work item asks the adapter something by the binding's handle; the unbind closes the binding
//         without waiting for it.
// See     undis verify close_handle.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static LONG Running[PROTO6_BINDINGS];

static VOID Work(PVOID Context) {
  PPROTO6_BINDING binding = Context;

  if (InterlockedCompareExchange(&Running[RACE_SLOT(binding)], TRUE, TRUE))
    NdisCancelSendNetBufferLists(binding->Handle, binding);  // wrong: it may have been closed since the look
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  if (Event == NetEventRestart) InterlockedExchange(&Running[RACE_SLOT(Binding)], TRUE);
  if (Event == NetEventPause) InterlockedExchange(&Running[RACE_SLOT(Binding)], FALSE);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  RaceQueue(Work, Binding);
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
