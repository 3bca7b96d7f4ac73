// SPDX-License-Identifier: MIT
//
// Copies of OID requests, as filters and intermediate drivers send them down.
#include <algorithm>
#include <cstring>

#include "ddi/ddi_call.h"
#include "kernel/pool.h"
#include "ndis/binding.h"
#include "ndis/filter_module.h"

using namespace undis;

// Page    ndis/nf-ndis-ndisallocatecloneoidrequest                   IRQL  <= DISPATCH_LEVEL
// Beyond  What NDIS and the drivers keep in the reserved members of the original is not copied.
NDIS_STATUS NdisAllocateCloneOidRequest(NDIS_HANDLE SourceHandle, PNDIS_OID_REQUEST OidRequest, UINT PoolTag,
                                        PNDIS_OID_REQUEST* ClonedOidRequest) {
  const DdiCall call(Ddi::NdisAllocateCloneOidRequest);
  if (ClonedOidRequest == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  *ClonedOidRequest = nullptr;
  const Ref<FilterModule> module = Library::current().handles().find<FilterModule>(SourceHandle);
  if (!module && !call.find<Binding>("SourceHandle", SourceHandle, HandleKind::Binding))
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (OidRequest == nullptr || !call.check_header(OidRequest->Header, NDIS_OBJECT_TYPE_OID_REQUEST,
                                                  NDIS_SIZEOF_OID_REQUEST_REVISION_1, "OidRequest"))
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  kernel::Pool::Request request;
  request.size = sizeof(NDIS_OID_REQUEST);
  request.tag = PoolTag;
  request.zero = true;
  request.owner = &call.driver();
  auto* const clone = static_cast<NDIS_OID_REQUEST*>(kernel::System::current().pool().allocate(request));
  if (clone == nullptr) return call.returns(NDIS_STATUS_RESOURCES);
  std::memcpy(clone, OidRequest, std::min<std::size_t>(OidRequest->Header.Size, sizeof *clone));
  std::ranges::fill(clone->NdisReserved, UCHAR{0});
  std::ranges::fill(clone->MiniportReserved, UCHAR{0});
  std::ranges::fill(clone->SourceReserved, UCHAR{0});
  if (module) module->oids.add_clone(clone, OidRequest);
  *ClonedOidRequest = clone;
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisfreecloneoidrequest                       IRQL  <= DISPATCH_LEVEL
VOID NdisFreeCloneOidRequest(NDIS_HANDLE SourceHandle, PNDIS_OID_REQUEST Request) {
  const DdiCall call(Ddi::NdisFreeCloneOidRequest);
  const Ref<FilterModule> module = Library::current().handles().find<FilterModule>(SourceHandle);
  if (module) {
    module->oids.remove_clone(Request);
  } else {
    call.find<Binding>("SourceHandle", SourceHandle, HandleKind::Binding);
  }
  kernel::System::current().pool().free(Request, 0, call.name(), &call.driver());
}
