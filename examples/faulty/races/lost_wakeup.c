// SPDX-License-Identifier: MIT
//
// Rule    Hang
// Page    ndis/nf-ndis-ndisresetevent
// Race    the pause sees sends under way, then resets the event that the last completion sets. A completion
//         between the two is forgotten, and the pause waits for ever.
// See     undis verify lost_wakeup.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Pool;
static LONG Sends[PROTO6_BINDINGS];
static LONG Running[PROTO6_BINDINGS];
static NDIS_EVENT Idle[PROTO6_BINDINGS];

static VOID End(ptrdiff_t Slot) {
  if (InterlockedDecrement(&Sends[Slot]) == 0) NdisSetEvent(&Idle[Slot]);
}

static VOID SendComplete(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST next;

  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
    RaceFreeFrame(Lists);
    End(RACE_SLOT(Binding));
  }
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) {
    NdisInitializeEvent(&Idle[i]);
    if (Pool == NULL) Pool = RacePool();
    InterlockedExchange(&Running[i], Pool != NULL);
  }
  if (Event != NetEventPause) return;
  InterlockedExchange(&Running[i], FALSE);
  if (InterlockedCompareExchange(&Sends[i], 0, 0) != 0) {
    NdisResetEvent(&Idle[i]);  // wrong: it may just have been set
    NdisWaitEvent(&Idle[i], 0);
  }
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = RACE_SLOT(Binding);
  PNET_BUFFER_LIST frame;

  InterlockedIncrement(&Sends[i]);
  if (!InterlockedCompareExchange(&Running[i], TRUE, TRUE) ||
      (frame = RaceMakeFrame(Pool, Binding->Handle)) == NULL)
    End(i);
  else
    NdisSendNetBufferLists(Binding->Handle, frame, NDIS_DEFAULT_PORT_NUMBER, 0);
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
