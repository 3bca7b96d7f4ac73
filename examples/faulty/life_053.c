// SPDX-License-Identifier: MIT
//
// Rule    LIFE-053: the virtual miniport goes when the adapter below is unbound.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind closes the binding only; the virtual miniports stay up until the unload handler takes
//         them down.
// See     undis verify life_053.so
// Also    LIFE-052: NDIS takes the devices away before it calls the unload handler, which so comes too late.
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Unbind(PIM5_ADAPTER Adapter) {
  Im5Settle(Adapter);  // wrong: if it is up, it stays up
  Im5Close(Adapter);
  Im5Release(Adapter);
}

static const IM5_HOOKS Hooks = {.Unload = Unload, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  NDIS_HANDLE miniport;
  UINT i;

  UNREFERENCED_PARAMETER(DriverObject);
  for (i = 0; i < IM5_ADAPTERS; i++) {
    miniport = Im5Adapters[i].Miniport;
    if (miniport != NULL) NdisIMDeInitializeDeviceInstance(miniport);
  }
  Im5Deregister();
}
