// SPDX-License-Identifier: MIT
//
// Virtual connections: created, activated, deactivated, deleted; by stand-alone and by integrated call
// managers.
#include "ddi/co_call.h"

using namespace undis;

namespace {

/// The page of each: one kind of call manager calls it. Told, and nothing is done.
bool is_of_kind(const DdiCall& call, const Vc& vc, bool integrated) {
  if (vc.manager().integrated() == integrated) return true;
  call.tell_breach(
      "CoManagerKind", vc.name(),
      integrated
          ? "only an integrated call manager calls it: a stand-alone one has NdisCo... and NdisCm... "
            "functions for this"
          : "only a stand-alone call manager calls it: an integrated one has NdisMCm... functions for this");
  return false;
}

}  // namespace

// Page    ndis/nf-ndis-ndiscocreatevc                                IRQL  <= DISPATCH_LEVEL
// Calls   MiniportCoCreateVc, then ProtocolCoCreateVc of the other driver of the address family
NDIS_STATUS NdisCoCreateVc(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE NdisAfHandle,
                           NDIS_HANDLE ProtocolVcContext, PNDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisCoCreateVc);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding || NdisVcHandle == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  Ref<AddressFamily> family;
  Ref<CallManager> manager;
  CoSide creator = CoSide::CallManager;
  if (NdisAfHandle == nullptr) {
    manager = binding->adapter().co->manager_at(*binding);
    if (!manager || !binding->adapter().co->is_connection_oriented())
      return call.returns(NDIS_STATUS_FAILURE);
  } else {
    const HandleKind kind = kind_of(NdisAfHandle, HandleKind::ClientAf) == HandleKind::CallManagerAf
                                ? HandleKind::CallManagerAf
                                : HandleKind::ClientAf;
    family = call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, kind);
    if (!family) return call.returns(NDIS_STATUS_FAILURE);
    creator = kind == HandleKind::ClientAf ? CoSide::Client : CoSide::CallManager;
    manager = Ref<CallManager>(family->manager());
    const Binding* const of_creator = creator == CoSide::Client ? &family->client() : manager->binding();
    if (of_creator != binding.get()) {
      call.tell_misuse("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
      return call.returns(NDIS_STATUS_FAILURE);
    }
    if (!family->machine().allows(AfEvent::CreateVc)) {
      family->machine().tell_blank(AfEvent::CreateVc, call.driver(), call.name());
      return call.returns(NDIS_STATUS_FAILURE);
    }
    if (family->gone(CoSide::CallManager) || family->gone(CoSide::Client))
      return call.returns(NDIS_STATUS_FAILURE);
  }
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<Vc> vc(new Vc(*manager, family.get(), creator, ProtocolVcContext));
  const NDIS_STATUS status = vc->create();
  if (status == NDIS_STATUS_SUCCESS) *NdisVcHandle = vc->handle(creator);
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndiscodeletevc                                IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoDeleteVc of the other driver, then MiniportCoDeleteVc
NDIS_STATUS NdisCoDeleteVc(NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisCoDeleteVc);
  CoSide side{};
  const Ref<Vc> vc = find_vc_of_either(call, NdisVcHandle, side);
  if (!vc) return call.returns(NDIS_STATUS_NOT_ACCEPTED);
  if (side == CoSide::CallManager && !is_of_kind(call, *vc, false))
    return call.returns(NDIS_STATUS_NOT_ACCEPTED);
  return call.returns(vc->remove(caller_of(call), side));
}

// Page    ndis/nf-ndis-ndiscmactivatevc                              IRQL  <= DISPATCH_LEVEL
// Calls   MiniportCoActivateVc
NDIS_STATUS NdisCmActivateVc(NDIS_HANDLE NdisVcHandle, PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmActivateVc);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
  if (!vc || CallParameters == nullptr || !is_of_kind(call, *vc, false))
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(vc->activate(caller_of(call), CallParameters));
}

// Page    ndis/nf-ndis-ndiscmdeactivatevc                            IRQL  <= DISPATCH_LEVEL
// Calls   MiniportCoDeactivateVc
NDIS_STATUS NdisCmDeactivateVc(NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisCmDeactivateVc);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
  if (!vc || !is_of_kind(call, *vc, false)) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(vc->deactivate(caller_of(call)));
}

// Page    ndis/nf-ndis-ndismcoactivatevccomplete                     IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmActivateVcComplete
VOID NdisMCoActivateVcComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle,
                               PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisMCoActivateVcComplete);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::MiniportVc);
  if (vc && !vc->complete_activate(final_status(call, vc.get(), vc->name(), Status), CallParameters))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no activation is pended");
}

// Page    ndis/nf-ndis-ndismcodeactivatevccomplete                   IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmDeactivateVcComplete
VOID NdisMCoDeactivateVcComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisMCoDeactivateVcComplete);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::MiniportVc);
  if (vc && !vc->complete_deactivate(final_status(call, vc.get(), vc->name(), Status)))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no deactivation is pended");
}

// ---- an integrated call manager's ----

// Page    ndis/nf-ndis-ndismcmcreatevc                               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoCreateVc of the client
NDIS_STATUS NdisMCmCreateVc(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE NdisAfHandle,
                            NDIS_HANDLE MiniportVcContext, PNDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisMCmCreateVc);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || NdisVcHandle == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  const Ref<AddressFamily> family =
      call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::CallManagerAf);
  if (!family) return call.returns(NDIS_STATUS_FAILURE);
  if (!family->manager().integrated() || &family->adapter() != adapter.get()) {
    call.tell_breach(
        "CoManagerKind", family->name(),
        "only the integrated call manager of the address family calls it, with its adapter's handle");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (!family->machine().allows(AfEvent::CreateVc)) {
    family->machine().tell_blank(AfEvent::CreateVc, call.driver(), call.name());
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (family->gone(CoSide::Client)) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<Vc> vc(new Vc(family->manager(), family.get(), CoSide::CallManager, MiniportVcContext));
  const NDIS_STATUS status = vc->create();
  if (status == NDIS_STATUS_SUCCESS) *NdisVcHandle = vc->handle(CoSide::CallManager);
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndismcmdeletevc                               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoDeleteVc of the client
NDIS_STATUS NdisMCmDeleteVc(NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisMCmDeleteVc);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
  if (!vc || !is_of_kind(call, *vc, true)) return call.returns(NDIS_STATUS_NOT_ACCEPTED);
  return call.returns(vc->remove(caller_of(call), CoSide::CallManager));
}

// Page    ndis/nf-ndis-ndismcmactivatevc                             IRQL  <= DISPATCH_LEVEL
// Beyond  Never pended, so that ProtocolCmActivateVcComplete of an integrated call manager is not called.
// docs/decisions.md#co-integrated
NDIS_STATUS NdisMCmActivateVc(NDIS_HANDLE NdisVcHandle, PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisMCmActivateVc);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
  if (!vc || CallParameters == nullptr || !is_of_kind(call, *vc, true))
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(vc->activate_integrated(caller_of(call)));
}

// Page    ndis/nf-ndis-ndismcmdeactivatevc                           IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisMCmDeactivateVc(NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisMCmDeactivateVc);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
  if (!vc || !is_of_kind(call, *vc, true)) return call.returns(NDIS_STATUS_NOT_ACCEPTED);
  return call.returns(vc->deactivate_integrated(caller_of(call)));
}
