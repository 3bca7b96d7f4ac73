// SPDX-License-Identifier: MIT
//
// OID requests of filter modules.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/filter_module.h"
#include "ndis/oid_synchronous.h"

using namespace undis;

namespace {

Ref<FilterModule> find(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<FilterModule>("NdisFilterHandle", handle, HandleKind::FilterModule);
}

void tell(const DdiCall& call, const FilterModule& module, const char* rule, std::string why) {
  Library::current().observer().on(FilterMisuse{&call.driver(), rule, call.name(), module.name(),
                                                std::move(why), kernel::Stack::capture(2)});
}

/// SUCCESS, or why the filter may not send this request now. What is a breach is told.
NDIS_STATUS check_request(const DdiCall& call, const FilterModule& module, const NDIS_OID_REQUEST* request) {
  if (request == nullptr) return NDIS_STATUS_INVALID_PARAMETER;
  const NDIS_OBJECT_HEADER& header = request->Header;
  if (header.Type != NDIS_OBJECT_TYPE_OID_REQUEST || header.Revision < NDIS_OID_REQUEST_REVISION_1 ||
      header.Size < NDIS_SIZEOF_OID_REQUEST_REVISION_1)
    return NDIS_STATUS_INVALID_PARAMETER;
  if (!module.allows(FilterEvent::OidRequest)) {
    Library::current().observer().on(StateMove{"filter module", module.name(), to_text(module.state()),
                                               to_text(FilterEvent::OidRequest), nullptr, &call.driver(),
                                               call.name()});
    return NDIS_STATUS_FAILURE;
  }
  if (module.oids.has(request) || module.adapter().direct_oids.has(module, request)) {
    tell(call, module, "OidForwardOnlyClone",
         "the request that FilterOidRequest was given is sent down itself: a filter sends a clone "
         "(NdisAllocateCloneOidRequest)");
    return NDIS_STATUS_FAILURE;
  }
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

// Page    ndis/nf-ndis-ndisfoidrequest                               IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisFOidRequest(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisFOidRequest);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module) return call.returns(NDIS_STATUS_FAILURE);
  if (const NDIS_STATUS status = check_request(call, *module, OidRequest); status != NDIS_STATUS_SUCCESS)
    return call.returns(status);
  if (!module->filter().handlers().OidRequestComplete)
    tell(call, *module, "OidHandlersPair",
         "a filter that sends requests needs FilterOidRequestComplete: nobody can be told of the answer");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(oid_down(module->adapter(), module.get(), OidRequest, nullptr));
}

// Page    ndis/nf-ndis-ndisfoidrequestcomplete                       IRQL  <= DISPATCH_LEVEL
VOID NdisFOidRequestComplete(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisFOidRequestComplete);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module) return;
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(module.get(), module->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (module->oids.has_clone_of(OidRequest))
    tell(call, *module, "OidCloneFreedFirst",
         "the request is completed before its clone is freed (NdisFreeCloneOidRequest)");
  if (!module->oids.complete(OidRequest, Status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : Status))
    call.tell_unexpected_completion(module.get(), module->name(), "this OID request is not with the filter");
}

// Page    ndis/nf-ndis-ndisfcanceloidrequest                         IRQL  <= DISPATCH_LEVEL
VOID NdisFCancelOidRequest(NDIS_HANDLE NdisFilterHandle, PVOID RequestId) {
  const DdiCall call(Ddi::NdisFCancelOidRequest);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module) cancel_oid_down(module->adapter(), module.get(), RequestId);
}

// ---- direct requests ----

// Page    ndis/nf-ndis-ndisfdirectoidrequest                         IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisFDirectOidRequest(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisFDirectOidRequest);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module) return call.returns(NDIS_STATUS_FAILURE);
  if (const NDIS_STATUS status = check_request(call, *module, OidRequest); status != NDIS_STATUS_SUCCESS)
    return call.returns(status);
  if (!module->filter().handlers().DirectOidRequestComplete)
    tell(call, *module, "OidHandlersPair",
         "a filter that sends direct requests needs FilterDirectOidRequestComplete: nobody can be told of "
         "the answer");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(module->adapter().direct_oids.submit(*module, OidRequest));
}

// Page    ndis/nf-ndis-ndisfdirectoidrequestcomplete                 IRQL  <= DISPATCH_LEVEL
VOID NdisFDirectOidRequestComplete(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest,
                                   NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisFDirectOidRequestComplete);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module) return;
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(module.get(), module->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (module->oids.has_clone_of(OidRequest))
    tell(call, *module, "OidCloneFreedFirst",
         "the request is completed before its clone is freed (NdisFreeCloneOidRequest)");
  if (!module->adapter().direct_oids.complete(module.get(), OidRequest,
                                              Status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : Status))
    call.tell_unexpected_completion(module.get(), module->name(),
                                    "this direct OID request is not with the filter");
}

// Page    ndis/nf-ndis-ndisfcanceldirectoidrequest                   IRQL  <= DISPATCH_LEVEL
VOID NdisFCancelDirectOidRequest(NDIS_HANDLE NdisFilterHandle, PVOID RequestId) {
  const DdiCall call(Ddi::NdisFCancelDirectOidRequest);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module) module->adapter().direct_oids.cancel(*module, RequestId);
}

// ---- synchronous requests ----

// Page    ndis/nf-ndis-ndisfsynchronousoidrequest                    IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisFSynchronousOidRequest(NDIS_HANDLE NdisFilterModuleHandle, NDIS_OID_REQUEST* OidRequest) {
  const DdiCall call(Ddi::NdisFSynchronousOidRequest);
  const Ref<FilterModule> module = find(call, NdisFilterModuleHandle);
  if (!module) return call.returns(NDIS_STATUS_FAILURE);
  if (const NDIS_STATUS status = check_request(call, *module, OidRequest); status != NDIS_STATUS_SUCCESS)
    return call.returns(status);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(synchronous_request(*module, OidRequest));
}
