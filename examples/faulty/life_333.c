// SPDX-License-Identifier: MIT
//
// Rule    LIFE-333: an intermediate driver sets NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND.
// Page    ndis/nf-ndis-ndismsetattributesex
// Broken  it does not: NDIS would halt the virtual miniport when the system sleeps.
// See     undis verify life_333.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload, .AttributesLeftOut = NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
}
