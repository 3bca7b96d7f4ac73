// SPDX-License-Identifier: MIT
//
// Rule    LIFE-071: an intermediate driver's unload handler deregisters the protocol half.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  it deregisters the layered miniport only.
// See     undis verify life_071.so
// Also    LIFE-008: whoever never deregisters the protocol half does not do so before the layered miniport
//         either.
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisIMDeregisterLayeredMiniport(Im5Driver);
  // wrong: Im5Protocol stays registered
}
