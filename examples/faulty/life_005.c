// SPDX-License-Identifier: MIT
//
// Rule    LIFE-005: running out of resources in DriverEntry is such a fatal error too.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  without memory for its table DriverEntry only terminates the wrapper. It needs a failing allocation
//         to happen: the suite lifecycle.entry makes one.
// See     undis verify life_005.so
#include "common/im5.h"

#define TABLE_TAG '500L'

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};
static PVOID Table;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  if (status != NDIS_STATUS_SUCCESS) return Im5Fail(status);
  if (NdisAllocateMemoryWithTag(&Table, 256, TABLE_TAG) != NDIS_STATUS_SUCCESS)
    return Im5Fail(STATUS_INSUFFICIENT_RESOURCES);  // wrong: Im5Driver stays registered
  status = Im5Finish();
  if (status != STATUS_SUCCESS) NdisFreeMemory(Table, 256, 0);
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
  NdisFreeMemory(Table, 256, 0);
}
