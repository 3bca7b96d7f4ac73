// SPDX-License-Identifier: MIT
//
// Rule    LIFE-099: DriverEntry returns what NdisMRegisterMiniportDriver returned.
// Page    network/initializing-a-miniport-driver
// Broken  the driver asks for a version that there is not, and says success all the same.
// See     undis verify hidden_failure.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static const MINI6_HOOKS Hooks = {.Unload = Unload, .MajorNdisVersion = 7};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);  // wrong: its status is lost
  return STATUS_SUCCESS;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
