// SPDX-License-Identifier: MIT
//
// Rule    DriverCrash
// Page    network/pausing-a-binding
// Race    the unbind of one adapter sets the global pointer to NULL while a receive on another is between
//         its look and its use.
// See     undis verify global_pointer.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _STATS {
  ULONG Received;
} STATS, *PSTATS;

static PSTATS Stats;
static LONG Bindings;

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  UNREFERENCED_PARAMETER(Binding);
  if (Event == NetEventRestart && InterlockedIncrement(&Bindings) == 1) Stats = RaceAllocate(sizeof(*Stats));
  if (Event == NetEventPause && InterlockedDecrement(&Bindings) == 0) {
    PSTATS stats = Stats;
    Stats = NULL;  // wrong: who has looked still uses it
    if (stats != NULL) NdisFreeMemory(stats, 0, 0);
  }
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  LARGE_INTEGER now;

  UNREFERENCED_PARAMETER(Binding);
  if (Stats == NULL) return Lists;
  NdisGetCurrentSystemTime(&now);
  Stats->Received++;
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
