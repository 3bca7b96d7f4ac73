// SPDX-License-Identifier: MIT
//
// Rule    LIFE-003: a layered miniport that was registered is deregistered before the driver is unloaded.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload handler deregisters the protocol half only.
// See     undis verify life_003.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5DeregisterProtocol();
  // wrong: Im5Driver stays registered
}
