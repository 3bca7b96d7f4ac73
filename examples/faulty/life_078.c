// SPDX-License-Identifier: MIT
//
// Rule    LIFE-078: called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  DriverEntry calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify life_078.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const MINI5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Mini5Begin(DriverObject, RegistryPath, &Hooks);
  KIRQL before;

  if (status != STATUS_SUCCESS) return status;
  status = Mini5Register();
  if (status != NDIS_STATUS_SUCCESS) return Mini5Fail(status);
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  NdisMRegisterUnloadHandler(Mini5Wrapper, Unload);  // wrong: at DISPATCH_LEVEL
  KeLowerIrql(before);
  return STATUS_SUCCESS;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
