// SPDX-License-Identifier: MIT
//
// Rule    LIFE-073: the unload handler frees what the protocol half allocated.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  it forgets the table that DriverEntry allocated.
// See     undis verify life_073.so
#include "common/im5.h"

#define TABLE_TAG '370L'

static PVOID Table;  // of the protocol half

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  if (status != NDIS_STATUS_SUCCESS) return Im5Fail(status);
  if (NdisAllocateMemoryWithTag(&Table, 256, TABLE_TAG) != NDIS_STATUS_SUCCESS) {
    NdisIMDeregisterLayeredMiniport(Im5Driver);
    return Im5Fail(STATUS_INSUFFICIENT_RESOURCES);
  }
  status = Im5Finish();
  if (status != STATUS_SUCCESS) NdisFreeMemory(Table, 256, 0);
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
  // wrong: Table stays allocated
}
