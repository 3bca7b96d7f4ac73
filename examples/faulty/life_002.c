// SPDX-License-Identifier: MIT
//
// Rule    LIFE-002: the handle is the one that NdisIMRegisterLayeredMiniport gave.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the unload handler passes the wrapper handle; then, so that nothing else is wrong, the right one.
// See     undis verify life_002.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5DeregisterProtocol();
  NdisIMDeregisterLayeredMiniport(Im5Wrapper);  // wrong: a wrapper handle
  NdisIMDeregisterLayeredMiniport(Im5Driver);
}
