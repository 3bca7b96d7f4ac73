// SPDX-License-Identifier: MIT
//
// Direct and synchronous OID requests.
#include "ddi/may_request.h"
#include "ndis/oid_synchronous.h"

using namespace undis;

namespace {

/// NDIS_STATUS_PENDING: it may go. `direct`: its completion comes by callback.
NDIS_STATUS check(const DdiCall& call, const Ref<Binding>& binding, const NDIS_OID_REQUEST* request,
                  bool direct) {
  if (!binding) return NDIS_STATUS_CLOSING;
  if (request == nullptr || !call.check_header(request->Header, NDIS_OBJECT_TYPE_OID_REQUEST,
                                               NDIS_SIZEOF_OID_REQUEST_REVISION_1, "OidRequest"))
    return NDIS_STATUS_FAILURE;
  if (direct && !binding->protocol().handlers6().DirectOidRequestComplete) {
    call.tell_breach("LIFE-093", binding->name(),
                     "a protocol that makes direct OID requests registers ProtocolDirectOidRequestComplete");
    return NDIS_STATUS_NOT_SUPPORTED;
  }
  if (!may_request(call, *binding)) return NDIS_STATUS_FAILURE;
  if (binding->adapter().reset.in_progress()) return NDIS_STATUS_RESET_IN_PROGRESS;
  if (binding->adapter().is_low_power()) {
    call.tell_breach("LIFE-269", binding->name(),
                     "an OID request is made while the adapter is in a low-power state");
    return NDIS_STATUS_LOW_POWER_STATE;
  }
  return call.fails() ? NDIS_STATUS_RESOURCES : NDIS_STATUS_PENDING;
}

}  // namespace

// Page    ndis/nf-ndis-ndisdirectoidrequest                          IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisDirectOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisDirectOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (const NDIS_STATUS status = check(call, binding, OidRequest, true); status != NDIS_STATUS_PENDING)
    return call.returns(status);
  return call.returns(binding->adapter().direct_oids.submit(*binding, OidRequest));
}

// Page    ndis/nf-ndis-ndiscanceldirectoidrequest                    IRQL  <= DISPATCH_LEVEL
VOID NdisCancelDirectOidRequest(NDIS_HANDLE NdisBindingHandle, PVOID RequestId) {
  const DdiCall call(Ddi::NdisCancelDirectOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) binding->adapter().direct_oids.cancel(*binding, RequestId);
}

// Page    ndis/nf-ndis-ndismdirectoidrequestcomplete                 IRQL  <= DISPATCH_LEVEL
VOID NdisMDirectOidRequestComplete(NDIS_HANDLE MiniportAdapterHandle, PNDIS_OID_REQUEST OidRequest,
                                   NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMDirectOidRequestComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter) return;
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(adapter.get(), adapter->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (!adapter->direct_oids.complete(nullptr, OidRequest,
                                     Status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : Status))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "this direct OID request is not pended");
}

// Page    ndis/nf-ndis-ndissynchronousoidrequest                     IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisSynchronousOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisSynchronousOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (const NDIS_STATUS status = check(call, binding, OidRequest, false); status != NDIS_STATUS_PENDING)
    return call.returns(status);
  return call.returns(synchronous_request(*binding, OidRequest));
}
