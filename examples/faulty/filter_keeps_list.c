// SPDX-License-Identifier: MIT
//
// Rule    FilterPauseWaitsOwn: a filter returns what it holds of others before its pause is complete.
// Page    ndis/nc-ndis-filter_pause
// Broken  the first chain that is received is kept for ever, also over a pause.
// See     undis verify filter_keeps_list.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Receive(PFILTER6_MODULE Module, PNET_BUFFER_LIST Lists, ULONG Count, ULONG Flags) {
  if (Module->Extra == NULL && !NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
    Module->Extra = Lists;  // wrong: nobody returns it
    return;
  }
  NdisFIndicateReceiveNetBufferLists(Module->Handle, Lists, NDIS_DEFAULT_PORT_NUMBER, Count, Flags);
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
