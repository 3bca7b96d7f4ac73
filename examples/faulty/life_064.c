// SPDX-License-Identifier: MIT
//
// Rule    LIFE-064: the first argument is the wrapper handle.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  DriverEntry passes the handle of the layered miniport; then, so that nothing else is wrong, the
//         right one.
// See     undis verify life_064.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  if (status != NDIS_STATUS_SUCCESS) return Im5Fail(status);
  NdisMRegisterUnloadHandler(Im5Driver, Unload);  // wrong: the handle of the layered miniport
  return Im5Finish();
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
}
