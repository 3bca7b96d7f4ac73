// SPDX-License-Identifier: MIT
//
// Rule    LIFE-331: NdisTerminateWrapper is called where the registration after NdisMInitializeWrapper fails.
// Page    ndis/nf-ndis-ndisterminatewrapper
// Broken  without memory for its table DriverEntry just returns.
// See     undis verify life_331.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const MINI5_HOOKS Hooks = {.Unload = Unload};
static PVOID Table;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Mini5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  if (NdisAllocateMemoryWithTag(&Table, 256, '133L') != NDIS_STATUS_SUCCESS)
    return STATUS_INSUFFICIENT_RESOURCES;  // wrong: the wrapper stays
  status = Mini5Register();
  if (status == NDIS_STATUS_SUCCESS) {
    NdisMRegisterUnloadHandler(Mini5Wrapper, Unload);
    return STATUS_SUCCESS;
  }
  NdisFreeMemory(Table, 256, 0);
  return Mini5Fail(status);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFreeMemory(Table, 256, 0);
}
