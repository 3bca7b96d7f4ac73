// SPDX-License-Identifier: MIT
//
// Rule    LIFE-017: a DriverEntry that fails after the registration deregisters before it returns.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the driver's key has no subkey Licence (none is ever made), so DriverEntry gives up, and just
//         returns.
// See     undis verify life_017.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);

  if (status != NDIS_STATUS_SUCCESS) return status;
  status = RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"life_017\\Licence");
  return status;  // wrong: if it is a failure, Mini6Driver stays registered
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
