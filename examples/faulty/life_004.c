// SPDX-License-Identifier: MIT
//
// Rule    LIFE-004: a DriverEntry that meets a fatal error after the registration deregisters before it
//         returns.
// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport
// Broken  the driver's key has no subkey Licence (none is ever made), so DriverEntry gives up, and only
//         terminates the wrapper.
// See     undis verify life_004.so
#include "common/im5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const IM5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, &Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  if (status != NDIS_STATUS_SUCCESS) return Im5Fail(status);
  status = RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"life_004\\Licence");
  if (!NT_SUCCESS(status)) return Im5Fail(status);  // wrong: Im5Driver stays registered
  return Im5Finish();
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Im5Deregister();
}
