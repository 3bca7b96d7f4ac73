// SPDX-License-Identifier: MIT
//
// Rule    LIFE-157: the ports that a driver allocated are freed before its halt returns.
// Page    network/freeing-an-ndis-port
// Broken  MiniportInitializeEx allocates a port, and nobody frees it.
// See     undis verify port_left.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_PORT_CHARACTERISTICS port;

  NdisZeroMemory(&port, sizeof(port));
  port.Header.Type = NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS;
  port.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
  port.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
  port.Type = NdisPortTypeBridge;
  return NdisMAllocatePort(Adapter->Handle, &port);  // wrong: MiniportHaltEx does not free it
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
