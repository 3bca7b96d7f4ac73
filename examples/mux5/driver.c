// SPDX-License-Identifier: MIT
//
// mux5: the two registrations of an intermediate driver, and what takes them back.
#include "mux5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD MuxUnload;

MUX_GLOBALS Mux;

static NDIS_STATUS MuxRegisterMiniport(VOID) {
  NDIS_MINIPORT_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = MuxInitialize;
  c.HaltHandler = MuxHalt;
  c.QueryInformationHandler = MuxQueryInformation;
  c.SetInformationHandler = MuxSetInformation;
  c.TransferDataHandler = MuxTransferData;
  c.ReturnPacketHandler = MuxReturnPacket;
  c.SendPacketsHandler = MuxSendPackets;
  c.CancelSendPacketsHandler = MuxCancelSendPackets;
  c.PnPEventNotifyHandler = MuxDevicePnPEvent;
  c.AdapterShutdownHandler = MuxShutdown;
  return NdisIMRegisterLayeredMiniport(Mux.Wrapper, &c, sizeof(c), &Mux.Driver);
}

static NDIS_STATUS MuxRegisterProtocol(VOID) {
  NDIS_PROTOCOL_CHARACTERISTICS c;
  NDIS_STRING name = NDIS_STRING_CONST("Mux5");
  NDIS_STATUS status;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.Name = name;
  c.OpenAdapterCompleteHandler = MuxOpenComplete;
  c.CloseAdapterCompleteHandler = MuxCloseComplete;
  c.SendCompleteHandler = MuxSendComplete;
  c.TransferDataCompleteHandler = MuxTransferDataComplete;
  c.ResetCompleteHandler = MuxResetComplete;
  c.RequestCompleteHandler = MuxRequestComplete;
  c.ReceiveHandler = MuxReceive;
  c.ReceiveCompleteHandler = MuxReceiveComplete;
  c.ReceivePacketHandler = MuxReceivePacket;
  c.StatusHandler = MuxStatus;
  c.StatusCompleteHandler = MuxStatusComplete;
  c.BindAdapterHandler = MuxBind;
  c.UnbindAdapterHandler = MuxUnbind;
  c.PnPEventHandler = MuxPnPEvent;
  NdisRegisterProtocol(&status, &Mux.Protocol, &c, sizeof(c));
  return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_STATUS status;

  NdisMInitializeWrapper(&Mux.Wrapper, DriverObject, RegistryPath, NULL);  // before anything else of NDIS
  if (Mux.Wrapper == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  KeInitializeEvent(&Mux.Gate, SynchronizationEvent, TRUE);
  InitializeListHead(&Mux.Miniports);
  NdisAllocateSpinLock(&Mux.Lock);

  status = MuxRegisterMiniport();
  if (status == NDIS_STATUS_SUCCESS) {
    NdisMRegisterUnloadHandler(Mux.Wrapper, MuxUnload);
    status = MuxRegisterProtocol();
    if (status == NDIS_STATUS_SUCCESS) {
      NdisIMAssociateMiniport(Mux.Driver, Mux.Protocol);
      return STATUS_SUCCESS;
    }
    NdisIMDeregisterLayeredMiniport(Mux.Driver);
  }
  NdisTerminateWrapper(Mux.Wrapper, NULL);
  return status;
}

static VOID MuxUnload(PDRIVER_OBJECT DriverObject) {
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocol(&status, Mux.Protocol);  // MuxUnbind for each binding that is still open
  NdisIMDeregisterLayeredMiniport(Mux.Driver);
}
