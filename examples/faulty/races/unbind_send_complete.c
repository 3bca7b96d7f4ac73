// SPDX-License-Identifier: MIT
//
// Rule    ObjectNotInitialized
// Page    ndis/nf-ndis-ndissendnetbufferlists
// Race    the completion counts a send as over, and then still uses the state that the unbind frees once
//         all are over.
// See     undis verify unbind_send_complete.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _STATE {
  LONG Sends;
  LONG Running;
  NDIS_SPIN_LOCK Lock;
  ULONG Completed;
} STATE, *PSTATE;

static NDIS_HANDLE Pool;

static VOID SendComplete(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PSTATE state = Binding->Extra;
  PNET_BUFFER_LIST next;

  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
    RaceFreeFrame(Lists);
    InterlockedDecrement(&state->Sends);
    NdisAcquireSpinLock(&state->Lock);  // wrong: the state may be gone
    state->Completed++;
    NdisReleaseSpinLock(&state->Lock);
  }
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  PSTATE state = Binding->Extra;

  if (Event == NetEventRestart) {
    if (Pool == NULL) Pool = RacePool();
    state = Pool != NULL ? RaceAllocate(sizeof(*state)) : NULL;
    if (state != NULL) {
      NdisAllocateSpinLock(&state->Lock);
      state->Running = TRUE;
    }
    Binding->Extra = state;
  }
  if (Event != NetEventPause || state == NULL) return;
  InterlockedExchange(&state->Running, FALSE);
  while (InterlockedCompareExchange(&state->Sends, 0, 0) != 0) NdisMSleep(1000);
  Binding->Extra = NULL;
  NdisFreeSpinLock(&state->Lock);
  NdisFreeMemory(state, 0, 0);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST frame;
  PSTATE state;

  state = Binding->Extra;
  if (state == NULL) return Lists;
  InterlockedIncrement(&state->Sends);
  if (InterlockedCompareExchange(&state->Running, TRUE, TRUE) &&
      (frame = RaceMakeFrame(Pool, Binding->Handle)) != NULL) {
    NdisSendNetBufferLists(Binding->Handle, frame, NDIS_DEFAULT_PORT_NUMBER, 0);
    return Lists;
  }
  InterlockedDecrement(&state->Sends);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload,
                                   .Event = Event,
                                   .Receive = Receive,
                                   .SendComplete = SendComplete,
                                   .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  if (Pool != NULL) NdisFreeNetBufferListPool(Pool);
}
