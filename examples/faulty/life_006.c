// SPDX-License-Identifier: MIT
//
// Rule    LIFE-006: one deregistration for each registration.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload handler deregisters twice.
// See     undis verify life_006.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
  NdisIMDeregisterLayeredMiniport(Im5Driver);  // wrong: the handle is gone
}
