// SPDX-License-Identifier: MIT
//
// Rule    LIFE-057: a protocol that is told to unbind has to do so.
// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance
// Broken  the unbind closes the binding, as it should, and then says that it failed.
// See     undis verify life_057.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Unbind(PPROTO5_BINDING Binding) {
  Proto5Close(Binding);
  Proto5Release(Binding);
  return NDIS_STATUS_FAILURE;  // wrong: an unbind cannot be refused
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
