// SPDX-License-Identifier: MIT
//
// Rule    DriverCrash
// Page    ndis/nf-ndis-ndisallocatememorywithtagpriority
// Broken  what the allocation gives is used without a look.
// See     undis verify bind_unchecked.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  if (Event == NetEventRestart && Binding->Extra == NULL) {
    Binding->Extra = NdisAllocateMemoryWithTagPriority(Proto6Handle, 64, RACE_TAG, NormalPoolPriority);
    *(ULONG*)Binding->Extra = 1;  // wrong: it may be NULL
  }
  if (Event == NetEventPause && Binding->Extra != NULL) {
    NdisFreeMemory(Binding->Extra, 0, 0);
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
