// SPDX-License-Identifier: MIT
//
// Rule    LIFE-045: an NDIS 6 protocol calls NdisDeregisterProtocolDriver instead.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  Unload of an NDIS 6.30 protocol tries the old function first, left over from a port.
// See     undis verify life_045.so
#include "common/proto6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

// ndis.h does not show it to NDIS 6 drivers.
VOID NTAPI NdisDeregisterProtocol(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisProtocolHandle);

static const PROTO6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocol(&status, Proto6Handle);  // wrong: not for NDIS 6
  NdisDeregisterProtocolDriver(Proto6Handle);
}
