// SPDX-License-Identifier: MIT
//
// OID requests between connection-oriented drivers.
#include "ddi/co_call.h"
#include "ddi/may_request.h"
#include "ndis/co_requests.h"

using namespace undis;

namespace {

/// What the handles of one side stand for. False: one of them is not what it should be; told.
bool read_subject(const DdiCall& call, CoSide side, NDIS_HANDLE vc, NDIS_HANDLE party, CoSubject& subject) {
  const bool client = side == CoSide::Client;
  if (vc != nullptr) {
    subject.vc = call.find<Vc>("NdisVcHandle", vc, client ? HandleKind::ClientVc : HandleKind::CallManagerVc);
    if (!subject.vc) return false;
  }
  if (party != nullptr) {
    subject.party = call.find<Party>("NdisPartyHandle", party,
                                     client ? HandleKind::ClientParty : HandleKind::CallManagerParty);
    if (!subject.party) return false;
  }
  return true;
}

bool may_ask(const DdiCall& call, const AddressFamily& family) {
  if (family.machine().allows(AfEvent::OidRequest)) return true;
  family.machine().tell_blank(AfEvent::OidRequest, call.driver(), call.name());
  return false;
}

/// The address family of a handle of either side, and which.
Ref<AddressFamily> find_family_of_either(const DdiCall& call, NDIS_HANDLE handle, CoSide& side) {
  side = kind_of(handle, HandleKind::ClientAf) == HandleKind::CallManagerAf ? CoSide::CallManager
                                                                            : CoSide::Client;
  return call.find<AddressFamily>("NdisAfHandle", handle,
                                  side == CoSide::Client ? HandleKind::ClientAf : HandleKind::CallManagerAf);
}

}  // namespace

// Page    ndis/nf-ndis-ndiscooidrequest                              IRQL  <= DISPATCH_LEVEL
// Calls   MiniportCoOidRequest, or with an address family ProtocolCoOidRequest of the other driver
NDIS_STATUS NdisCoOidRequest(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE NdisAfHandle,
                             NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle,
                             PNDIS_OID_REQUEST OidRequest) {
  const DdiCall call(Ddi::NdisCoOidRequest);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding || OidRequest == nullptr || !may_request(call, *binding))
    return call.returns(NDIS_STATUS_FAILURE);
  CoSubject subject;
  CoSide side = binding->protocol().client.given ? CoSide::Client : CoSide::CallManager;
  if (NdisAfHandle != nullptr) {
    subject.family = find_family_of_either(call, NdisAfHandle, side);
    if (!subject.family || !may_ask(call, *subject.family)) return call.returns(NDIS_STATUS_FAILURE);
  } else if (NdisVcHandle != nullptr &&
             kind_of(NdisVcHandle, HandleKind::ClientVc) == HandleKind::CallManagerVc) {
    side = CoSide::CallManager;
  }
  if (!read_subject(call, side, NdisVcHandle, NdisPartyHandle, subject))
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  Adapter& adapter = binding->adapter();
  return call.returns(subject.family
                          ? adapter.co->requests->across(side, subject, OidRequest)
                          : adapter.co->requests->to_miniport(adapter, *binding, side, subject, OidRequest));
}

// Page    ndis/nf-ndis-ndiscooidrequestcomplete                      IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoOidRequestComplete
VOID NdisCoOidRequestComplete(NDIS_HANDLE NdisAfHandle, NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle,
                              PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisCoOidRequestComplete);
  UNREFERENCED_PARAMETER(NdisVcHandle);
  UNREFERENCED_PARAMETER(NdisPartyHandle);
  CoSide side{};
  const Ref<AddressFamily> family = find_family_of_either(call, NdisAfHandle, side);
  if (!family) return;
  if (!family->adapter().co->requests->complete(family.get(), OidRequest,
                                                final_status(call, family.get(), family->name(), Status)))
    call.tell_unexpected_completion(family.get(), family->name(), "this OID request is not pended");
}

// Page    ndis/nf-ndis-ndismcmoidrequest                             IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoOidRequest of the client
NDIS_STATUS NdisMCmOidRequest(NDIS_HANDLE NdisAfHandle, NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle,
                              PNDIS_OID_REQUEST NdisOidRequest) {
  const DdiCall call(Ddi::NdisMCmOidRequest);
  CoSubject subject;
  subject.family = call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::CallManagerAf);
  if (!subject.family || NdisOidRequest == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!subject.family->manager().integrated()) {
    call.tell_breach("CoManagerKind", subject.family->name(),
                     "only an integrated call manager calls it: a stand-alone one calls NdisCoOidRequest");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (!may_ask(call, *subject.family) ||
      !read_subject(call, CoSide::CallManager, NdisVcHandle, NdisPartyHandle, subject))
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(
      subject.family->adapter().co->requests->across(CoSide::CallManager, subject, NdisOidRequest));
}

// Page    ndis/nf-ndis-ndismcooidrequestcomplete                     IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoOidRequestComplete
VOID NdisMCoOidRequestComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE NdisMiniportVcHandle,
                               PNDIS_OID_REQUEST Request, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMCoOidRequestComplete);
  UNREFERENCED_PARAMETER(NdisMiniportVcHandle);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter) return;
  if (!adapter->co->requests->complete(nullptr, Request,
                                       final_status(call, adapter.get(), adapter->name(), Status)))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "this OID request is not pended");
}
