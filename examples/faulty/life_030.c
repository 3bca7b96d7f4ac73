// SPDX-License-Identifier: MIT
//
// Rule    LIFE-030: a protocol that finds nothing to bind to deregisters too.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the protocol is for Token Ring, of which there is none; Unload deregisters only if there ever was a
//         binding.
// See     undis verify life_030.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static const PROTO5_HOOKS Hooks = {.Unload = Unload, .Medium = NdisMedium802_5};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto5DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (Proto5EverBound) Proto5Deregister();  // wrong: without a binding it stays registered
}
