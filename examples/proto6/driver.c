// SPDX-License-Identifier: MIT
//
// proto6: registration, and the control device.
#include "proto6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ProtoUnload;
static DRIVER_DISPATCH ProtoOpenOrClose;
static DRIVER_DISPATCH ProtoControl;

PROTO_GLOBALS Proto;

static UNICODE_STRING ProtoDeviceName = RTL_CONSTANT_STRING(L"\\Device\\Proto6");
static UNICODE_STRING ProtoLinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\Proto6");

static NDIS_STATUS ProtoRegister(VOID) {
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("Proto6");

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_PROTOCOL_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_PROTOCOL_MINOR_VERSION;
  c.MajorDriverVersion = 1;
  c.Name = name;
  c.BindAdapterHandlerEx = ProtoBind;
  c.UnbindAdapterHandlerEx = ProtoUnbind;
  c.OpenAdapterCompleteHandlerEx = ProtoOpenComplete;
  c.CloseAdapterCompleteHandlerEx = ProtoCloseComplete;
  c.NetPnPEventHandler = ProtoNetPnPEvent;
  c.OidRequestCompleteHandler = ProtoOidRequestComplete;
  c.StatusHandlerEx = ProtoStatus;
  c.ReceiveNetBufferListsHandler = ProtoReceive;
  c.SendNetBufferListsCompleteHandler = ProtoSendComplete;
  // ProtoBind may run before this returns, so the handle goes straight to where ProtoBind looks for it.
  return NdisRegisterProtocolDriver(NULL, &c, &Proto.Protocol);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  DriverObject->DriverUnload = ProtoUnload;
  DriverObject->MajorFunction[IRP_MJ_CREATE] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_CLEANUP] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_CLOSE] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = ProtoControl;

  status = IoCreateDevice(DriverObject, 0, &ProtoDeviceName, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN,
                          FALSE, &Proto.Device);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateSymbolicLink(&ProtoLinkName, &ProtoDeviceName);
  if (NT_SUCCESS(status)) {
    // Last: from here NDIS calls us, and there is nothing left that could fail.
    status = ProtoRegister();
    if (status == NDIS_STATUS_SUCCESS) return STATUS_SUCCESS;
    IoDeleteSymbolicLink(&ProtoLinkName);
  }
  IoDeleteDevice(Proto.Device);
  return status;
}

static VOID ProtoUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(
      Proto.Protocol);  // ProtoUnbind for each binding; returns when all of them are closed
  IoDeleteSymbolicLink(&ProtoLinkName);
  IoDeleteDevice(Proto.Device);
}

// ---- the control device ----

static NTSTATUS ProtoCompleteIrp(PIRP Irp, NTSTATUS Status, ULONG_PTR Information) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return Status;
}

static NTSTATUS ProtoOpenOrClose(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  return ProtoCompleteIrp(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ProtoControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

  UNREFERENCED_PARAMETER(DeviceObject);
  if (stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_PROTO_COUNTERS)
    return ProtoCompleteIrp(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  if (stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(PROTO_COUNTERS))
    return ProtoCompleteIrp(Irp, STATUS_BUFFER_TOO_SMALL, 0);
  *(PPROTO_COUNTERS)Irp->AssociatedIrp.SystemBuffer = Proto.Counters;
  return ProtoCompleteIrp(Irp, STATUS_SUCCESS, sizeof(PROTO_COUNTERS));
}
