// SPDX-License-Identifier: MIT
//
// OID requests of protocols, and their completions by miniports.
#include <cstring>
#include <type_traits>

#include <fmt/format.h>

#include "ddi/may_request.h"
#include "ndis/oid_queue.h"

using namespace undis;

namespace {

/// What a driver has written there may be no value of the type at all.
bool is_known_type(const NDIS_REQUEST_TYPE& written) {
  std::underlying_type_t<NDIS_REQUEST_TYPE> type{};
  std::memcpy(&type, &written, sizeof(type));
  return type == NdisRequestQueryInformation || type == NdisRequestSetInformation ||
         type == NdisRequestQueryStatistics || type == NdisRequestMethod;
}

}  // namespace

// Page    ndis/nf-ndis-ndisoidrequest                                IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding) return call.returns(NDIS_STATUS_CLOSING);
  if (OidRequest == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  const NDIS_OBJECT_HEADER& header = OidRequest->Header;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_SIZEOF_OID_REQUEST_REVISION_1,
                         "OidRequest") ||
      !is_known_type(OidRequest->RequestType))
    return call.returns(NDIS_STATUS_FAILURE);
  if (!may_request(call, *binding)) return call.returns(NDIS_STATUS_FAILURE);
  if (OidRequest->DATA.Oid == OID_PNP_SET_POWER && OidRequest->RequestType == NdisRequestSetInformation)
    call.tell_breach("LIFE-321", binding->name(),
                     "OID_PNP_SET_POWER is sent down: only NDIS sets the power of an adapter");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(binding->adapter().oids.submit(*binding, OidRequest));
}

// Page    ndis/nf-ndis-ndiscanceloidrequest                          IRQL  <= DISPATCH_LEVEL
VOID NdisCancelOidRequest(NDIS_HANDLE NdisBindingHandle, PVOID RequestId) {
  const DdiCall call(Ddi::NdisCancelOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) binding->adapter().oids.cancel(*binding, RequestId);
}

// Page    ndis/nf-ndis-ndisrequest                                   IRQL  <= DISPATCH_LEVEL
VOID NdisRequest(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_REQUEST NdisRequest) {
  const DdiCall call(Ddi::NdisRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding) {
    *Status = call.returns(NDIS_STATUS_CLOSING);
  } else if (NdisRequest == nullptr || !is_known_type(NdisRequest->RequestType) ||
             !may_request(call, *binding)) {
    *Status = call.returns(NDIS_STATUS_FAILURE);
  } else if (call.fails()) {
    *Status = call.returns(NDIS_STATUS_RESOURCES);
  } else {
    *Status = call.returns(binding->adapter().oids.submit5(*binding, NdisRequest));
  }
}

// Page    ndis/nf-ndis-ndismoidrequestcomplete                       IRQL  <= DISPATCH_LEVEL
VOID NdisMOidRequestComplete(NDIS_HANDLE MiniportAdapterHandle, PNDIS_OID_REQUEST OidRequest,
                             NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMOidRequestComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter) return;
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(adapter.get(), adapter->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (!adapter->oids.complete(OidRequest, Status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : Status))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "this OID request is not pended");
}

namespace {

void complete5(const DdiCall& call, NDIS_HANDLE handle, NDIS_STATUS status, bool query) {
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportAdapterHandle", handle, HandleKind::Adapter);
  if (!adapter) return;
  if (status == NDIS_STATUS_PENDING)
    call.tell_bad_status(adapter.get(), adapter->name(), status, "any final status, not NDIS_STATUS_PENDING");
  if (!adapter->oids.complete5(status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : status, query))
    call.tell_unexpected_completion(adapter.get(), adapter->name(),
                                    query ? "no query is pended" : "no set is pended");
}

}  // namespace

// IRQL  <= DISPATCH_LEVEL; a serialized driver's DISPATCH_LEVEL
VOID NdisMQueryInformationComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMQueryInformationComplete);
  complete5(call, MiniportAdapterHandle, Status, true);
}

// IRQL  <= DISPATCH_LEVEL; a serialized driver's DISPATCH_LEVEL
VOID NdisMSetInformationComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMSetInformationComplete);
  complete5(call, MiniportAdapterHandle, Status, false);
}
