// SPDX-License-Identifier: MIT
//
// Rule    LIFE-028: the handle is the one that NdisRegisterProtocol gave.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the unload handler of an intermediate driver mixes its two handles up; then, so that nothing else
// is
//         wrong, it passes the right one.
// See     undis verify life_028.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Im5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocol(&status, Im5Driver);  // wrong: the handle of the layered miniport
  NdisDeregisterProtocol(&status, Im5Protocol);
  NdisIMDeregisterLayeredMiniport(Im5Driver);
}
