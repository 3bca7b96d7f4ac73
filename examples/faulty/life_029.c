// SPDX-License-Identifier: MIT
//
// Rule    LIFE-029: only a protocol that registered deregisters.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the unload handler of a plain miniport, copied from an intermediate driver, deregisters a protocol
//         that there never was.
// See     undis verify life_029.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Protocol;  // never set

static const MINI5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocol(&status, Protocol);  // wrong: there is no protocol half
}
