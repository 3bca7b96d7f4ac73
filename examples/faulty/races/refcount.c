// SPDX-License-Identifier: MIT
//
// Rule    PoolDoubleFree
// Page    wdm/nf-wdm-interlockeddecrement
// Race    a reference is dropped by a decrement whose result is not looked at, and the count is read once
//         more: two droppers may both read zero.
// See     undis verify refcount.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _SHARED {
  LONG References;
} SHARED, *PSHARED;

static VOID Drop(PSHARED Shared) {
  InterlockedDecrement(&Shared->References);
  if (InterlockedCompareExchange(&Shared->References, 0, 0) != 0)
    return;  // wrong: not what the decrement gave
  NdisFreeMemory(Shared, 0, 0);
}

static VOID Work(PVOID Context) {
  Drop(Context);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PSHARED shared = RaceAllocate(sizeof(*shared));

  UNREFERENCED_PARAMETER(Binding);
  if (shared == NULL) return Lists;
  shared->References = 2;
  if (!RaceQueue(Work, shared)) InterlockedDecrement(&shared->References);
  Drop(shared);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  NdisMSleep(100000);  // the work items are through by then
}
