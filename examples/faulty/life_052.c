// SPDX-License-Identifier: MIT
//
// Rule    LIFE-052: one call for each instance that was initialised.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind tears the virtual miniport down twice.
// See     undis verify life_052.so
#include "common/im6.h"

DRIVER_INITIALIZE DriverEntry;

static VOID Remove(PIM6_ADAPTER Adapter, NDIS_HANDLE Miniport) {
  UNREFERENCED_PARAMETER(Adapter);
  NdisIMDeInitializeDeviceInstance(Miniport);
  NdisIMDeInitializeDeviceInstance(Miniport);  // wrong: it is gone
}

static const IM6_HOOKS Hooks = {.Remove = Remove};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im6DriverEntry(DriverObject, RegistryPath, &Hooks);
}
