// SPDX-License-Identifier: MIT
//
// Rule    LIFE-019: only a registration that succeeded is taken back.
// Page    ndis/nf-ndis-ndismderegisterminiportdriver
// Broken  the driver asks for NDIS 7, is refused, and deregisters all the same.
// See     undis verify life_019.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload, .MajorNdisVersion = 7};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_STATUS status = Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);

  if (status != NDIS_STATUS_SUCCESS)
    NdisMDeregisterMiniportDriver(Mini6Driver);  // wrong: nothing was registered
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
