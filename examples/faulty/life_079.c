// SPDX-License-Identifier: MIT
//
// Rule    LIFE-079: an NDIS 6 driver gives its unload routine to NdisMRegisterMiniportDriver.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  an NDIS 6.30 miniport does so, and calls the old function as well, left over from a port.
// See     undis verify life_079.so
#include "common/mini6.h"

// ndis.h does not show it to NDIS 6 drivers.
VOID NTAPI NdisMRegisterUnloadHandler(_In_ NDIS_HANDLE NdisWrapperHandle, _In_ PDRIVER_UNLOAD UnloadHandler);

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_STATUS status = Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);

  if (status == NDIS_STATUS_SUCCESS)
    NdisMRegisterUnloadHandler(Mini6Driver, Unload);  // wrong: not for NDIS 6
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
