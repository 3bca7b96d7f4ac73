// SPDX-License-Identifier: MIT
//
// Rule    PoolLeak
// Page    ndis/nf-ndis-ndisallocatememorywithtagpriority
// Race    the table is allocated by whoever needs it first. A timer and a receive may both be first: one
// table is
//         lost.
// See     undis verify lazy_table.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Timer;
static PULONG Table;

static VOID Count(VOID) {
  PULONG table;

  if (Table == NULL) {
    table = RaceAllocate(sizeof(*table));
    if (table == NULL) return;
    Table = table;  // wrong: another may have been here since the look
  }
  ++*Table;
}

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  Count();
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  UNREFERENCED_PARAMETER(Binding);
  if (Event != NetEventRestart) return;
  if (Timer == NULL) Timer = RaceTimer(Tick, NULL);
  if (Timer != NULL) RaceSetTimer(Timer, 10);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  UNREFERENCED_PARAMETER(Binding);
  Count();
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
  if (Timer != NULL) {
    NdisCancelTimerObject(Timer);
    KeFlushQueuedDpcs();
    NdisFreeTimerObject(Timer);
  }
  if (Table != NULL) NdisFreeMemory(Table, 0, 0);
}
