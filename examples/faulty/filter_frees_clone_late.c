// SPDX-License-Identifier: MIT
//
// Rule    OidCloneFreedFirst: the clone is freed before the request is completed.
// Page    ndis/nc-ndis-filter_oid_request_complete
// Broken  the request is completed first. Seen where it was pended below.
// See     undis verify filter_frees_clone_late.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID OidComplete(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Clone, NDIS_STATUS Status) {
  PNDIS_OID_REQUEST original = Module->Original;

  original->DATA = Clone->DATA;
  NdisFOidRequestComplete(Module->Handle, original, Status);
  NdisFreeCloneOidRequest(Module->Handle, Clone);  // wrong: too late
}

// Every request is answered later, so that it is seen with any miniport.
typedef struct _LATER {
  PFILTER6_MODULE Module;
  PNDIS_OID_REQUEST Clone;
  NDIS_STATUS Status;
} LATER, *PLATER;

static VOID Work(PVOID Context, NDIS_HANDLE WorkItem) {
  LATER later = *(PLATER)Context;

  NdisFreeIoWorkItem(WorkItem);
  NdisFreeMemory(Context, 0, 0);
  OidComplete(later.Module, later.Clone, later.Status);
}

static NDIS_STATUS Oid(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Request) {
  PLATER later =
      NdisAllocateMemoryWithTagPriority(Module->Handle, sizeof(*later), FILTER6_TAG, NormalPoolPriority);
  NDIS_HANDLE item = NdisAllocateIoWorkItem(Filter6Driver);
  NDIS_STATUS status = NDIS_STATUS_RESOURCES;

  if (later != NULL && item != NULL)
    status = NdisAllocateCloneOidRequest(Module->Handle, Request, FILTER6_TAG, &later->Clone);
  if (status != NDIS_STATUS_SUCCESS) {
    if (later != NULL) NdisFreeMemory(later, 0, 0);
    if (item != NULL) NdisFreeIoWorkItem(item);
    return status;
  }
  Module->Original = Request;
  later->Module = Module;
  later->Status = NdisFOidRequest(Module->Handle, later->Clone);
  if (later->Status == NDIS_STATUS_PENDING) {
    NdisFreeIoWorkItem(item);
    NdisFreeMemory(later, 0, 0);
    return NDIS_STATUS_PENDING;
  }
  NdisQueueIoWorkItem(item, Work, later);
  return NDIS_STATUS_PENDING;
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Oid = Oid, .OidComplete = OidComplete};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
