// SPDX-License-Identifier: MIT
//
// Rule    Irql_Filter_Driver_Function: NdisFNetPnPEvent is called at PASSIVE_LEVEL.
// Page    devtest/ndis-irql-filter-driver-function
// Broken  FilterRestart calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify filter_irql.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Restart(PFILTER6_MODULE Module) {
  KIRQL irql;

  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  (VOID) NdisFNetPnPEvent(Module->Handle, NULL);  // wrong: PASSIVE_LEVEL only
  KeLowerIrql(irql);
  return NDIS_STATUS_SUCCESS;
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Restart = Restart};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
