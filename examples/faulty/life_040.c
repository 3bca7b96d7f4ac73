// SPDX-License-Identifier: MIT
//
// Rule    LIFE-040: ProtocolUnbindAdapter closes its binding with NdisCloseAdapter.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  it forgets to.
// See     undis verify life_040.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Unbind(PPROTO5_BINDING Binding) {
  Proto5Release(Binding);  // wrong: the adapter is still open
  return NDIS_STATUS_SUCCESS;
}

static const PROTO5_HOOKS Hooks = {.Unload = Unload, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto5DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Proto5Deregister();
}
