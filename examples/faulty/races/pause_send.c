// SPDX-License-Identifier: MIT
//
// Rule    StateTable
// Page    network/pausing-a-binding
// Race    a receive looks whether the binding runs, makes a frame, and sends it; the pause may come and be
//         over in between.
// See     undis verify pause_send.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Pool;
static LONG Running[PROTO6_BINDINGS];
static LONG Sends[PROTO6_BINDINGS];

static VOID SendComplete(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST next;

  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
    RaceFreeFrame(Lists);
    InterlockedDecrement(&Sends[RACE_SLOT(Binding)]);
  }
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = RACE_SLOT(Binding);

  if (Event == NetEventRestart) {
    if (Pool == NULL) Pool = RacePool();
    InterlockedExchange(&Running[i], Pool != NULL);
  }
  if (Event != NetEventPause) return;
  InterlockedExchange(&Running[i], FALSE);
  while (InterlockedCompareExchange(&Sends[i], 0, 0) != 0) NdisMSleep(1000);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = RACE_SLOT(Binding);
  PNET_BUFFER_LIST frame;

  if (!InterlockedCompareExchange(&Running[i], TRUE, TRUE)) return Lists;
  frame = RaceMakeFrame(Pool, Binding->Handle);
  if (frame == NULL) return Lists;
  InterlockedIncrement(&Sends[i]);  // wrong: counted after the look, so the pause may be over already
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
