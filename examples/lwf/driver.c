// SPDX-License-Identifier: MIT
//
// lwf: registration and its counterpart.
#include "lwf.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LwfUnload;

LWF_DRIVER Lwf;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_FILTER_DRIVER_CHARACTERISTICS c;
  NDIS_STRING service = RTL_CONSTANT_STRING(L"lwf");
  NDIS_STRING name = RTL_CONSTANT_STRING(L"undis example filter");
  NDIS_STRING guid = RTL_CONSTANT_STRING(L"{0b3c4d5e-7d6f-4e11-9a50-6c6f77656c66}");
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  NdisZeroMemory(&Lwf, sizeof(Lwf));
  NdisAllocateSpinLock(&Lwf.Lock);
  InitializeListHead(&Lwf.Modules);
  DriverObject->DriverUnload = LwfUnload;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_FILTER_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_FILTER_MINOR_VERSION;
  c.MajorDriverVersion = 1;
  c.FriendlyName = name;
  c.UniqueName = guid;
  c.ServiceName = service;
  c.AttachHandler = LwfAttach;
  c.DetachHandler = LwfDetach;
  c.RestartHandler = LwfRestart;
  c.PauseHandler = LwfPause;
  c.SendNetBufferListsHandler = LwfSend;
  c.SendNetBufferListsCompleteHandler = LwfSendComplete;
  c.CancelSendNetBufferListsHandler = LwfCancelSend;
  c.ReceiveNetBufferListsHandler = LwfReceive;
  c.ReturnNetBufferListsHandler = LwfReturn;
  c.OidRequestHandler = LwfOidRequest;
  c.OidRequestCompleteHandler = LwfOidRequestComplete;
  c.CancelOidRequestHandler = LwfCancelOidRequest;
  c.StatusHandler = LwfStatus;
  c.NetPnPEventHandler = LwfNetPnPEvent;
  c.DevicePnPEventNotifyHandler = LwfDevicePnPEvent;
  // Any of these functions may be called before this returns, so all that they need is there.
  status = NdisFRegisterFilterDriver(DriverObject, NULL, &c, &Lwf.Handle);
  if (status != NDIS_STATUS_SUCCESS) {
    NdisFreeSpinLock(&Lwf.Lock);
    return status;
  }
  status = LwfCreateDevice();
  if (status != NDIS_STATUS_SUCCESS) {
    NdisFDeregisterFilterDriver(Lwf.Handle);
    NdisFreeSpinLock(&Lwf.Lock);
  }
  return status;
}

static VOID LwfUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  LwfDeleteDevice();
  NdisFDeregisterFilterDriver(Lwf.Handle);
  NdisFreeSpinLock(&Lwf.Lock);
}
