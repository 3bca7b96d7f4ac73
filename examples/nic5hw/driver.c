// SPDX-License-Identifier: MIT
//
// nic5hw: registration.
#include "nic5hw.h"

DRIVER_INITIALIZE DriverEntry;

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
  c.SendHandler = NicSend;
  c.TransferDataHandler = NicTransferData;
  c.ISRHandler = NicIsr;
  c.HandleInterruptHandler = NicHandleInterrupt;
  c.EnableInterruptHandler = NicEnableInterrupt;
  c.DisableInterruptHandler = NicDisableInterrupt;
  c.PnPEventNotifyHandler = NicPnPEvent;
  c.AdapterShutdownHandler = NicShutdown;
  status = NdisMRegisterMiniport(wrapper, &c, sizeof(c));
  if (status != NDIS_STATUS_SUCCESS) NdisTerminateWrapper(wrapper, NULL);
  return status;
}
