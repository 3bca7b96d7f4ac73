// SPDX-License-Identifier: MIT
//
// Rule    NblDoubleComplete
// Page    ndis/nf-ndis-ndisreturnnetbufferlists
// Race    a kept list goes back from a timer and from the pause; both look whether it is there before
//         either has taken it.
// See     undis verify double_return.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Timer;
static PNET_BUFFER_LIST Kept[PROTO6_BINDINGS];
static LONG Running[PROTO6_BINDINGS];

static VOID GiveBack(ptrdiff_t Slot) {
  PNET_BUFFER_LIST kept = Kept[Slot];

  if (kept == NULL) return;
  NdisReturnNetBufferLists(Proto6Bindings[Slot].Handle, kept, 0);
  Kept[Slot] = NULL;  // wrong: until here another may give it back too
}

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  ptrdiff_t i;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  for (i = 0; i < PROTO6_BINDINGS; i++) GiveBack(i);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) {
    if (Timer == NULL) Timer = RaceTimer(Tick, NULL);
    InterlockedExchange(&Running[i], Timer != NULL);
  }
  if (Event != NetEventPause) return;
  InterlockedExchange(&Running[i], FALSE);
  GiveBack(i);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = RACE_SLOT(Binding);
  PNET_BUFFER_LIST rest = NET_BUFFER_LIST_NEXT_NBL(Lists);

  if (!InterlockedCompareExchange(&Running[i], TRUE, TRUE)) return Lists;
  if (InterlockedCompareExchangePointer((PVOID volatile*)&Kept[i], Lists, NULL) != NULL) return Lists;
  NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
  RaceSetTimer(Timer, 10);
  return rest;
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
  if (Timer == NULL) return;
  NdisCancelTimerObject(Timer);
  KeFlushQueuedDpcs();
  NdisFreeTimerObject(Timer);
}
