// SPDX-License-Identifier: MIT
//
// Rule    DeviceAtUnload
// Page    wdm/nf-wdm-iocreatedevice
// Broken  the device object is there already when the registration fails, and stays.
// See     undis verify entry_leaks_device.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PDEVICE_OBJECT Device;
static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\EntryLeaksDevice");

static const PROTO6_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_NETWORK, 0, FALSE, &Device);
  if (!NT_SUCCESS(status)) return status;
  return Proto6DriverEntry(DriverObject, &Hooks);  // wrong: the device stays if this fails
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  IoDeleteDevice(Device);
}
