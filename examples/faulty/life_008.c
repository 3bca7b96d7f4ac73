// SPDX-License-Identifier: MIT
//
// Rule    LIFE-008: NdisDeregisterProtocol comes first, NdisIMDeregisterLayeredMiniport second.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload handler does it the other way round.
// See     undis verify life_008.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisIMDeregisterLayeredMiniport(Im5Driver);  // wrong: the protocol half is still registered
  Im5DeregisterProtocol();
}
