// SPDX-License-Identifier: MIT
//
// Rule    LIFE-048: the handle is the one that the virtual miniport got when it was initialised.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind passes the handle of the binding below; then, so that nothing else is wrong, the right
//         one.
// See     undis verify life_048.so
#include "common/im6.h"

DRIVER_INITIALIZE DriverEntry;

static VOID Remove(PIM6_ADAPTER Adapter, NDIS_HANDLE Miniport) {
  NdisIMDeInitializeDeviceInstance(Adapter->Binding);  // wrong: a binding
  NdisIMDeInitializeDeviceInstance(Miniport);
}

static const IM6_HOOKS Hooks = {.Remove = Remove};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im6DriverEntry(DriverObject, RegistryPath, &Hooks);
}
