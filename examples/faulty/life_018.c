// SPDX-License-Identifier: MIT
//
// Rule    LIFE-018: after a DriverEntry that succeeded the unload routine deregisters.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the unload routine is empty.
// See     undis verify life_018.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  // wrong: Mini6Driver stays registered
}
