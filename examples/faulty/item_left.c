// SPDX-License-Identifier: MIT
//
// Rule    Init_NdisAllocateIoWorkItem: a work item made for an adapter is freed before its halt returns.
// Page    ndis/nc-ndis-miniport_halt
// Broken  the work items of all adapters are freed by the unload routine only.
// See     undis verify item_left.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_HANDLE Items[MINI6_ADAPTERS * 16];
static LONG ItemCount;

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_HANDLE item = NdisAllocateIoWorkItem(Adapter->Handle);
  LONG slot;

  if (item == NULL) return NDIS_STATUS_RESOURCES;
  slot = InterlockedIncrement(&ItemCount) - 1;
  if (slot >= MINI6_ADAPTERS * 16) {
    NdisFreeIoWorkItem(item);
    return NDIS_STATUS_RESOURCES;
  }
  Items[slot] = item;
  return NDIS_STATUS_SUCCESS;
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  while (ItemCount > 0) {
    ItemCount--;
    if (ItemCount < MINI6_ADAPTERS * 16) NdisFreeIoWorkItem(Items[ItemCount]);  // wrong: too late
  }
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
