// SPDX-License-Identifier: MIT
//
// The smallest driver there is: it refuses to load.
#include <ndis.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(DriverObject);
  UNREFERENCED_PARAMETER(RegistryPath);
  return STATUS_NOT_SUPPORTED;
}
