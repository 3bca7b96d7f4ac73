// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 5.1 intermediate driver: a virtual miniport above each adapter that it binds to.
// It carries no frames. A driver that includes this says only what it does otherwise: its own DriverEntry, or
// hooks.
#pragma once

#include "oid5.h"

#define IM5_ADAPTERS 8
#define IM5_NAME_LENGTH 128

typedef struct _IM5_ADAPTER {
  LONG References;  // one for the binding, one for the virtual miniport
  NDIS_HANDLE Binding;
  NDIS_EVENT Completed;  // of an open or a close
  NDIS_STATUS Status;
  NDIS_STRING DeviceName;  // of the virtual miniport
  LONG InitializePending;
  NDIS_EVENT Initialized;
  NDIS_EVENT Halted;
  PVOID Miniport;  // handle of the virtual miniport; NULL: it is not there
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];
  WCHAR NameBuffer[IM5_NAME_LENGTH];
} IM5_ADAPTER, *PIM5_ADAPTER;

typedef struct _IM5_HOOKS {
  PDRIVER_UNLOAD Unload;                 // required
  VOID (*Unbind)(PIM5_ADAPTER Adapter);  // the whole of ProtocolUnbindAdapter
  ULONG AttributesLeftOut;               // of what an intermediate driver sets
} IM5_HOOKS;

static NDIS_HANDLE Im5Wrapper;
static NDIS_HANDLE Im5Driver;
static NDIS_HANDLE Im5Protocol;
static IM5_ADAPTER Im5Adapters[IM5_ADAPTERS];
static const IM5_HOOKS* Im5Hooks;

static VOID Im5Release(PIM5_ADAPTER Adapter) {
  InterlockedDecrement(&Adapter->References);
}

// ---- the virtual miniport ----

static NDIS_STATUS NTAPI Im5Initialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                       PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                       NDIS_HANDLE MiniportAdapterHandle,
                                       NDIS_HANDLE WrapperConfigurationContext) {
  PIM5_ADAPTER adapter = NdisIMGetDeviceContext(MiniportAdapterHandle);
  UINT medium = 0;
  BOOLEAN found;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  UNREFERENCED_PARAMETER(WrapperConfigurationContext);
  while (medium < MediumArraySize && MediumArray[medium] != NdisMedium802_3) medium++;
  found = (BOOLEAN)(medium < MediumArraySize);
  if (found) {
    *SelectedMediumIndex = medium;
    NdisMSetAttributesEx(MiniportAdapterHandle, adapter, 0,
                         (NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER | NDIS_ATTRIBUTE_DESERIALIZE |
                          NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND) &
                             ~Im5Hooks->AttributesLeftOut,
                         NdisInterfaceInternal);
    InterlockedIncrement(&adapter->References);
    InterlockedExchangePointer(&adapter->Miniport, MiniportAdapterHandle);
  }
  InterlockedExchange(&adapter->InitializePending, FALSE);
  NdisSetEvent(&adapter->Initialized);
  return found ? NDIS_STATUS_SUCCESS : NDIS_STATUS_UNSUPPORTED_MEDIA;
}

static VOID NTAPI Im5Halt(NDIS_HANDLE MiniportAdapterContext) {
  PIM5_ADAPTER adapter = MiniportAdapterContext;

  InterlockedExchangePointer(&adapter->Miniport, NULL);
  NdisSetEvent(&adapter->Halted);
  Im5Release(adapter);
}

static NDIS_STATUS NTAPI Im5Query(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                  ULONG InformationBufferLength, PULONG BytesWritten, PULONG BytesNeeded) {
  PIM5_ADAPTER adapter = MiniportAdapterContext;

  return Oid5Query(adapter->Address, Oid, InformationBuffer, InformationBufferLength, BytesWritten,
                   BytesNeeded);
}

static NDIS_STATUS NTAPI Im5Set(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(InformationBuffer);
  return Oid5Set(Oid, InformationBufferLength, BytesRead, BytesNeeded);
}

static VOID NTAPI Im5Send(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                          UINT NumberOfPackets) {
  PIM5_ADAPTER adapter = MiniportAdapterContext;
  UINT i;

  for (i = 0; i < NumberOfPackets; i++)
    NdisMSendComplete(adapter->Miniport, PacketArray[i], NDIS_STATUS_SUCCESS);
}

// ---- the binding ----

static VOID NTAPI Im5OpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                                  NDIS_STATUS OpenErrorStatus) {
  PIM5_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  adapter->Status = Status;
  NdisSetEvent(&adapter->Completed);
}

static VOID NTAPI Im5CloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PIM5_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(Status);
  NdisSetEvent(&adapter->Completed);
}

// Closes the binding and waits until it is closed.
static VOID Im5Close(PIM5_ADAPTER Adapter) {
  NDIS_STATUS status;

  NdisResetEvent(&Adapter->Completed);
  NdisCloseAdapter(&status, Adapter->Binding);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&Adapter->Completed, 0);
}

// "UpperBindings" in the section of the binding names the device of the virtual miniport.
static NDIS_STATUS Im5ReadName(PIM5_ADAPTER Adapter, PNDIS_STRING ProtocolSection) {
  NDIS_STRING keyword = NDIS_STRING_CONST("UpperBindings");
  PNDIS_CONFIGURATION_PARAMETER name;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;

  NdisOpenProtocolConfiguration(&status, &configuration, ProtocolSection);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadConfiguration(&status, &name, configuration, &keyword, NdisParameterString);
  if (status == NDIS_STATUS_SUCCESS) {
    Adapter->DeviceName.Buffer = Adapter->NameBuffer;
    Adapter->DeviceName.MaximumLength = sizeof(Adapter->NameBuffer);
    Adapter->DeviceName.Length = name->ParameterData.StringData.Length;
    if (Adapter->DeviceName.Length > sizeof(Adapter->NameBuffer))
      status = NDIS_STATUS_INVALID_LENGTH;
    else
      NdisMoveMemory(Adapter->NameBuffer, name->ParameterData.StringData.Buffer, Adapter->DeviceName.Length);
  }
  NdisCloseConfiguration(configuration);
  return status;
}

static NDIS_STATUS Im5Open(PIM5_ADAPTER Adapter, PNDIS_STRING DeviceName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_STATUS status, error;
  UINT medium;

  NdisOpenAdapter(&status, &error, &Adapter->Binding, &medium, media, RTL_NUMBER_OF(media), Im5Protocol,
                  Adapter, DeviceName, 0, NULL);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Adapter->Completed, 0);
  return Adapter->Status;
}

static VOID NTAPI Im5Bind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                          PVOID SystemSpecific1, PVOID SystemSpecific2) {
  PIM5_ADAPTER adapter;
  UINT slot = 0;

  UNREFERENCED_PARAMETER(BindContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  while (slot < IM5_ADAPTERS && InterlockedCompareExchange(&Im5Adapters[slot].References, 1, 0) != 0) slot++;
  if (slot == IM5_ADAPTERS) {
    *Status = NDIS_STATUS_RESOURCES;
    return;
  }
  adapter = &Im5Adapters[slot];
  adapter->Address[0] = 0x02;
  adapter->Address[5] = (UCHAR)slot;
  NdisInitializeEvent(&adapter->Completed);
  NdisInitializeEvent(&adapter->Initialized);
  NdisInitializeEvent(&adapter->Halted);
  *Status = Im5ReadName(adapter, SystemSpecific1);
  if (*Status == NDIS_STATUS_SUCCESS) *Status = Im5Open(adapter, DeviceName);
  if (*Status == NDIS_STATUS_SUCCESS) {
    InterlockedExchange(&adapter->InitializePending, TRUE);
    *Status = NdisIMInitializeDeviceInstanceEx(Im5Driver, &adapter->DeviceName, adapter);
    if (*Status == NDIS_STATUS_SUCCESS) return;
    Im5Close(adapter);
  }
  Im5Release(adapter);
}

// Cancels an initialize that has not begun, or waits for one that has. The handle, if the virtual miniport is
// there then.
static NDIS_HANDLE Im5Settle(PIM5_ADAPTER Adapter) {
  if (InterlockedCompareExchange(&Adapter->InitializePending, TRUE, TRUE)) {
    if (NdisIMCancelInitializeDeviceInstance(Im5Driver, &Adapter->DeviceName) == NDIS_STATUS_SUCCESS)
      return NULL;
    NdisWaitEvent(&Adapter->Initialized, 0);
  }
  return InterlockedCompareExchangePointer(&Adapter->Miniport, NULL, NULL);
}

static VOID NTAPI Im5Unbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext,
                            NDIS_HANDLE UnbindContext) {
  PIM5_ADAPTER adapter = ProtocolBindingContext;
  NDIS_HANDLE miniport;

  UNREFERENCED_PARAMETER(UnbindContext);
  *Status = NDIS_STATUS_SUCCESS;
  if (Im5Hooks->Unbind != NULL) {
    Im5Hooks->Unbind(adapter);
    return;
  }
  miniport = Im5Settle(adapter);
  if (miniport != NULL) {
    NdisIMDeInitializeDeviceInstance(miniport);
    NdisWaitEvent(&adapter->Halted, 0);
  }
  Im5Close(adapter);
  Im5Release(adapter);
}

// No packet filter is ever set: nothing is received. NDIS wants the handlers all the same.
static NDIS_STATUS NTAPI Im5Receive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                                    PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                                    UINT LookaheadBufferSize, UINT PacketSize) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(MacReceiveContext);
  UNREFERENCED_PARAMETER(HeaderBuffer);
  UNREFERENCED_PARAMETER(HeaderBufferSize);
  UNREFERENCED_PARAMETER(LookAheadBuffer);
  UNREFERENCED_PARAMETER(LookaheadBufferSize);
  UNREFERENCED_PARAMETER(PacketSize);
  return NDIS_STATUS_NOT_ACCEPTED;
}

static VOID NTAPI Im5ReceiveComplete(NDIS_HANDLE ProtocolBindingContext) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}

static VOID NTAPI Im5Status(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                            UINT StatusBufferSize) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(GeneralStatus);
  UNREFERENCED_PARAMETER(StatusBuffer);
  UNREFERENCED_PARAMETER(StatusBufferSize);
}

static VOID NTAPI Im5StatusComplete(NDIS_HANDLE ProtocolBindingContext) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
}

static VOID NTAPI Im5RequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                                     NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NdisRequest);
  UNREFERENCED_PARAMETER(Status);
}

static NDIS_STATUS NTAPI Im5PnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NetPnPEvent);
  return NDIS_STATUS_SUCCESS;
}

// ---- DriverEntry, in parts and as a whole ----

static NTSTATUS Im5Begin(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath, const IM5_HOOKS* Hooks) {
  Im5Hooks = Hooks;
  NdisMInitializeWrapper(&Im5Wrapper, DriverObject, RegistryPath, NULL);
  return Im5Wrapper == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS Im5Fail(NTSTATUS Status) {
  NdisTerminateWrapper(Im5Wrapper, NULL);
  return Status;
}

static NDIS_STATUS Im5RegisterMiniport(VOID) {
  NDIS_MINIPORT_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = Im5Initialize;
  c.HaltHandler = Im5Halt;
  c.QueryInformationHandler = Im5Query;
  c.SetInformationHandler = Im5Set;
  c.SendPacketsHandler = Im5Send;
  return NdisIMRegisterLayeredMiniport(Im5Wrapper, &c, sizeof(c), &Im5Driver);
}

static NDIS_STATUS Im5RegisterProtocol(VOID) {
  NDIS_STRING name = NDIS_STRING_CONST("FaultyIm5");
  NDIS_PROTOCOL_CHARACTERISTICS c;
  NDIS_STATUS status;

  NdisZeroMemory(&c, sizeof(c));
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.Name = name;
  c.OpenAdapterCompleteHandler = Im5OpenComplete;
  c.CloseAdapterCompleteHandler = Im5CloseComplete;
  c.RequestCompleteHandler = Im5RequestComplete;
  c.ReceiveHandler = Im5Receive;
  c.ReceiveCompleteHandler = Im5ReceiveComplete;
  c.StatusHandler = Im5Status;
  c.StatusCompleteHandler = Im5StatusComplete;
  c.BindAdapterHandler = Im5Bind;
  c.UnbindAdapterHandler = Im5Unbind;
  c.PnPEventHandler = Im5PnPEvent;
  NdisRegisterProtocol(&status, &Im5Protocol, &c, sizeof(c));
  return status;
}

static VOID Im5DeregisterProtocol(VOID) {
  NDIS_STATUS status;

  NdisDeregisterProtocol(&status, Im5Protocol);
}

// What comes after the registration of the layered miniport.
static NTSTATUS Im5Finish(VOID) {
  NDIS_STATUS status;

  NdisMRegisterUnloadHandler(Im5Wrapper, Im5Hooks->Unload);
  status = Im5RegisterProtocol();
  if (status != NDIS_STATUS_SUCCESS) {
    NdisIMDeregisterLayeredMiniport(Im5Driver);
    return Im5Fail(status);
  }
  NdisIMAssociateMiniport(Im5Driver, Im5Protocol);
  return STATUS_SUCCESS;
}

// The whole of a correct DriverEntry.
static NTSTATUS Im5DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                               const IM5_HOOKS* Hooks) {
  NTSTATUS status = Im5Begin(DriverObject, RegistryPath, Hooks);

  if (status != STATUS_SUCCESS) return status;
  status = Im5RegisterMiniport();
  return status == NDIS_STATUS_SUCCESS ? Im5Finish() : Im5Fail(status);
}

// The whole of a correct unload handler.
static VOID Im5Deregister(VOID) {
  Im5DeregisterProtocol();
  NdisIMDeregisterLayeredMiniport(Im5Driver);
}
