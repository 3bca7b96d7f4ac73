// SPDX-License-Identifier: MIT
//
// Rule    LIFE-330: NdisMInitializeWrapper is the first function of NDIS that DriverEntry calls.
// Page    ndis/nf-ndis-ndisminitializewrapper
// Broken  DriverEntry begins with the lock of the driver's own globals.
// See     undis verify life_330.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const MINI5_HOOKS Hooks = {.Unload = Unload};
static NDIS_SPIN_LOCK GlobalLock;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NdisAllocateSpinLock(&GlobalLock);  // wrong: before the wrapper
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFreeSpinLock(&GlobalLock);
}
