// SPDX-License-Identifier: MIT
//
// Rule    LIFE-354: a shutdown handler that MiniportInitialize registered is deregistered by MiniportHalt.
// Page    ndis/nf-ndis-ndismsetattributesex
// Broken  it stays: after the halt its context may be anything.
// See     undis verify life_354.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID NTAPI Shutdown(PVOID ShutdownContext) {
  PMINI5_ADAPTER adapter = ShutdownContext;

  adapter->Extra = NULL;
}

static NDIS_STATUS Initialize(PMINI5_ADAPTER Adapter) {
  NdisMRegisterAdapterShutdownHandler(Adapter->Handle, Adapter, Shutdown);  // wrong: nothing takes it back
  return NDIS_STATUS_SUCCESS;
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
