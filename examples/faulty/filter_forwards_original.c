// SPDX-License-Identifier: MIT
//
// Rule    OidForwardOnlyClone: a filter sends a clone of the request that it was given.
// Page    ndis/nc-ndis-filter_oid_request
// Broken  the request itself goes down.
// See     undis verify filter_forwards_original.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Oid(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Request) {
  return NdisFOidRequest(Module->Handle, Request);  // wrong: no clone
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
