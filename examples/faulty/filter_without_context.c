// SPDX-License-Identifier: MIT
//
// Rule    FilterSetsAttributes: FilterAttach calls NdisFSetAttributes.
// Page    ndis/nc-ndis-filter_attach
// Broken  it does not, and so has no context in any other function.
// See     undis verify filter_without_context.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .NoAttributes = TRUE};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
