// SPDX-License-Identifier: MIT
//
// Rule    FilterNoTrafficAttaching: a filter that attaches makes no OID request.
// Page    network/attaching-a-filter-module
// Broken  FilterAttach asks the miniport for its vendor.
// See     undis verify filter_asks_attaching.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Attach(PFILTER6_MODULE Module) {
  ULONG vendor = 0;
  NDIS_OID_REQUEST request;

  NdisZeroMemory(&request, sizeof(request));
  request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  request.RequestType = NdisRequestQueryInformation;
  request.DATA.QUERY_INFORMATION.Oid = OID_GEN_VENDOR_ID;
  request.DATA.QUERY_INFORMATION.InformationBuffer = &vendor;
  request.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(vendor);
  (VOID) NdisFOidRequest(Module->Handle, &request);  // wrong: the module is Attaching
  return NDIS_STATUS_SUCCESS;
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Attach = Attach};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
