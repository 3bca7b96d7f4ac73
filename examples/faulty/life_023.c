// SPDX-License-Identifier: MIT
//
// Rule    Irql_Miniport_Driver_Function (LIFE-023): called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the unload routine calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify life_023.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  KIRQL before;

  UNREFERENCED_PARAMETER(DriverObject);
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  NdisMDeregisterMiniportDriver(Mini6Driver);  // wrong: at DISPATCH_LEVEL
  KeLowerIrql(before);
}
