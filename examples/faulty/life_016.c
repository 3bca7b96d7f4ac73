// SPDX-License-Identifier: MIT
//
// Rule    LIFE-016: the handle is the one that NdisMRegisterMiniportDriver gave.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the unload routine passes NULL; then, so that nothing else is wrong, the right one.
// See     undis verify life_016.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(NULL);  // wrong: no handle
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
