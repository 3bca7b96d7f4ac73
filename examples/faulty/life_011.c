// SPDX-License-Identifier: MIT
//
// Rule    LIFE-011: an NDIS 6 driver calls NdisMDeregisterMiniportDriver instead.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload routine of an NDIS 6.30 miniport tries the old function first, left over from a port.
// See     undis verify life_011.so
#include "common/mini6.h"

// ndis.h does not show it to NDIS 6 drivers.
VOID NTAPI NdisIMDeregisterLayeredMiniport(_In_ NDIS_HANDLE DriverHandle);

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisIMDeregisterLayeredMiniport(Mini6Driver);  // wrong: not for NDIS 6
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
