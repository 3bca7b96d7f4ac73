// SPDX-License-Identifier: MIT
//
// Rule    NdisFilterTimedPauseComplete: a pause is complete within 10 s.
// Page    devtest/ndisfiltertimedpausecomplete-
// Broken  FilterPause returns NDIS_STATUS_PENDING, and nobody calls NdisFPauseComplete.
// See     undis verify filter_pause_pends.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Pause(PFILTER6_MODULE Module) {
  UNREFERENCED_PARAMETER(Module);
  return NDIS_STATUS_PENDING;  // wrong: there is nothing to wait for
}

static const FILTER6_HOOKS Hooks = {.Unload = Unload, .Pause = Pause};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
