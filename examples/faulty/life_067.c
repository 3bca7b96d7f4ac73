// SPDX-License-Identifier: MIT
//
// Rule    LIFE-067: called from DriverEntry.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  each MiniportInitialize calls it again, to be on the safe side.
// See     undis verify life_067.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Initialize(PMINI5_ADAPTER Adapter) {
  UNREFERENCED_PARAMETER(Adapter);
  NdisMRegisterUnloadHandler(Mini5Wrapper, Unload);  // wrong: DriverEntry is long over
  return NDIS_STATUS_SUCCESS;
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
