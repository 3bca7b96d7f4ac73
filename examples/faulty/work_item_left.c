// SPDX-License-Identifier: MIT
//
// Rule    Init_NdisAllocateIoWorkItem: a work item of the adapter is freed by the end of the halt.
// Page    ndis/nf-ndis-ndisallocateioworkitem
// Broken  it is freed in the unload routine.
// See     undis verify work_item_left.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_HANDLE Items[MINI6_ADAPTERS * 4];
static LONG Count;

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_HANDLE item = NdisAllocateIoWorkItem(Adapter->Handle);
  LONG slot;

  if (item == NULL) return NDIS_STATUS_RESOURCES;
  slot = InterlockedIncrement(&Count) - 1;
  Items[slot % ARRAYSIZE(Items)] = item;
  return NDIS_STATUS_SUCCESS;
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  LONG i;

  UNREFERENCED_PARAMETER(DriverObject);
  for (i = 0; i < Count; i++) NdisFreeIoWorkItem(Items[i % ARRAYSIZE(Items)]);  // wrong: too late
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
