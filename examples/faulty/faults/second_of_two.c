// SPDX-License-Identifier: MIT
//
// Rule    PoolLeak
// Page    ndis/nf-ndis-ndisallocatememorywithtagpriority
// Broken  two blocks are needed; when there is no memory for the second, the first is forgotten.
// See     undis verify second_of_two.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _STATE {
  PVOID Table;
} STATE, *PSTATE;

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  PSTATE state = Binding->Extra;

  if (Event == NetEventRestart && state == NULL) {
    state = RaceAllocate(sizeof(*state));
    if (state == NULL) return;
    state->Table = RaceAllocate(256);
    if (state->Table == NULL) return;  // wrong: the state is lost
    Binding->Extra = state;
  }
  if (Event == NetEventPause && state != NULL) {
    NdisFreeMemory(state->Table, 0, 0);
    NdisFreeMemory(state, 0, 0);
    Binding->Extra = NULL;
  }
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Event = Event};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
