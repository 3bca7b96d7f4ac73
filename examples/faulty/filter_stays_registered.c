// SPDX-License-Identifier: MIT
//
// Rule    NdisFDeregisterFilterDriver: a filter deregisters in its unload routine.
// Page    devtest/ndis-ndisfderegisterfilterdriver
// Broken  the unload routine is empty.
// See     undis verify filter_stays_registered.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const FILTER6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);  // wrong: NdisFDeregisterFilterDriver(Filter6Driver)
}
