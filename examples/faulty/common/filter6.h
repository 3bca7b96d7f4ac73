// SPDX-License-Identifier: MIT
//
// The smallest correct NDIS 6.30 filter: it passes everything on. A driver that includes this says only what
// it does otherwise, by hooks.
#pragma once

#include <ndis.h>

#define FILTER6_TAG '6tlF'

typedef struct _FILTER6_MODULE {
  NDIS_HANDLE Handle;
  PNDIS_OID_REQUEST Original;
  PVOID Extra;  // the including driver's
} FILTER6_MODULE, *PFILTER6_MODULE;

typedef struct _FILTER6_HOOKS {
  PDRIVER_UNLOAD Unload;                           // required
  NDIS_STATUS (*Attach)(PFILTER6_MODULE Module);   // after NdisFSetAttributes
  VOID (*Detach)(PFILTER6_MODULE Module);          // before the module is freed
  NDIS_STATUS (*Restart)(PFILTER6_MODULE Module);  // the whole of FilterRestart
  NDIS_STATUS (*Pause)(PFILTER6_MODULE Module);    // the whole of FilterPause
  VOID (*SendComplete)(PFILTER6_MODULE Module, PNET_BUFFER_LIST Lists, ULONG Flags);
  VOID (*Receive)(PFILTER6_MODULE Module, PNET_BUFFER_LIST Lists, ULONG Count, ULONG Flags);
  NDIS_STATUS (*Oid)(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Request);
  VOID (*OidComplete)(PFILTER6_MODULE Module, PNDIS_OID_REQUEST Clone, NDIS_STATUS Status);
  BOOLEAN NoAttributes;
} FILTER6_HOOKS;

static NDIS_HANDLE Filter6Driver;
static const FILTER6_HOOKS* Filter6Hooks;

static NDIS_STATUS Filter6Attach(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterDriverContext,
                                 PNDIS_FILTER_ATTACH_PARAMETERS AttachParameters) {
  NDIS_FILTER_ATTRIBUTES attributes;
  PFILTER6_MODULE module =
      NdisAllocateMemoryWithTagPriority(NdisFilterHandle, sizeof(*module), FILTER6_TAG, NormalPoolPriority);
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;

  UNREFERENCED_PARAMETER(FilterDriverContext);
  UNREFERENCED_PARAMETER(AttachParameters);
  if (module == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(module, sizeof(*module));
  module->Handle = NdisFilterHandle;
  NdisZeroMemory(&attributes, sizeof(attributes));
  attributes.Header.Type = NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES;
  attributes.Header.Revision = NDIS_FILTER_ATTRIBUTES_REVISION_1;
  attributes.Header.Size = NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1;
  if (!Filter6Hooks->NoAttributes) status = NdisFSetAttributes(NdisFilterHandle, module, &attributes);
  if (status == NDIS_STATUS_SUCCESS && Filter6Hooks->Attach != NULL) status = Filter6Hooks->Attach(module);
  if (status != NDIS_STATUS_SUCCESS || Filter6Hooks->NoAttributes) NdisFreeMemory(module, 0, 0);
  return status;
}

static VOID Filter6Detach(NDIS_HANDLE FilterModuleContext) {
  if (FilterModuleContext == NULL) return;
  if (Filter6Hooks->Detach != NULL) Filter6Hooks->Detach(FilterModuleContext);
  NdisFreeMemory(FilterModuleContext, 0, 0);
}

static NDIS_STATUS Filter6Restart(NDIS_HANDLE FilterModuleContext,
                                  PNDIS_FILTER_RESTART_PARAMETERS RestartParameters) {
  UNREFERENCED_PARAMETER(RestartParameters);
  return Filter6Hooks->Restart != NULL ? Filter6Hooks->Restart(FilterModuleContext) : NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Filter6Pause(NDIS_HANDLE FilterModuleContext,
                                PNDIS_FILTER_PAUSE_PARAMETERS PauseParameters) {
  UNREFERENCED_PARAMETER(PauseParameters);
  return Filter6Hooks->Pause != NULL ? Filter6Hooks->Pause(FilterModuleContext) : NDIS_STATUS_SUCCESS;
}

static VOID Filter6Send(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port,
                        ULONG Flags) {
  NdisFSendNetBufferLists(((PFILTER6_MODULE)FilterModuleContext)->Handle, Lists, Port, Flags);
}

static VOID Filter6SendComplete(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST Lists, ULONG Flags) {
  PFILTER6_MODULE module = FilterModuleContext;

  if (Filter6Hooks->SendComplete != NULL) {
    Filter6Hooks->SendComplete(module, Lists, Flags);
  } else {
    NdisFSendNetBufferListsComplete(module->Handle, Lists, Flags);
  }
}

static VOID Filter6Receive(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port,
                           ULONG Count, ULONG Flags) {
  PFILTER6_MODULE module = FilterModuleContext;

  if (Filter6Hooks->Receive != NULL) {
    Filter6Hooks->Receive(module, Lists, Count, Flags);
  } else {
    NdisFIndicateReceiveNetBufferLists(module->Handle, Lists, Port, Count, Flags);
  }
}

static VOID Filter6Return(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST Lists, ULONG Flags) {
  NdisFReturnNetBufferLists(((PFILTER6_MODULE)FilterModuleContext)->Handle, Lists, Flags);
}

static VOID Filter6Status(NDIS_HANDLE FilterModuleContext, PNDIS_STATUS_INDICATION Indication) {
  NdisFIndicateStatus(((PFILTER6_MODULE)FilterModuleContext)->Handle, Indication);
}

static NDIS_STATUS Filter6Oid(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST Request) {
  PFILTER6_MODULE module = FilterModuleContext;
  PNDIS_OID_REQUEST clone;
  NDIS_STATUS status;

  if (Filter6Hooks->Oid != NULL) return Filter6Hooks->Oid(module, Request);
  status = NdisAllocateCloneOidRequest(module->Handle, Request, FILTER6_TAG, &clone);
  if (status != NDIS_STATUS_SUCCESS) return status;
  module->Original = Request;
  status = NdisFOidRequest(module->Handle, clone);
  if (status == NDIS_STATUS_PENDING) return status;
  Request->DATA = clone->DATA;
  NdisFreeCloneOidRequest(module->Handle, clone);
  return status;
}

static VOID Filter6OidComplete(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST Clone, NDIS_STATUS Status) {
  PFILTER6_MODULE module = FilterModuleContext;
  PNDIS_OID_REQUEST original = module->Original;

  if (Filter6Hooks->OidComplete != NULL) {
    Filter6Hooks->OidComplete(module, Clone, Status);
    return;
  }
  original->DATA = Clone->DATA;
  NdisFreeCloneOidRequest(module->Handle, Clone);
  NdisFOidRequestComplete(module->Handle, original, Status);
}

static NTSTATUS Filter6DriverEntry(PDRIVER_OBJECT DriverObject, const FILTER6_HOOKS* Hooks) {
  NDIS_FILTER_DRIVER_CHARACTERISTICS c;
  NDIS_STRING name = RTL_CONSTANT_STRING(L"faulty");
  NDIS_STRING guid = RTL_CONSTANT_STRING(L"{5f0f2a1c-1d0e-4d52-8c55-66617578746c}");

  Filter6Hooks = Hooks;
  DriverObject->DriverUnload = Hooks->Unload;
  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS;
  c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_2;
  c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2;
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.FriendlyName = name;
  c.UniqueName = guid;
  c.ServiceName = name;
  c.AttachHandler = Filter6Attach;
  c.DetachHandler = Filter6Detach;
  c.RestartHandler = Filter6Restart;
  c.PauseHandler = Filter6Pause;
  if (!Hooks->NoAttributes) {
    c.SendNetBufferListsHandler = Filter6Send;
    c.SendNetBufferListsCompleteHandler = Filter6SendComplete;
    c.ReceiveNetBufferListsHandler = Filter6Receive;
    c.ReturnNetBufferListsHandler = Filter6Return;
    c.OidRequestHandler = Filter6Oid;
    c.OidRequestCompleteHandler = Filter6OidComplete;
    c.StatusHandler = Filter6Status;
  }
  return NdisFRegisterFilterDriver(DriverObject, NULL, &c, &Filter6Driver);
}
