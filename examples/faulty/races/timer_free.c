// SPDX-License-Identifier: MIT
//
// Rule    BadParameter
// Page    ndis/nf-ndis-ndiscanceltimerobject
// Race    a timer that cannot be cancelled any more is already running its function on another processor;
//         the unbind frees what that uses.
// See     undis verify timer_free.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _STATE {
  NDIS_HANDLE Timer;
  NDIS_SPIN_LOCK Lock;
  ULONG Ticks;
} STATE, *PSTATE;

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  PSTATE state = FunctionContext;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisDprAcquireSpinLock(&state->Lock);
  state->Ticks++;
  NdisDprReleaseSpinLock(&state->Lock);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  PSTATE state = Binding->Extra;

  if (Event == NetEventPause && state != NULL) RaceSetTimer(state->Timer, 10);  // counts what came late
  if (Event == NetEventRestart && state == NULL) {
    state = RaceAllocate(sizeof(*state));
    if (state == NULL) return;
    NdisAllocateSpinLock(&state->Lock);
    state->Timer = RaceTimer(Tick, state);
    if (state->Timer == NULL) {
      NdisFreeMemory(state, 0, 0);
      return;
    }
    Binding->Extra = state;
  }
}

static NDIS_STATUS Unbind(PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext) {
  PSTATE state = Binding->Extra;

  UNREFERENCED_PARAMETER(UnbindContext);
  Proto6Close(Binding);
  if (state != NULL) {
    NdisCancelTimerObject(state->Timer);  // wrong: FALSE may mean that Tick is running
    NdisFreeTimerObject(state->Timer);
    NdisFreeSpinLock(&state->Lock);
    NdisFreeMemory(state, 0, 0);
    Binding->Extra = NULL;
  }
  Proto6Release(Binding);
  return NDIS_STATUS_SUCCESS;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Event = Event, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
