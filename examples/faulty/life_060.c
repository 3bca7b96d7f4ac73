// SPDX-License-Identifier: MIT
//
// Rule    Irql_IM_Function (LIFE-060): called at PASSIVE_LEVEL.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind calls it at DISPATCH_LEVEL, as if under a spin lock.
// See     undis verify life_060.so
// Also    WaitAtDispatch: a virtual miniport that is torn down at DISPATCH_LEVEL waits there.
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
