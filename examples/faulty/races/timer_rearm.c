// SPDX-License-Identifier: MIT
//
// Rule    BadParameter
// Page    ndis/nf-ndis-ndiscanceltimerobject
// Race    the timer's function sets the timer again unless it is to stop. It has looked when Unload says
//         stop and cancels, and sets it afterwards.
// See     undis verify timer_rearm.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Timer;
static LONG Stop;

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  if (!InterlockedCompareExchange(&Stop, FALSE, FALSE)) RaceSetTimer(Timer, 10);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  UNREFERENCED_PARAMETER(Binding);
  if (Event != NetEventRestart || Timer != NULL) return;
  Timer = RaceTimer(Tick, NULL);
  if (Timer != NULL) RaceSetTimer(Timer, 10);
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
  InterlockedExchange(&Stop, TRUE);
  NdisCancelTimerObject(Timer);  // wrong: Tick may be past its look
  NdisFreeTimerObject(Timer);
}
