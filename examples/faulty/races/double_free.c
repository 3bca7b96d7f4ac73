// SPDX-License-Identifier: MIT
//
// Rule    PoolDoubleFree
// Page    ndis/nf-ndis-ndisfreememory
// Race    a cache of one block is freed by a timer when it is old and by the pause; both look before either
//         has taken it.
// See     undis verify double_free.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Timer;
static PVOID Cached[PROTO6_BINDINGS];

static VOID Drop(ptrdiff_t Slot) {
  if (Cached[Slot] == NULL) return;
  NdisFreeMemory(Cached[Slot], 0, 0);
  Cached[Slot] = NULL;  // wrong: too late
}

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  ptrdiff_t i;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  for (i = 0; i < PROTO6_BINDINGS; i++) Drop(i);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) {
    if (Timer == NULL) Timer = RaceTimer(Tick, NULL);
    if (Timer == NULL || Cached[i] != NULL) return;
    Cached[i] = RaceAllocate(64);
    RaceSetTimer(Timer, 10);
  }
  if (Event == NetEventPause) Drop(i);
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Event = Event};

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
