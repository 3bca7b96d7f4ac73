// SPDX-License-Identifier: MIT
//
// Rule    PoolDoubleFree
// Page    ndis/nc-ndis-protocol_unbind_adapter_ex
// Race    the state of a binding goes with the last of two users; each says that it is done, then looks
//         whether the other is: both may see that.
// See     undis verify unbind_twice_freed.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _STATE {
  LONG WorkDone;
  LONG BindingDone;
} STATE, *PSTATE;

static VOID Free(PSTATE State) {
  if (InterlockedCompareExchange(&State->WorkDone, 0, 0) &&
      InterlockedCompareExchange(&State->BindingDone, 0, 0))
    NdisFreeMemory(State, 0, 0);  // wrong: both come here if they are done together
}

static VOID Work(PVOID Context) {
  PSTATE state = Context;

  InterlockedExchange(&state->WorkDone, TRUE);
  Free(state);
}

static NDIS_STATUS Unbind(PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext) {
  PSTATE state = RaceAllocate(sizeof(*state));

  UNREFERENCED_PARAMETER(UnbindContext);
  // Something slow that the binding leaves behind.
  if (state != NULL && !RaceQueue(Work, state)) InterlockedExchange(&state->WorkDone, TRUE);
  Proto6Close(Binding);
  if (state != NULL) {
    InterlockedExchange(&state->BindingDone, TRUE);
    Free(state);
  }
  Proto6Release(Binding);
  return NDIS_STATUS_SUCCESS;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  NdisMSleep(100000);  // the work items are through by then
}
