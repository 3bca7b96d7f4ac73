// SPDX-License-Identifier: MIT
//
// Rule    LIFE-020: one deregistration for each registration.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the unload routine deregisters twice.
// See     undis verify life_020.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
  NdisMDeregisterMiniportDriver(Mini6Driver);  // wrong: the handle is gone
}
