// SPDX-License-Identifier: MIT
//
// Rule    LIFE-060: called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify life_060.so
#include "common/im6.h"

DRIVER_INITIALIZE DriverEntry;

static VOID Remove(PIM6_ADAPTER Adapter, NDIS_HANDLE Miniport) {
  KIRQL before;

  UNREFERENCED_PARAMETER(Adapter);
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  NdisIMDeInitializeDeviceInstance(Miniport);  // wrong: at DISPATCH_LEVEL
  KeLowerIrql(before);
}

static const IM6_HOOKS Hooks = {.Remove = Remove};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im6DriverEntry(DriverObject, RegistryPath, &Hooks);
}
