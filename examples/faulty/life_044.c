// SPDX-License-Identifier: MIT
//
// Rule    LIFE-044: called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  Unload calls it at DISPATCH_LEVEL, as if under a spin lock. The protocol is for Token Ring, so that
//         no binding is open then.
// See     undis verify life_044.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const PROTO5_HOOKS Hooks = {.Unload = Unload, .Medium = NdisMedium802_5};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto5DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  KIRQL before;

  UNREFERENCED_PARAMETER(DriverObject);
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  Proto5Deregister();  // wrong: at DISPATCH_LEVEL
  KeLowerIrql(before);
}
