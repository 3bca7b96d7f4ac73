// SPDX-License-Identifier: MIT
//
// Rule    LIFE-033: ProtocolUnbindAdapter may deregister when it releases the last binding.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the first unbind deregisters, whether there are further bindings or not. It needs two adapters: the
//         suites lifecycle.adapters and lifecycle.remove have them.
// See     undis verify life_033.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Unbind(PPROTO5_BINDING Binding) {
  Proto5Close(Binding);
  Proto5Release(Binding);
  Proto5Deregister();  // wrong: other bindings may be open
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
