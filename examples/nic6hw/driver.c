// SPDX-License-Identifier: MIT
//
// nic6hw: registration and its counterpart.
#include "nic6hw.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD NicUnload;

static NDIS_HANDLE NicDriverHandle;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_MINIPORT_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_MINIPORT_MINOR_VERSION;
  c.MajorDriverVersion = 1;
  c.InitializeHandlerEx = NicInitialize;
  c.HaltHandlerEx = NicHalt;
  c.UnloadHandler = NicUnload;
  c.PauseHandler = NicPause;
  c.RestartHandler = NicRestart;
  c.OidRequestHandler = NicOidRequest;
  c.SendNetBufferListsHandler = NicSend;
  c.ReturnNetBufferListsHandler = NicReturn;
  c.CancelSendHandler = NicCancelSend;
  c.DevicePnPEventNotifyHandler = NicDevicePnPEvent;
  c.ShutdownHandlerEx = NicShutdown;
  c.CancelOidRequestHandler = NicCancelOidRequest;
  return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &c, &NicDriverHandle);
}

static VOID NicUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(NicDriverHandle);
}
