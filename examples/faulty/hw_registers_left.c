// SPDX-License-Identifier: MIT
//
// Rule    HardwareGivenBack: registers are unmapped in the halt.
// Page    ndis/nf-ndis-ndismmapiospace
// Broken  MiniportHaltEx leaves the registers mapped.
// See     undis verify hw_registers_left.so --inf common/card.inf
#include "common/hw6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static VOID Halt(PMINI6_ADAPTER Adapter) {
  Hw6Write(Adapter, HW6_CONTROL, HW6_RESET);
  // wrong: NdisMUnmapIoSpace is missing
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Hw6Map, .Halt = Halt};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
