// SPDX-License-Identifier: MIT
//
// Rule    LIFE-287: FilterDetach frees what was made for the module.
// Page    ndis/nc-ndis-filter_detach
// Broken  the pool of each module stays.
// See     undis verify filter_leaks_pool.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Attach(PFILTER6_MODULE Module) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = FILTER6_TAG;
  Module->Extra = NdisAllocateNetBufferListPool(Module->Handle, &parameters);
  return Module->Extra == NULL ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
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
