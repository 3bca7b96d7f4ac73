// SPDX-License-Identifier: MIT
//
// passthru5: the two registrations of an intermediate driver, and what takes them back.
//
// Order   Up: wrapper, layered miniport, unload handler, protocol, association. Down: protocol, then layered
// miniport.
#include "passthru5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD PtUnload;

PT_GLOBALS Pt;

static NDIS_STATUS PtRegisterMiniport(VOID) {
  NDIS_MINIPORT_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = PtInitialize;
  c.HaltHandler = PtHalt;
  c.QueryInformationHandler = PtQueryInformation;
  c.SetInformationHandler = PtSetInformation;
  c.TransferDataHandler = PtTransferData;
  c.ReturnPacketHandler = PtReturnPacket;
  c.SendPacketsHandler = PtSendPackets;
  c.CancelSendPacketsHandler = PtCancelSendPackets;
  c.PnPEventNotifyHandler = PtDevicePnPEvent;
  c.AdapterShutdownHandler = PtShutdown;
  // No hardware: nothing hangs, nothing is reset.
  return NdisIMRegisterLayeredMiniport(Pt.Wrapper, &c, sizeof(c), &Pt.Driver);
}

static NDIS_STATUS PtRegisterProtocol(VOID) {
  NDIS_PROTOCOL_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("Passthru5");
  NDIS_STATUS status;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.Name = name;
  c.OpenAdapterCompleteHandler = PtOpenComplete;
  c.CloseAdapterCompleteHandler = PtCloseComplete;
  c.SendCompleteHandler = PtSendComplete;
  c.TransferDataCompleteHandler = PtTransferDataComplete;
  c.ResetCompleteHandler = PtResetComplete;
  c.RequestCompleteHandler = PtRequestComplete;
  c.ReceiveHandler = PtReceive;
  c.ReceiveCompleteHandler = PtReceiveComplete;
  c.ReceivePacketHandler = PtReceivePacket;
  c.StatusHandler = PtStatus;
  c.StatusCompleteHandler = PtStatusComplete;
  c.BindAdapterHandler = PtBind;
  c.UnbindAdapterHandler = PtUnbind;
  c.PnPEventHandler = PtPnPEvent;
  NdisRegisterProtocol(&status, &Pt.Protocol, &c, sizeof(c));
  return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_STATUS status;

  NdisMInitializeWrapper(&Pt.Wrapper, DriverObject, RegistryPath, NULL);
  if (Pt.Wrapper == NULL) return STATUS_INSUFFICIENT_RESOURCES;

  status = PtRegisterMiniport();
  if (status == NDIS_STATUS_SUCCESS) {
    NdisMRegisterUnloadHandler(Pt.Wrapper, PtUnload);
    status = PtRegisterProtocol();
    if (status == NDIS_STATUS_SUCCESS) {
      NdisIMAssociateMiniport(Pt.Driver, Pt.Protocol);
      return STATUS_SUCCESS;
    }
    NdisIMDeregisterLayeredMiniport(Pt.Driver);
  }
  NdisTerminateWrapper(Pt.Wrapper, NULL);
  return status;
}

static VOID PtUnload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocol(&status, Pt.Protocol);  // PtUnbind for each binding that is still open
  NdisIMDeregisterLayeredMiniport(Pt.Driver);
}
