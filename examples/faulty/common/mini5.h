// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 5.1 miniport: a card whose wire leads nowhere. A driver that includes this says
// only what it does otherwise: its own DriverEntry, or hooks.
#pragma once

#include "oid5.h"

#define MINI5_ADAPTERS 8

typedef struct _MINI5_ADAPTER {
  LONG InUse;
  NDIS_HANDLE Handle;
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];
  PVOID Extra;  // the including driver's
} MINI5_ADAPTER, *PMINI5_ADAPTER;

typedef struct _MINI5_HOOKS {
  PDRIVER_UNLOAD Unload;  // required
  NDIS_STATUS(*Initialize)
  (PMINI5_ADAPTER Adapter);              // inside MiniportInitialize, which then succeeds or fails
  VOID (*Halt)(PMINI5_ADAPTER Adapter);  // inside MiniportHalt
} MINI5_HOOKS;

static NDIS_HANDLE Mini5Wrapper;
static MINI5_ADAPTER Mini5Adapters[MINI5_ADAPTERS];
static const MINI5_HOOKS* Mini5Hooks;

static NDIS_STATUS NTAPI Mini5Initialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                         PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                         NDIS_HANDLE MiniportAdapterHandle,
                                         NDIS_HANDLE WrapperConfigurationContext) {
  UINT medium = 0, slot = 0;
  PMINI5_ADAPTER adapter;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  UNREFERENCED_PARAMETER(WrapperConfigurationContext);
  while (medium < MediumArraySize && MediumArray[medium] != NdisMedium802_3) medium++;
  if (medium == MediumArraySize) return NDIS_STATUS_UNSUPPORTED_MEDIA;
  *SelectedMediumIndex = medium;

  while (slot < MINI5_ADAPTERS && InterlockedExchange(&Mini5Adapters[slot].InUse, TRUE)) slot++;
  if (slot == MINI5_ADAPTERS) return NDIS_STATUS_RESOURCES;
  adapter = &Mini5Adapters[slot];
  adapter->Handle = MiniportAdapterHandle;
  adapter->Address[0] = 0x02;
  adapter->Address[5] = (UCHAR)slot;
  NdisMSetAttributesEx(MiniportAdapterHandle, adapter, 0, NDIS_ATTRIBUTE_DESERIALIZE, NdisInterfaceInternal);
  if (Mini5Hooks->Initialize != NULL) status = Mini5Hooks->Initialize(adapter);
  if (status != NDIS_STATUS_SUCCESS) InterlockedExchange(&adapter->InUse, FALSE);
  return status;
}

static VOID NTAPI Mini5Halt(NDIS_HANDLE MiniportAdapterContext) {
  PMINI5_ADAPTER adapter = MiniportAdapterContext;

  if (Mini5Hooks->Halt != NULL) Mini5Hooks->Halt(adapter);
  InterlockedExchange(&adapter->InUse, FALSE);
}

static NDIS_STATUS NTAPI Mini5Reset(PBOOLEAN AddressingReset, NDIS_HANDLE MiniportAdapterContext) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  *AddressingReset = FALSE;
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NTAPI Mini5Query(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesWritten, PULONG BytesNeeded) {
  PMINI5_ADAPTER adapter = MiniportAdapterContext;

  return Oid5Query(adapter->Address, Oid, InformationBuffer, InformationBufferLength, BytesWritten,
                   BytesNeeded);
}

static NDIS_STATUS NTAPI Mini5Set(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                  ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(InformationBuffer);
  return Oid5Set(Oid, InformationBufferLength, BytesRead, BytesNeeded);
}

static VOID NTAPI Mini5Send(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                            UINT NumberOfPackets) {
  PMINI5_ADAPTER adapter = MiniportAdapterContext;
  UINT i;

  for (i = 0; i < NumberOfPackets; i++)
    NdisMSendComplete(adapter->Handle, PacketArray[i], NDIS_STATUS_SUCCESS);
}

// NdisMInitializeWrapper. What comes after it is to call Mini5Fail when it fails.
static NTSTATUS Mini5Begin(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                           const MINI5_HOOKS* Hooks) {
  Mini5Hooks = Hooks;
  NdisMInitializeWrapper(&Mini5Wrapper, DriverObject, RegistryPath, NULL);
  return Mini5Wrapper == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS Mini5Fail(NTSTATUS Status) {
  NdisTerminateWrapper(Mini5Wrapper, NULL);
  return Status;
}

static NDIS_STATUS Mini5Register(VOID) {
  NDIS_MINIPORT_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = Mini5Initialize;
  c.HaltHandler = Mini5Halt;
  c.ResetHandler = Mini5Reset;
  c.QueryInformationHandler = Mini5Query;
  c.SetInformationHandler = Mini5Set;
  c.SendPacketsHandler = Mini5Send;
  return NdisMRegisterMiniport(Mini5Wrapper, &c, sizeof(c));
}

// The whole of a correct DriverEntry.
static NTSTATUS Mini5DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                                 const MINI5_HOOKS* Hooks) {
  NTSTATUS status = Mini5Begin(DriverObject, RegistryPath, Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Mini5Register();
  if (status != NDIS_STATUS_SUCCESS) return Mini5Fail(status);
  NdisMRegisterUnloadHandler(Mini5Wrapper, Hooks->Unload);
  return STATUS_SUCCESS;
}
