// SPDX-License-Identifier: MIT
//
// lwf: \\.\UndisLwf, through which a program asks for counters and has the modules announce themselves.
#include "lwf.h"

static DRIVER_DISPATCH LwfCreateClose;
static DRIVER_DISPATCH LwfDeviceControl;

static NTSTATUS LwfEnd(PIRP Irp, NTSTATUS Status, ULONG_PTR Information) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return Status;
}

static NTSTATUS LwfCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  return LwfEnd(Irp, STATUS_SUCCESS, 0);
}

static VOID LwfSumCounters(PLWF_COUNTERS Sum) {
  PLIST_ENTRY at;

  NdisZeroMemory(Sum, sizeof(*Sum));
  NdisAcquireSpinLock(&Lwf.Lock);
  for (at = Lwf.Modules.Flink; at != &Lwf.Modules; at = at->Flink) {
    PLWF_MODULE module = CONTAINING_RECORD(at, LWF_MODULE, Link);

    NdisDprAcquireSpinLock(&module->Lock);
    Sum->Sent += module->Counters.Sent;
    Sum->Received += module->Counters.Received;
    Sum->Copied += module->Counters.Copied;
    Sum->Announced += module->Counters.Announced;
    Sum->Requests += module->Counters.Requests;
    NdisDprReleaseSpinLock(&module->Lock);
  }
  NdisReleaseSpinLock(&Lwf.Lock);
}

// A module cannot go while one of its own lists is out: it is held by one that is counted before the list is
// left.
static ULONG LwfAnnounceAll(VOID) {
  ULONG count = 0;
  ULONG index = 0;

  for (;;) {
    PLWF_MODULE module = NULL;
    PLIST_ENTRY at;
    ULONG i = 0;

    NdisAcquireSpinLock(&Lwf.Lock);
    for (at = Lwf.Modules.Flink; at != &Lwf.Modules && i < index; at = at->Flink) i++;
    if (at != &Lwf.Modules) {
      module = CONTAINING_RECORD(at, LWF_MODULE, Link);
      NdisDprAcquireSpinLock(&module->Lock);
      if (module->State == LwfRunning) {
        module->Own++;
      } else {
        module = NULL;
      }
      NdisDprReleaseSpinLock(&module->Lock);
      index++;
    } else {
      index = MAXULONG;
    }
    NdisReleaseSpinLock(&Lwf.Lock);
    if (index == MAXULONG) return count;
    if (module == NULL) continue;
    LwfAnnounce(module);
    LwfEndOwn(module);
    count++;
  }
}

static NTSTATUS LwfDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
  ULONG length = stack->Parameters.DeviceIoControl.OutputBufferLength;

  UNREFERENCED_PARAMETER(DeviceObject);
  switch (stack->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_LWF_QUERY_COUNTERS:
    if (length < sizeof(LWF_COUNTERS)) return LwfEnd(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    LwfSumCounters(Irp->AssociatedIrp.SystemBuffer);
    return LwfEnd(Irp, STATUS_SUCCESS, sizeof(LWF_COUNTERS));
  case IOCTL_LWF_ANNOUNCE:
    if (length < sizeof(ULONG)) return LwfEnd(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    *(PULONG)Irp->AssociatedIrp.SystemBuffer = LwfAnnounceAll();
    return LwfEnd(Irp, STATUS_SUCCESS, sizeof(ULONG));
  default:
    return LwfEnd(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

NDIS_STATUS LwfCreateDevice(VOID) {
  NDIS_DEVICE_OBJECT_ATTRIBUTES attributes;
  PDRIVER_DISPATCH dispatch[IRP_MJ_MAXIMUM_FUNCTION + 1];
  NDIS_STRING name = RTL_CONSTANT_STRING(L"\\Device\\UndisLwf");
  NDIS_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\UndisLwf");

  NdisZeroMemory(dispatch, sizeof(dispatch));
  dispatch[IRP_MJ_CREATE] = LwfCreateClose;
  dispatch[IRP_MJ_CLEANUP] = LwfCreateClose;
  dispatch[IRP_MJ_CLOSE] = LwfCreateClose;
  dispatch[IRP_MJ_DEVICE_CONTROL] = LwfDeviceControl;
  NdisZeroMemory(&attributes, sizeof(attributes));
  attributes.Header.Type = NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES;
  attributes.Header.Revision = NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
  attributes.Header.Size = NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
  attributes.DeviceName = &name;
  attributes.SymbolicName = &link;
  attributes.MajorFunctions = dispatch;
  return NdisRegisterDeviceEx(Lwf.Handle, &attributes, &Lwf.Device, &Lwf.DeviceHandle);
}

VOID LwfDeleteDevice(VOID) {
  NdisDeregisterDeviceEx(Lwf.DeviceHandle);
}
