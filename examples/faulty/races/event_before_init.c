// SPDX-License-Identifier: MIT
//
// Rule    ObjectNotInitialized
// Page    ndis/nf-ndis-ndisinitializeevent
// Race    the first receive initialises the event that the pause sets: the pause may see that there was a
//         receive before it is initialised.
// See     undis verify event_before_init.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static LONG Received[PROTO6_BINDINGS];
static KEVENT Stop[PROTO6_BINDINGS];

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) {
    InterlockedExchange(&Received[i], 0);
    NdisZeroMemory(&Stop[i], sizeof(Stop[i]));
  }
  if (Event == NetEventPause && InterlockedCompareExchange(&Received[i], 0, 0) != 0)
    KeSetEvent(&Stop[i], IO_NO_INCREMENT, FALSE);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = RACE_SLOT(Binding);
  LARGE_INTEGER now;

  if (InterlockedIncrement(&Received[i]) == 1) {  // wrong: the word is out before the event is there
    NdisGetCurrentSystemTime(&now);
    KeInitializeEvent(&Stop[i], NotificationEvent, FALSE);
  }
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
}
