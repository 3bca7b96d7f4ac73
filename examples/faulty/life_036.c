// SPDX-License-Identifier: MIT
//
// Rule    LIFE-036: shutdown is told only to a driver that asked for it with IoRegisterShutdownNotification
//         while it initialised.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the driver has a Shutdown routine that would do the right thing, and never asked for it to be
//         called.
// See     undis verify life_036.so
#include "common/proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Shutdown;

static PDEVICE_OBJECT Device;
static const PROTO5_HOOKS Hooks = {.Unload = Unload};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = Shutdown;
  status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, 0, FALSE, &Device);
  if (!NT_SUCCESS(status)) return status;
  // wrong: no IoRegisterShutdownNotification
  status = Proto5DriverEntry(DriverObject, &Hooks);
  if (status != NDIS_STATUS_SUCCESS) IoDeleteDevice(Device);
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Proto5Deregister();
  IoDeleteDevice(Device);
}

static NTSTATUS Shutdown(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  Proto5Deregister();
  Irp->IoStatus.Status = STATUS_SUCCESS;
  Irp->IoStatus.Information = 0;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}
