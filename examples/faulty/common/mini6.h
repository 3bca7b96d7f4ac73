// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 6.30 miniport: a card whose wire leads nowhere. A driver that includes this says
// only what it does otherwise: its own DriverEntry, or hooks.
#pragma once

#include "oid6.h"

#define MINI6_ADAPTERS 8

typedef struct _MINI6_ADAPTER {
  LONG InUse;
  NDIS_HANDLE Handle;
  LONG Running;
  PVOID Extra;                    // the including driver's
  PNDIS_RESOURCE_LIST Resources;  // inside MINI6_HOOKS.Initialize
} MINI6_ADAPTER, *PMINI6_ADAPTER;

typedef struct _MINI6_HOOKS {
  MINIPORT_UNLOAD* Unload;  // required
  NDIS_STATUS(*Initialize)
  (PMINI6_ADAPTER Adapter);              // inside MiniportInitializeEx, which then succeeds or fails
  VOID (*Halt)(PMINI6_ADAPTER Adapter);  // inside MiniportHaltEx
  VOID (*Send)(PMINI6_ADAPTER Adapter, PNET_BUFFER_LIST Lists, ULONG SendFlags);  // of a running adapter
  VOID (*Pause)(PMINI6_ADAPTER Adapter);  // inside MiniportPause; waits for what Send has kept
  UCHAR MajorNdisVersion;                 // 6 by default
} MINI6_HOOKS;

static NDIS_HANDLE Mini6Driver;
static MINI6_ADAPTER Mini6Adapters[MINI6_ADAPTERS];
static const MINI6_HOOKS* Mini6Hooks;

static NDIS_STATUS Mini6Initialize(NDIS_HANDLE NdisMiniportHandle, NDIS_HANDLE MiniportDriverContext,
                                   PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters) {
  PMINI6_ADAPTER adapter;
  NDIS_STATUS status;
  UINT slot = 0;

  UNREFERENCED_PARAMETER(MiniportDriverContext);
  while (slot < MINI6_ADAPTERS && InterlockedExchange(&Mini6Adapters[slot].InUse, TRUE)) slot++;
  if (slot == MINI6_ADAPTERS) return NDIS_STATUS_RESOURCES;
  adapter = &Mini6Adapters[slot];
  adapter->Handle = NdisMiniportHandle;
  adapter->Resources = MiniportInitParameters->AllocatedResources;
  status = Oid6SetAttributes(NdisMiniportHandle, adapter, (UCHAR)slot);
  if (status == NDIS_STATUS_SUCCESS && Mini6Hooks->Initialize != NULL)
    status = Mini6Hooks->Initialize(adapter);
  if (status != NDIS_STATUS_SUCCESS) InterlockedExchange(&adapter->InUse, FALSE);
  return status;
}

static VOID Mini6Halt(NDIS_HANDLE MiniportAdapterContext, NDIS_HALT_ACTION HaltAction) {
  PMINI6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(HaltAction);
  if (Mini6Hooks->Halt != NULL) Mini6Hooks->Halt(adapter);
  InterlockedExchange(&adapter->InUse, FALSE);
}

static NDIS_STATUS Mini6Restart(NDIS_HANDLE MiniportAdapterContext,
                                PNDIS_MINIPORT_RESTART_PARAMETERS RestartParameters) {
  PMINI6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(RestartParameters);
  InterlockedExchange(&adapter->Running, TRUE);
  return NDIS_STATUS_SUCCESS;
}

// Nothing is ever received, and every send is completed inside the call unless the hooks keep it: then theirs
// waits.
static NDIS_STATUS Mini6Pause(NDIS_HANDLE MiniportAdapterContext,
                              PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters) {
  PMINI6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(PauseParameters);
  InterlockedExchange(&adapter->Running, FALSE);
  if (Mini6Hooks->Pause != NULL) Mini6Hooks->Pause(adapter);
  return NDIS_STATUS_SUCCESS;
}

static VOID Mini6Send(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferList,
                      NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  PMINI6_ADAPTER adapter = MiniportAdapterContext;

  UNREFERENCED_PARAMETER(PortNumber);
  if (!InterlockedCompareExchange(&adapter->Running, TRUE, TRUE))
    Oid6CompleteSends(adapter->Handle, NetBufferList, NDIS_STATUS_PAUSED, SendFlags);
  else if (Mini6Hooks->Send != NULL)
    Mini6Hooks->Send(adapter, NetBufferList, SendFlags);
  else
    Oid6CompleteSends(adapter->Handle, NetBufferList, NDIS_STATUS_SUCCESS, SendFlags);
}

static VOID Mini6CancelSend(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(CancelId);
}

static VOID Mini6Return(NDIS_HANDLE MiniportAdapterContext, PNET_BUFFER_LIST NetBufferLists,
                        ULONG ReturnFlags) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(NetBufferLists);
  UNREFERENCED_PARAMETER(ReturnFlags);
}

static VOID Mini6DevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(NetDevicePnPEvent);
}

static VOID Mini6Shutdown(NDIS_HANDLE MiniportAdapterContext, NDIS_SHUTDOWN_ACTION ShutdownAction) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(ShutdownAction);
}

// The whole of a correct DriverEntry, as long as nothing comes after it.
static NDIS_STATUS Mini6DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                                    const MINI6_HOOKS* Hooks) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c;

  Mini6Hooks = Hooks;
  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = Hooks->MajorNdisVersion != 0 ? Hooks->MajorNdisVersion : NDIS_MINIPORT_MAJOR_VERSION;
  c.MinorNdisVersion = NDIS_MINIPORT_MINOR_VERSION;
  c.InitializeHandlerEx = Mini6Initialize;
  c.HaltHandlerEx = Mini6Halt;
  c.UnloadHandler = Hooks->Unload;
  c.PauseHandler = Mini6Pause;
  c.RestartHandler = Mini6Restart;
  c.OidRequestHandler = Oid6Request;
  c.SendNetBufferListsHandler = Mini6Send;
  c.ReturnNetBufferListsHandler = Mini6Return;
  c.CancelSendHandler = Mini6CancelSend;
  c.DevicePnPEventNotifyHandler = Mini6DevicePnPEvent;
  c.ShutdownHandlerEx = Mini6Shutdown;
  c.CancelOidRequestHandler = Oid6Cancel;
  return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &c, &Mini6Driver);
}
