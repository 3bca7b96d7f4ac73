// SPDX-License-Identifier: MIT
//
// Rule    LIFE-074: a miniport that watches several instances cleans up what they share when it is unloaded.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  the first instance allocates a table for all of them; nobody frees it.
// See     undis verify life_074.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

#define SHARED_TAG '470L'

static PVOID Shared;  // of all instances

static NDIS_STATUS Initialize(PMINI5_ADAPTER Adapter) {
  PVOID table;

  UNREFERENCED_PARAMETER(Adapter);
  if (NdisAllocateMemoryWithTag(&table, 256, SHARED_TAG) != NDIS_STATUS_SUCCESS) return NDIS_STATUS_RESOURCES;
  if (InterlockedCompareExchangePointer(&Shared, table, NULL) != NULL) NdisFreeMemory(table, 256, 0);
  return NDIS_STATUS_SUCCESS;
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  // wrong: Shared stays allocated
}
