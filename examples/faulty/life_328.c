// SPDX-License-Identifier: MIT
//
// Rule    LIFE-328: an intermediate driver registers its layered miniport, and then its protocol.
// Page    ndis/nf-ndis-ndisimregisterlayeredminiport
// Broken  DriverEntry leaves the protocol half for later, and later never comes.
// See     undis verify life_328.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  if (status != NDIS_STATUS_SUCCESS) return Im5Fail(status);
  NdisMRegisterUnloadHandler(Im5Wrapper, Unload);
  return Im5Protocol == NULL ? STATUS_SUCCESS : Im5Finish();  // wrong: there is none yet
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (Im5Protocol != NULL) Im5DeregisterProtocol();
  NdisIMDeregisterLayeredMiniport(Im5Driver);
}
