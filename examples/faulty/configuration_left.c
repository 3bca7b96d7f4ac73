// SPDX-License-Identifier: MIT
//
// Rule    NdisOpenConfigurationEx: a configuration is closed before its adapter is halted.
// Page    ndis/nf-ndis-ndisopenconfigurationex
// Broken  MiniportInitializeEx opens the configuration and nobody closes it.
// See     undis verify configuration_left.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_CONFIGURATION_OBJECT object;
  NDIS_HANDLE configuration;

  NdisZeroMemory(&object, sizeof(object));
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
  object.NdisHandle = Adapter->Handle;
  return NdisOpenConfigurationEx(&object, &configuration);  // wrong: NdisCloseConfiguration is missing
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
