// SPDX-License-Identifier: MIT
//
// Rule    PoolLeak
// Page    wdm/nc-wdm-driver_initialize
// Broken  the table is allocated first; when the registration fails, DriverEntry returns without freeing
//         it.
// See     undis verify entry_leaks_pool.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PVOID Table;

static const PROTO6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  Table = ExAllocatePool2(POOL_FLAG_NON_PAGED, 256, RACE_TAG);
  if (Table == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  status = Proto6DriverEntry(DriverObject, &Hooks);
  return status;  // wrong: where it failed, nothing calls Unload
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  ExFreePoolWithTag(Table, RACE_TAG);
}
