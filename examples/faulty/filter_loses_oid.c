// SPDX-License-Identifier: MIT
//
// Rule    Hang: a request that is pended is completed.
// Page    ndis/nc-ndis-filter_oid_request
// Broken  the first request on a module is pended and forgotten.
// See     undis verify filter_loses_oid.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Oid(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Request) {
  UNREFERENCED_PARAMETER(Module);
  UNREFERENCED_PARAMETER(Request);
  return NDIS_STATUS_PENDING;  // wrong: nobody completes it
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Oid = Oid};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
