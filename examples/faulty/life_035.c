// SPDX-License-Identifier: MIT
//
// Rule    LIFE-035: a highest-level protocol deregisters in its Shutdown routine.
// Page    ndis/nf-ndis-ndisderegisterprotocol
// Broken  the driver asks for shutdown notification, and does nothing in its Shutdown routine.
// See     undis verify life_035.so
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
  status = IoRegisterShutdownNotification(Device);
  if (NT_SUCCESS(status)) {
    status = Proto5DriverEntry(DriverObject, &Hooks);
    if (status == NDIS_STATUS_SUCCESS) return STATUS_SUCCESS;
    IoUnregisterShutdownNotification(Device);
  }
  IoDeleteDevice(Device);
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  IoUnregisterShutdownNotification(Device);
  Proto5Deregister();
  IoDeleteDevice(Device);
}

static NTSTATUS Shutdown(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  // wrong: the protocol stays registered
  Irp->IoStatus.Status = STATUS_SUCCESS;
  Irp->IoStatus.Information = 0;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}
