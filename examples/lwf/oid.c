// SPDX-License-Identifier: MIT
//
// lwf: OID requests go down as clones; a request itself never does.
#include "lwf.h"

// What the drivers below wrote goes from the clone to the request, and the clone goes.
static VOID LwfFinish(PLWF_MODULE Module, PNDIS_OID_REQUEST Original, PNDIS_OID_REQUEST Clone) {
  switch (Clone->RequestType) {
  case NdisRequestMethod:
    Original->DATA.METHOD_INFORMATION.BytesRead = Clone->DATA.METHOD_INFORMATION.BytesRead;
    Original->DATA.METHOD_INFORMATION.BytesWritten = Clone->DATA.METHOD_INFORMATION.BytesWritten;
    Original->DATA.METHOD_INFORMATION.BytesNeeded = Clone->DATA.METHOD_INFORMATION.BytesNeeded;
    break;
  case NdisRequestSetInformation:
    Original->DATA.SET_INFORMATION.BytesRead = Clone->DATA.SET_INFORMATION.BytesRead;
    Original->DATA.SET_INFORMATION.BytesNeeded = Clone->DATA.SET_INFORMATION.BytesNeeded;
    break;
  default:
    Original->DATA.QUERY_INFORMATION.BytesWritten = Clone->DATA.QUERY_INFORMATION.BytesWritten;
    Original->DATA.QUERY_INFORMATION.BytesNeeded = Clone->DATA.QUERY_INFORMATION.BytesNeeded;
    break;
  }
  NdisFreeCloneOidRequest(Module->Handle, Clone);
}

NDIS_STATUS LwfOidRequest(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST OidRequest) {
  PLWF_MODULE module = FilterModuleContext;
  PNDIS_OID_REQUEST clone;
  NDIS_STATUS status;

  status = NdisAllocateCloneOidRequest(module->Handle, OidRequest, LWF_OID_TAG, &clone);
  if (status != NDIS_STATUS_SUCCESS) return status;
  clone->RequestId = OidRequest->RequestId;
  NdisAcquireSpinLock(&module->Lock);
  module->Counters.Requests++;
  module->Original = OidRequest;
  module->Clone = clone;
  NdisReleaseSpinLock(&module->Lock);

  status = NdisFOidRequest(module->Handle, clone);
  if (status == NDIS_STATUS_PENDING)
    return status;  // LwfOidRequestComplete, perhaps already called, does the rest
  NdisAcquireSpinLock(&module->Lock);
  module->Original = NULL;
  module->Clone = NULL;
  NdisReleaseSpinLock(&module->Lock);
  LwfFinish(module, OidRequest, clone);
  return status;
}

VOID LwfOidRequestComplete(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST OidRequest,
                           NDIS_STATUS Status) {
  PLWF_MODULE module = FilterModuleContext;
  PNDIS_OID_REQUEST original;

  NdisAcquireSpinLock(&module->Lock);
  original = module->Original;
  module->Original = NULL;
  module->Clone = NULL;
  NdisReleaseSpinLock(&module->Lock);
  LwfFinish(module, original, OidRequest);
  NdisFOidRequestComplete(module->Handle, original, Status);
}

VOID LwfCancelOidRequest(NDIS_HANDLE FilterModuleContext, PVOID RequestId) {
  PLWF_MODULE module = FilterModuleContext;
  BOOLEAN below;

  NdisAcquireSpinLock(&module->Lock);
  below = module->Clone != NULL && module->Original->RequestId == RequestId;
  NdisReleaseSpinLock(&module->Lock);
  if (below) NdisFCancelOidRequest(module->Handle, RequestId);
}
