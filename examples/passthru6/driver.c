// SPDX-License-Identifier: MIT
//
// passthru6: the two registrations of an intermediate driver, and what takes them back.
//
// Order   Up: miniport half, protocol half, association. Down: protocol, then miniport.
#include "passthru6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD PtUnload;

PT_GLOBALS Pt;

static NDIS_STATUS PtRegisterMiniport(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_MINIPORT_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_MINIPORT_MINOR_VERSION;
  c.MajorDriverVersion = 1;
  c.Flags = NDIS_INTERMEDIATE_DRIVER;
  c.InitializeHandlerEx = PtInitialize;
  c.HaltHandlerEx = PtHalt;
  c.UnloadHandler = PtUnload;
  c.PauseHandler = PtPause;
  c.RestartHandler = PtRestart;
  c.OidRequestHandler = PtOidRequest;
  c.SendNetBufferListsHandler = PtSend;
  c.ReturnNetBufferListsHandler = PtReturn;
  c.CancelSendHandler = PtCancelSend;
  c.DevicePnPEventNotifyHandler = PtDevicePnPEvent;
  c.ShutdownHandlerEx = PtShutdown;
  c.CancelOidRequestHandler = PtCancelOidRequest;
  return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &c, &Pt.Driver);
}

static NDIS_STATUS PtRegisterProtocol(VOID) {
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("Passthru6");

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_PROTOCOL_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_PROTOCOL_MINOR_VERSION;
  c.MajorDriverVersion = 1;
  c.Name = name;
  c.BindAdapterHandlerEx = PtBind;
  c.UnbindAdapterHandlerEx = PtUnbind;
  c.OpenAdapterCompleteHandlerEx = PtOpenComplete;
  c.CloseAdapterCompleteHandlerEx = PtCloseComplete;
  c.NetPnPEventHandler = PtNetPnPEvent;
  c.OidRequestCompleteHandler = PtOidRequestComplete;
  c.StatusHandlerEx = PtStatus;
  c.ReceiveNetBufferListsHandler = PtReceive;
  c.SendNetBufferListsCompleteHandler = PtSendComplete;
  // PtBind may run before this returns, so the handle goes straight to where PtBind looks for it.
  return NdisRegisterProtocolDriver(NULL, &c, &Pt.Protocol);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_STATUS status;

  status = PtRegisterMiniport(DriverObject, RegistryPath);
  if (status != NDIS_STATUS_SUCCESS) return status;
  status = PtRegisterProtocol();
  if (status != NDIS_STATUS_SUCCESS) {
    NdisMDeregisterMiniportDriver(Pt.Driver);
    return status;
  }
  NdisIMAssociateMiniport(Pt.Driver, Pt.Protocol);
  return STATUS_SUCCESS;
}

static VOID PtUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Pt.Protocol);  // PtUnbind for each binding that is still open
  NdisMDeregisterMiniportDriver(Pt.Driver);
}
