// SPDX-License-Identifier: MIT
//
// Rule    LIFE-031: Unload deregisters the protocol.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  Unload deregisters only if there never was a binding, and else relies on NDIS to notice that the
//         driver goes.
// See     undis verify life_031.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const PROTO5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto5DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (!Proto5EverBound) Proto5Deregister();  // wrong: with a binding it stays registered
}
