// SPDX-License-Identifier: MIT
//
// Rule    DriverEntryFailCleanup
// Page    ndis/nf-ndis-ndisregisterprotocoldriver
// Broken  the registration is made first; when the table cannot be allocated, DriverEntry fails and leaves
//         it.
// See     undis verify entry_stays_registered.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PVOID Table;

static const PROTO6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  status = Proto6DriverEntry(DriverObject, &Hooks);
  if (status != NDIS_STATUS_SUCCESS) return status;
  Table = ExAllocatePool2(POOL_FLAG_NON_PAGED, 256, RACE_TAG);
  return Table == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;  // wrong: still registered
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  ExFreePoolWithTag(Table, RACE_TAG);
}
