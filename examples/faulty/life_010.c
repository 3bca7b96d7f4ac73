// SPDX-License-Identifier: MIT
//
// Rule    LIFE-010: called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload handler calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify life_010.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  KIRQL before;

  UNREFERENCED_PARAMETER(DriverObject);
  Im5DeregisterProtocol();
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  NdisIMDeregisterLayeredMiniport(Im5Driver);  // wrong: at DISPATCH_LEVEL
  KeLowerIrql(before);
}
