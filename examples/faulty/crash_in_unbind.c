// SPDX-License-Identifier: MIT
//
// Rule    DriverCrash: a driver does not access memory that is not its own.
// Page    ndis/nc-ndis-protocol_unbind_adapter_ex
// Broken  the unbind clears its pointer to the binding a line too early, and then writes through it.
// See     undis verify crash_in_unbind.so
#include "common/proto6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PPROTO6_BINDING volatile Current;

static NDIS_STATUS Unbind(PPROTO6_BINDING Binding, NDIS_HANDLE UnbindContext) {
  UNREFERENCED_PARAMETER(UnbindContext);
  Proto6Close(Binding);
  Current = NULL;
  Current->InUse = FALSE;  // wrong: there is none any more
  return NDIS_STATUS_SUCCESS;
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
