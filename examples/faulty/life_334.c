// SPDX-License-Identifier: MIT
//
// Rule    LIFE-334: NdisMIndicateStatus is not called inside MiniportHalt.
// Page    ndis/nf-ndis-ndismindicatestatus
// Broken  the halt says good-bye.
// See     undis verify life_334.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Halt(PMINI5_ADAPTER Adapter) {
  NdisMIndicateStatus(Adapter->Handle, NDIS_STATUS_MEDIA_DISCONNECT, NULL,
                      0);  // wrong: nobody is to be called now
  NdisMIndicateStatusComplete(Adapter->Handle);
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Halt = Halt};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
