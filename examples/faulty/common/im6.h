// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 6.30 intermediate driver: a virtual miniport above each adapter that it binds to.
// It carries no frames. A driver that includes this says only what it does otherwise, by hooks.
#pragma once

#include "oid6.h"

#define IM6_ADAPTERS 8
#define IM6_NAME_LENGTH 128

typedef struct _IM6_ADAPTER {
  LONG References;  // one for the binding, one for the virtual miniport
  NDIS_HANDLE Binding;
  NDIS_EVENT Completed;  // of an open or a close
  NDIS_STATUS Status;
  NDIS_STRING DeviceName;  // of the virtual miniport
  LONG InitializePending;
  NDIS_EVENT Initialized;
  NDIS_EVENT Halted;
  PVOID Miniport;  // handle of the virtual miniport; NULL: it is not there
  LONG Running;
  WCHAR NameBuffer[IM6_NAME_LENGTH];
} IM6_ADAPTER, *PIM6_ADAPTER;

typedef struct _IM6_HOOKS {
  VOID(*Remove)
  (PIM6_ADAPTER Adapter, NDIS_HANDLE Miniport);  // takes the virtual miniport down, in the unbind
} IM6_HOOKS;

static NDIS_HANDLE Im6Driver;
static NDIS_HANDLE Im6Protocol;
static IM6_ADAPTER Im6Adapters[IM6_ADAPTERS];
static const IM6_HOOKS* Im6Hooks;

static VOID Im6Release(PIM6_ADAPTER Adapter) {
  InterlockedDecrement(&Adapter->References);
}

// ---- the virtual miniport ----

static NDIS_STATUS Im6Initialize(NDIS_HANDLE NdisMiniportHandle, NDIS_HANDLE MiniportDriverContext,
                                 PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters) {
  PIM6_ADAPTER adapter = MiniportInitParameters->IMDeviceInstanceContext;
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(MiniportDriverContext);
  status = Oid6SetAttributes(NdisMiniportHandle, adapter, (UCHAR)(adapter - Im6Adapters));
  if (status == NDIS_STATUS_SUCCESS) {
    InterlockedIncrement(&adapter->References);
    InterlockedExchangePointer(&adapter->Miniport, NdisMiniportHandle);
  }
  InterlockedExchange(&adapter->InitializePending, FALSE);
  NdisSetEvent(&adapter->Initialized);
  return status;
}

static VOID Im6Halt(NDIS_HANDLE MiniportAdapterContext, NDIS_HALT_ACTION HaltAction) {
  PIM6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(HaltAction);
  InterlockedExchangePointer(&adapter->Miniport, NULL);
  NdisSetEvent(&adapter->Halted);
  Im6Release(adapter);
}

static NDIS_STATUS Im6Restart(NDIS_HANDLE MiniportAdapterContext,
                              PNDIS_MINIPORT_RESTART_PARAMETERS RestartParameters) {
  PIM6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(RestartParameters);
  InterlockedExchange(&adapter->Running, TRUE);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Im6Pause(NDIS_HANDLE MiniportAdapterContext,
                            PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters) {
  PIM6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(PauseParameters);
  InterlockedExchange(&adapter->Running, FALSE);
  return NDIS_STATUS_SUCCESS;
}

static VOID Im6Send(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferList,
                    NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  PIM6_ADAPTER adapter = MiniportAdapterContext;
  BOOLEAN running = (BOOLEAN)InterlockedCompareExchange(&adapter->Running, TRUE, TRUE);

  UNREFERENCED_PARAMETER(PortNumber);
  Oid6CompleteSends(adapter->Miniport, NetBufferList, running ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PAUSED,
                    SendFlags);
}

static VOID Im6CancelSend(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(CancelId);
}

static VOID Im6Return(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferLists,
                      ULONG ReturnFlags) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(NetBufferLists);
  UNREFERENCED_PARAMETER(ReturnFlags);
}

static VOID Im6DevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(NetDevicePnPEvent);
}

static VOID Im6Shutdown(NDIS_HANDLE MiniportAdapterContext, NDIS_SHUTDOWN_ACTION ShutdownAction) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(ShutdownAction);
}

// ---- the binding ----

static VOID Im6OpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PIM6_ADAPTER adapter = ProtocolBindingContext;

  adapter->Status = Status;
  NdisSetEvent(&adapter->Completed);
}

static VOID Im6CloseComplete(NDIS_HANDLE ProtocolBindingContext) {
  PIM6_ADAPTER adapter = ProtocolBindingContext;

  NdisSetEvent(&adapter->Completed);
}

static VOID Im6Close(PIM6_ADAPTER Adapter) {
  NdisResetEvent(&Adapter->Completed);
  if (NdisCloseAdapterEx(Adapter->Binding) == NDIS_STATUS_PENDING) NdisWaitEvent(&Adapter->Completed, 0);
}

// "UpperBindings" in the section of the binding names the device of the virtual miniport.
static NDIS_STATUS Im6ReadName(PIM6_ADAPTER Adapter) {
  NDIS_STRING keyword = NDIS_STRING_CONST("UpperBindings");
  PNDIS_CONFIGURATION_PARAMETER name;
  NDIS_CONFIGURATION_OBJECT object;
  NDIS_HANDLE configuration;
  NDIS_STATUS status;

  NdisZeroMemory(&object, sizeof(object));
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
  object.NdisHandle = Adapter->Binding;
  status = NdisOpenConfigurationEx(&object, &configuration);
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

static NDIS_STATUS Im6Open(PIM6_ADAPTER Adapter, NDIS_HANDLE BindContext, PNDIS_STRING AdapterName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_OPEN_PARAMETERS open;
  NDIS_STATUS status;
  UINT medium;

  NdisZeroMemory(&open, sizeof(open));
  open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
  open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
  open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
  open.AdapterName = AdapterName;
  open.MediumArray = media;
  open.MediumArraySize = RTL_NUMBER_OF(media);
  open.SelectedMediumIndex = &medium;
  status = NdisOpenAdapterEx(Im6Protocol, Adapter, &open, BindContext, &Adapter->Binding);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Adapter->Completed, 0);
  return Adapter->Status;
}

static NDIS_STATUS Im6Bind(NDIS_HANDLE ProtocolDriverContext, NDIS_HANDLE BindContext,
                           PNDIS_BIND_PARAMETERS BindParameters) {
  PIM6_ADAPTER adapter;
  NDIS_STATUS status;
  UINT slot = 0;

  UNREFERENCED_PARAMETER(ProtocolDriverContext);
  while (slot < IM6_ADAPTERS && InterlockedCompareExchange(&Im6Adapters[slot].References, 1, 0) != 0) slot++;
  if (slot == IM6_ADAPTERS) return NDIS_STATUS_RESOURCES;
  adapter = &Im6Adapters[slot];
  NdisInitializeEvent(&adapter->Completed);
  NdisInitializeEvent(&adapter->Initialized);
  NdisInitializeEvent(&adapter->Halted);
  status = Im6Open(adapter, BindContext, BindParameters->AdapterName);
  if (status == NDIS_STATUS_SUCCESS) {
    status = Im6ReadName(adapter);
    if (status == NDIS_STATUS_SUCCESS) {
      InterlockedExchange(&adapter->InitializePending, TRUE);
      status = NdisIMInitializeDeviceInstanceEx(Im6Driver, &adapter->DeviceName, adapter);
    }
    if (status == NDIS_STATUS_SUCCESS) return NDIS_STATUS_SUCCESS;
    Im6Close(adapter);
  }
  Im6Release(adapter);
  return status;
}

// Cancels an initialize that has not begun, or waits for one that has. The handle, if the virtual miniport is
// there then.
static NDIS_HANDLE Im6Settle(PIM6_ADAPTER Adapter) {
  if (InterlockedCompareExchange(&Adapter->InitializePending, TRUE, TRUE)) {
    if (NdisIMCancelInitializeDeviceInstance(Im6Driver, &Adapter->DeviceName) == NDIS_STATUS_SUCCESS)
      return NULL;
    NdisWaitEvent(&Adapter->Initialized, 0);
  }
  return InterlockedCompareExchangePointer(&Adapter->Miniport, NULL, NULL);
}

static NDIS_STATUS Im6Unbind(NDIS_HANDLE UnbindContext, NDIS_HANDLE ProtocolBindingContext) {
  PIM6_ADAPTER adapter = ProtocolBindingContext;
  NDIS_HANDLE miniport = Im6Settle(adapter);

  UNREFERENCED_PARAMETER(UnbindContext);
  if (miniport != NULL) {
    Im6Hooks->Remove(adapter, miniport);
    NdisWaitEvent(&adapter->Halted, 0);
  }
  Im6Close(adapter);
  Im6Release(adapter);
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Im6NetPnPEvent(NDIS_HANDLE ProtocolBindingContext,
                                  PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NetPnPEventNotification);
  return NDIS_STATUS_SUCCESS;
}

static VOID Im6OidRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_OID_REQUEST OidRequest,
                                  NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(OidRequest);
  UNREFERENCED_PARAMETER(Status);
}

static VOID Im6Status(NDIS_HANDLE ProtocolBindingContext, PNDIS_STATUS_INDICATION StatusIndication) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(StatusIndication);
}

static VOID Im6Receive(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferLists,
                       NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists, ULONG ReceiveFlags) {
  PIM6_ADAPTER adapter = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(PortNumber);
  UNREFERENCED_PARAMETER(NumberOfNetBufferLists);
  if (NDIS_TEST_RECEIVE_CAN_PEND(ReceiveFlags)) NdisReturnNetBufferLists(adapter->Binding, NetBufferLists, 0);
}

static VOID Im6SendComplete(NDIS_HANDLE ProtocolBindingContext, PNET_BUFFER_LIST NetBufferList,
                            ULONG SendCompleteFlags) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(NetBufferList);
  UNREFERENCED_PARAMETER(SendCompleteFlags);
}

// ---- DriverEntry ----

static VOID Im6Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Im6Protocol);
  NdisMDeregisterMiniportDriver(Im6Driver);
}

static NDIS_STATUS Im6RegisterMiniport(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_MINIPORT_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_MINIPORT_MINOR_VERSION;
  c.Flags = NDIS_INTERMEDIATE_DRIVER;
  c.InitializeHandlerEx = Im6Initialize;
  c.HaltHandlerEx = Im6Halt;
  c.UnloadHandler = Im6Unload;
  c.PauseHandler = Im6Pause;
  c.RestartHandler = Im6Restart;
  c.OidRequestHandler = Oid6Request;
  c.SendNetBufferListsHandler = Im6Send;
  c.ReturnNetBufferListsHandler = Im6Return;
  c.CancelSendHandler = Im6CancelSend;
  c.DevicePnPEventNotifyHandler = Im6DevicePnPEvent;
  c.ShutdownHandlerEx = Im6Shutdown;
  c.CancelOidRequestHandler = Oid6Cancel;
  return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &c, &Im6Driver);
}

// The whole of a correct DriverEntry.
static NTSTATUS Im6DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                               const IM6_HOOKS* Hooks) {
  NDIS_STRING name = NDIS_STRING_CONST("FaultyIm6");
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c;
  NDIS_STATUS status;

  Im6Hooks = Hooks;
  status = Im6RegisterMiniport(DriverObject, RegistryPath);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = NDIS_PROTOCOL_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_PROTOCOL_MINOR_VERSION;
  c.Name = name;
  c.BindAdapterHandlerEx = Im6Bind;
  c.UnbindAdapterHandlerEx = Im6Unbind;
  c.OpenAdapterCompleteHandlerEx = Im6OpenComplete;
  c.CloseAdapterCompleteHandlerEx = Im6CloseComplete;
  c.NetPnPEventHandler = Im6NetPnPEvent;
  c.OidRequestCompleteHandler = Im6OidRequestComplete;
  c.StatusHandlerEx = Im6Status;
  c.ReceiveNetBufferListsHandler = Im6Receive;
  c.SendNetBufferListsCompleteHandler = Im6SendComplete;
  status = NdisRegisterProtocolDriver(NULL, &c, &Im6Protocol);
  if (status != NDIS_STATUS_SUCCESS) {
    NdisMDeregisterMiniportDriver(Im6Driver);
    return status;
  }
  NdisIMAssociateMiniport(Im6Driver, Im6Protocol);
  return STATUS_SUCCESS;
}
