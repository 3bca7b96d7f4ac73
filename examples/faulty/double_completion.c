// SPDX-License-Identifier: MIT
//
// Rule    NblDoubleComplete: a net buffer list is completed once.
// Page    ndis/nf-ndis-ndismsendnetbufferlistscomplete
// Broken  MiniportSendNetBufferLists completes each chain twice.
// See     undis verify double_completion.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static VOID Send(PMINI6_ADAPTER Adapter, PNET_BUFFER_LIST Lists, ULONG SendFlags) {
  Oid6CompleteSends(Adapter->Handle, Lists, NDIS_STATUS_SUCCESS, SendFlags);
  NdisMSendNetBufferListsComplete(Adapter->Handle, Lists, 0);  // wrong: they are the sender's again
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Send = Send};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
