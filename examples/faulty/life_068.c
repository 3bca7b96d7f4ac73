// SPDX-License-Identifier: MIT
//
// Rule    LIFE-068: called after the miniport was registered.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  DriverEntry calls it before.
// See     undis verify life_068.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const MINI5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Mini5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  NdisMRegisterUnloadHandler(Mini5Wrapper, Unload);  // wrong: too early
  status = Mini5Register();
  return status == NDIS_STATUS_SUCCESS ? STATUS_SUCCESS : Mini5Fail(status);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
