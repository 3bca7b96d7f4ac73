// SPDX-License-Identifier: MIT
//
// Rule    FilterNoCallsAfterDetach: no status is indicated after FilterDetach.
// Page    ndis/nf-ndis-ndisfindicatestatus
// Broken  Unload indicates one for the module that was detached last.
// See     undis verify filter_status_detached.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Last;

static VOID Detach(PFILTER6_MODULE Module) {
  Last = Module->Handle;
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Detach = Detach};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS_INDICATION status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
  if (Last == NULL) return;
  NdisZeroMemory(&status, sizeof(status));
  status.Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
  status.Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
  status.Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
  status.SourceHandle = Last;
  status.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  NdisFIndicateStatus(Last, &status);  // wrong: the module is gone
}
