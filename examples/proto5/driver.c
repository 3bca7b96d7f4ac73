// SPDX-License-Identifier: MIT
//
// proto5: registration, the two ways in which it ends (unload and system shutdown), and the control device.
#include "proto5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ProtoUnload;
static DRIVER_DISPATCH ProtoOpenOrClose;
static DRIVER_DISPATCH ProtoControl;
static DRIVER_DISPATCH ProtoShutdown;

PROTO_GLOBALS Proto;

static UNICODE_STRING ProtoDeviceName = RTL_CONSTANT_STRING(L"\\Device\\Proto5");
static UNICODE_STRING ProtoLinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\Proto5");

// At shutdown and at unload, whichever comes first. NDIS calls ProtoUnbind for each open binding, and returns
// when all of them are closed.
static VOID ProtoDeregister(VOID) {
  NDIS_STATUS status;

  if (InterlockedExchange(&Proto.Registered, FALSE)) NdisDeregisterProtocol(&status, Proto.Protocol);
}

static VOID ProtoFreePools(VOID) {
  if (Proto.BufferPool != NULL) NdisFreeBufferPool(Proto.BufferPool);
  if (Proto.PacketPool != NULL) NdisFreePacketPool(Proto.PacketPool);
}

static NDIS_STATUS ProtoMakePools(VOID) {
  NDIS_STATUS status;

  NdisAllocatePacketPool(&status, &Proto.PacketPool, PROTO_PACKETS, sizeof(PPROTO_FRAME));
  if (status != NDIS_STATUS_SUCCESS) {
    Proto.PacketPool = NULL;
    return status;
  }
  NdisAllocateBufferPool(&status, &Proto.BufferPool, PROTO_PACKETS);
  if (status != NDIS_STATUS_SUCCESS) Proto.BufferPool = NULL;
  return status;
}

static NDIS_STATUS ProtoRegister(VOID) {
  NDIS_PROTOCOL_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("Proto5");
  NDIS_STATUS status;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.Name = name;
  c.OpenAdapterCompleteHandler = ProtoOpenComplete;
  c.CloseAdapterCompleteHandler = ProtoCloseComplete;
  c.SendCompleteHandler = ProtoSendComplete;
  c.TransferDataCompleteHandler = ProtoTransferComplete;
  c.ResetCompleteHandler = ProtoResetComplete;
  c.RequestCompleteHandler = ProtoRequestComplete;
  c.ReceiveHandler = ProtoReceive;
  c.ReceiveCompleteHandler = ProtoReceiveComplete;
  c.StatusHandler = ProtoStatus;
  c.StatusCompleteHandler = ProtoStatusComplete;
  c.ReceivePacketHandler = ProtoReceivePacket;
  c.BindAdapterHandler = ProtoBind;
  c.UnbindAdapterHandler = ProtoUnbind;
  c.PnPEventHandler = ProtoPnPEvent;
  // ProtoBind may run before this returns, so the handle goes straight to where ProtoBind looks for it.
  NdisRegisterProtocol(&status, &Proto.Protocol, &c, sizeof(c));
  if (status == NDIS_STATUS_SUCCESS) InterlockedExchange(&Proto.Registered, TRUE);
  return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  DriverObject->DriverUnload = ProtoUnload;
  DriverObject->MajorFunction[IRP_MJ_CREATE] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_CLEANUP] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_CLOSE] = ProtoOpenOrClose;
  DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = ProtoControl;
  DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = ProtoShutdown;

  status = IoCreateDevice(DriverObject, 0, &ProtoDeviceName, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN,
                          FALSE, &Proto.Device);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateSymbolicLink(&ProtoLinkName, &ProtoDeviceName);
  if (!NT_SUCCESS(status)) goto delete_device;
  status = IoRegisterShutdownNotification(Proto.Device);
  if (!NT_SUCCESS(status)) goto delete_link;
  status = ProtoMakePools();
  if (status != NDIS_STATUS_SUCCESS) goto free_pools;
  // Last: from here NDIS calls us, and there is nothing left that could fail.
  status = ProtoRegister();
  if (status == NDIS_STATUS_SUCCESS) return STATUS_SUCCESS;

free_pools:
  ProtoFreePools();
  IoUnregisterShutdownNotification(Proto.Device);
delete_link:
  IoDeleteSymbolicLink(&ProtoLinkName);
delete_device:
  IoDeleteDevice(Proto.Device);
  return status;
}

static VOID ProtoUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  IoUnregisterShutdownNotification(Proto.Device);
  ProtoDeregister();
  ProtoFreePools();
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

// Nothing is above this protocol, so it is the one to take its bindings down when the system stops.
static NTSTATUS ProtoShutdown(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  ProtoDeregister();
  return ProtoCompleteIrp(Irp, STATUS_SUCCESS, 0);
}
