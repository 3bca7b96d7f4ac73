// SPDX-License-Identifier: MIT
//
// Rule    Hang
// Page    ndis/nf-ndis-ndiscompleteunbindadapterex
// Broken  the unbind is pended for a work item. When there is none, nobody completes it.
// See     undis verify never_completed.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

typedef struct _LATER {
  PPROTO6_BINDING Binding;
  NDIS_HANDLE UnbindContext;
} LATER, *PLATER;

static LATER Later[PROTO6_BINDINGS];

static VOID Work(PVOID Context) {
  PLATER later = Context;
  NDIS_HANDLE unbind = later->UnbindContext;

  Proto6Close(later->Binding);
  Proto6Release(later->Binding);
  NdisCompleteUnbindAdapterEx(unbind);
}

static NDIS_STATUS Unbind(PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext) {
  PLATER later = &Later[RACE_SLOT(Binding)];

  later->Binding = Binding;
  later->UnbindContext = UnbindContext;
  RaceQueue(Work, later);
  return NDIS_STATUS_PENDING;  // wrong: for ever, if there was no memory for the work item
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
