// SPDX-License-Identifier: MIT
//
// Rule    Hang: what is pended is completed.
// Page    ndis/nf-ndis-ndiscompleteunbindadapterex
// Broken  the unbind closes the binding, returns NDIS_STATUS_PENDING, and never calls
//         NdisCompleteUnbindAdapterEx.
// See     undis verify hang_in_unbind.so
#include "common/proto6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Unbind(PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext) {
  UNREFERENCED_PARAMETER(UnbindContext);
  Proto6Close(Binding);
  Proto6Release(Binding);
  return NDIS_STATUS_PENDING;  // wrong: nothing completes it
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Unbind = Unbind};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
