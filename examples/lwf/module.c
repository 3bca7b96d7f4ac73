// SPDX-License-Identifier: MIT
//
// lwf: the life of a module, and what it passes on without looking at it.
#include "lwf.h"

static NDIS_STATUS LwfMakePool(PLWF_MODULE Module) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = LWF_TAG;
  Module->Pool = NdisAllocateNetBufferListPool(Module->Handle, &parameters);
  return Module->Pool == NULL ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
}

NDIS_STATUS LwfAttach(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterDriverContext,
                      PNDIS_FILTER_ATTACH_PARAMETERS AttachParameters) {
  NDIS_FILTER_ATTRIBUTES attributes;
  PLWF_MODULE module;
  NDIS_STATUS status;

  UNREFERENCED_PARAMETER(FilterDriverContext);
  if (AttachParameters->MiniportMediaType != NdisMedium802_3) return NDIS_STATUS_INVALID_PARAMETER;
  module = NdisAllocateMemoryWithTagPriority(NdisFilterHandle, sizeof(*module), LWF_TAG, NormalPoolPriority);
  if (module == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(module, sizeof(*module));
  module->Handle = NdisFilterHandle;
  module->State = LwfPaused;
  NdisAllocateSpinLock(&module->Lock);

  status = LwfMakePool(module);
  if (status == NDIS_STATUS_SUCCESS) {
    NdisZeroMemory(&attributes, sizeof(attributes));
    attributes.Header.Type = NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES;
    attributes.Header.Revision = NDIS_FILTER_ATTRIBUTES_REVISION_1;
    attributes.Header.Size = NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1;
    status = NdisFSetAttributes(NdisFilterHandle, module, &attributes);
  }
  if (status != NDIS_STATUS_SUCCESS) {
    // FilterDetach is not called for a module that did not attach.
    if (module->Pool != NULL) NdisFreeNetBufferListPool(module->Pool);
    NdisFreeSpinLock(&module->Lock);
    NdisFreeMemory(module, 0, 0);
    return status;
  }
  NdisAcquireSpinLock(&Lwf.Lock);
  InsertTailList(&Lwf.Modules, &module->Link);
  NdisReleaseSpinLock(&Lwf.Lock);
  return NDIS_STATUS_SUCCESS;
}

VOID LwfDetach(NDIS_HANDLE FilterModuleContext) {
  PLWF_MODULE module = FilterModuleContext;

  NdisAcquireSpinLock(&Lwf.Lock);
  RemoveEntryList(&module->Link);
  NdisReleaseSpinLock(&Lwf.Lock);
  NdisFreeNetBufferListPool(module->Pool);
  NdisFreeSpinLock(&module->Lock);
  NdisFreeMemory(module, 0, 0);
}

NDIS_STATUS LwfRestart(NDIS_HANDLE FilterModuleContext, PNDIS_FILTER_RESTART_PARAMETERS RestartParameters) {
  PLWF_MODULE module = FilterModuleContext;

  UNREFERENCED_PARAMETER(RestartParameters);
  NdisAcquireSpinLock(&module->Lock);
  module->State = LwfRunning;
  NdisReleaseSpinLock(&module->Lock);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS LwfPause(NDIS_HANDLE FilterModuleContext, PNDIS_FILTER_PAUSE_PARAMETERS PauseParameters) {
  PLWF_MODULE module = FilterModuleContext;
  NDIS_STATUS status;

  // Nothing of others is kept here, so only our own lists have to come back.
  UNREFERENCED_PARAMETER(PauseParameters);
  NdisAcquireSpinLock(&module->Lock);
  module->State = module->Own == 0 ? LwfPaused : LwfPausing;
  module->PausePended = module->Own != 0;
  status = module->PausePended ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
  NdisReleaseSpinLock(&module->Lock);
  return status;
}

BOOLEAN LwfBeginOwn(PLWF_MODULE Module) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Module->Lock);
  may = Module->State == LwfRunning;
  if (may) Module->Own++;
  NdisReleaseSpinLock(&Module->Lock);
  return may;
}

VOID LwfEndOwn(PLWF_MODULE Module) {
  BOOLEAN last;

  NdisAcquireSpinLock(&Module->Lock);
  last = --Module->Own == 0 && Module->PausePended;
  if (last) {
    Module->PausePended = FALSE;
    Module->State = LwfPaused;
  }
  NdisReleaseSpinLock(&Module->Lock);
  if (last) NdisFPauseComplete(Module->Handle);
}

VOID LwfStatus(NDIS_HANDLE FilterModuleContext, PNDIS_STATUS_INDICATION StatusIndication) {
  NdisFIndicateStatus(((PLWF_MODULE)FilterModuleContext)->Handle, StatusIndication);
}

NDIS_STATUS LwfNetPnPEvent(NDIS_HANDLE FilterModuleContext,
                           PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  return NdisFNetPnPEvent(((PLWF_MODULE)FilterModuleContext)->Handle, NetPnPEventNotification);
}

VOID LwfDevicePnPEvent(NDIS_HANDLE FilterModuleContext, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  NdisFDevicePnPEventNotify(((PLWF_MODULE)FilterModuleContext)->Handle, NetDevicePnPEvent);
}
