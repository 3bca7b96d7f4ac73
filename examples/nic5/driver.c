// SPDX-License-Identifier: MIT
//
// nic5: registration, and an unload handler.
#include "nic5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD NicUnload;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_CHARACTERISTICS c;
  NDIS_HANDLE wrapper;
  NDIS_STATUS status;

  NdisMInitializeWrapper(&wrapper, DriverObject, RegistryPath, NULL);
  if (wrapper == NULL) return STATUS_INSUFFICIENT_RESOURCES;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = NicInitialize;
  c.HaltHandler = NicHalt;
  c.ResetHandler = NicReset;
  c.QueryInformationHandler = NicQueryInformation;
  c.SetInformationHandler = NicSetInformation;
  c.SendPacketsHandler = NicSendPackets;
  c.ReturnPacketHandler = NicReturnPacket;
  c.CancelSendPacketsHandler = NicCancelSendPackets;
  c.PnPEventNotifyHandler = NicPnPEvent;
  c.AdapterShutdownHandler = NicShutdown;
  status = NdisMRegisterMiniport(wrapper, &c, sizeof(c));
  if (status != NDIS_STATUS_SUCCESS) {
    NdisTerminateWrapper(wrapper, NULL);
    return status;
  }
  NdisMRegisterUnloadHandler(wrapper, NicUnload);
  return STATUS_SUCCESS;
}

// Called once, when all adapters are halted. They share nothing, so nothing is left to free; NDIS itself
// takes the registration back.
static VOID NicUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
