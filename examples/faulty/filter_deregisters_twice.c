// SPDX-License-Identifier: MIT
//
// Rule    NdisFDeregisterFilterDriver: one deregistration for each registration.
// Page    ndis/nf-ndis-ndisfderegisterfilterdriver
// Broken  the unload routine deregisters twice.
// See     undis verify filter_deregisters_twice.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const FILTER6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
  NdisFDeregisterFilterDriver(Filter6Driver);  // wrong: the handle is gone
}
