// SPDX-License-Identifier: MIT
//
// Rule    LIFE-077: MiniportHalt acts on its own instance only; what is beyond is the unload handler's.
// Page    ndis/nf-ndis-ndismregisterunloadhandler
// Broken  each instance has a packet pool, and the first that is halted frees all of them. It needs two
//         adapters: the suites lifecycle.adapters and lifecycle.remove have them.
// See     undis verify life_077.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Initialize(PMINI5_ADAPTER Adapter) {
  NDIS_STATUS status;

  NdisAllocatePacketPool(&status, &Adapter->Extra, 16, PROTOCOL_RESERVED_SIZE_IN_PACKET);
  if (status != NDIS_STATUS_SUCCESS) Adapter->Extra = NULL;
  return status;
}

static VOID Halt(PMINI5_ADAPTER Adapter) {
  NDIS_HANDLE pool;
  UINT i;

  UNREFERENCED_PARAMETER(Adapter);
  for (i = 0; i < MINI5_ADAPTERS; i++) {  // wrong: the others are still up
    pool = InterlockedExchangePointer(&Mini5Adapters[i].Extra, NULL);
    if (pool != NULL) NdisFreePacketPool(pool);
  }
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize, .Halt = Halt};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
