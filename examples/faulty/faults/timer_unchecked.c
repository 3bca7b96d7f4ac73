// SPDX-License-Identifier: MIT
//
// Rule    HandleMisuse
// Page    ndis/nf-ndis-ndisallocatetimerobject
// Broken  the timer that could not be allocated is set all the same.
// See     undis verify timer_unchecked.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Timer;

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  UNREFERENCED_PARAMETER(Binding);
  if (Event != NetEventRestart || Timer != NULL) return;
  Timer = RaceTimer(Tick, NULL);
  RaceSetTimer(Timer, 10);  // wrong: NULL is no timer
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
