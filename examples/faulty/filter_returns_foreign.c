// SPDX-License-Identifier: MIT
//
// Rule    NblDoubleComplete: what a filter has passed on is not its to return.
// Page    ndis/nf-ndis-ndisfreturnnetbufferlists
// Broken  lists are passed on and returned as well.
// See     undis verify filter_returns_foreign.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Receive(PFILTER6_MODULE Module, PNET_BUFFER_LIST Lists, ULONG Count, ULONG Flags) {
  NdisFIndicateReceiveNetBufferLists(Module->Handle, Lists, NDIS_DEFAULT_PORT_NUMBER, Count, Flags);
  if (!NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) NdisFReturnNetBufferLists(Module->Handle, Lists, 0);  // wrong
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
