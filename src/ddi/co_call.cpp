// SPDX-License-Identifier: MIT
//
// Calls on virtual connections and the parties of multipoint calls.
#include "ddi/co_call.h"

using namespace undis;

// ---- of the client ----

// Page    ndis/nf-ndis-ndisclmakecall                                IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmMakeCall
NDIS_STATUS NdisClMakeCall(NDIS_HANDLE NdisVcHandle, PCO_CALL_PARAMETERS CallParameters,
                           NDIS_HANDLE ProtocolPartyContext, PNDIS_HANDLE NdisPartyHandle) {
  const DdiCall call(Ddi::NdisClMakeCall);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (!vc || CallParameters == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(vc->make_call(caller_of(call), CallParameters, ProtocolPartyContext, NdisPartyHandle));
}

// Page    ndis/nf-ndis-ndisclclosecall                               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmCloseCall
NDIS_STATUS NdisClCloseCall(NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle, PVOID Buffer, UINT Size) {
  const DdiCall call(Ddi::NdisClCloseCall);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (!vc) return call.returns(NDIS_STATUS_FAILURE);
  Ref<Party> party;
  if (NdisPartyHandle != nullptr) {
    party = call.find<Party>("NdisPartyHandle", NdisPartyHandle, HandleKind::ClientParty);
    if (!party) return call.returns(NDIS_STATUS_FAILURE);
  }
  return call.returns(vc->close_call(caller_of(call), party.get(), Buffer, Size));
}

// Page    ndis/nf-ndis-ndisclmodifycallqos                           IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmModifyCallQoS
NDIS_STATUS NdisClModifyCallQoS(NDIS_HANDLE NdisVcHandle, PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisClModifyCallQoS);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (!vc || CallParameters == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(vc->modify_qos(caller_of(call), CallParameters));
}

// Page    ndis/nf-ndis-ndisclincomingcallcomplete                    IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmIncomingCallComplete
VOID NdisClIncomingCallComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle,
                                PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisClIncomingCallComplete);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (vc && !vc->complete_incoming(final_status(call, vc.get(), vc->name(), Status), CallParameters))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no incoming call is pended");
}

// Page    ndis/nf-ndis-ndiscladdparty                                IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmAddParty
NDIS_STATUS NdisClAddParty(NDIS_HANDLE NdisVcHandle, NDIS_HANDLE ProtocolPartyContext,
                           PCO_CALL_PARAMETERS CallParameters, PNDIS_HANDLE NdisPartyHandle) {
  const DdiCall call(Ddi::NdisClAddParty);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (!vc || CallParameters == nullptr || NdisPartyHandle == nullptr)
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(vc->add_party(caller_of(call), ProtocolPartyContext, CallParameters, NdisPartyHandle));
}

// Page    ndis/nf-ndis-ndiscldropparty                               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmDropParty
NDIS_STATUS NdisClDropParty(NDIS_HANDLE NdisPartyHandle, PVOID Buffer, UINT Size) {
  const DdiCall call(Ddi::NdisClDropParty);
  const Ref<Party> party = call.find<Party>("NdisPartyHandle", NdisPartyHandle, HandleKind::ClientParty);
  return call.returns(party ? party->drop(caller_of(call), Buffer, Size) : NDIS_STATUS_FAILURE);
}

// ---- of the call manager ----

namespace {

Ref<Vc> find_vc(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<Vc>("NdisVcHandle", handle, HandleKind::CallManagerVc);
}
Ref<Party> find_party(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<Party>("NdisPartyHandle", handle, HandleKind::CallManagerParty);
}

}  // namespace

// Page    ndis/nf-ndis-ndiscmmakecallcomplete                        IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClMakeCallComplete
VOID NdisCmMakeCallComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle,
                            NDIS_HANDLE CallMgrPartyContext, PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmMakeCallComplete);
  const Ref<Vc> vc = find_vc(call, NdisVcHandle);
  if (!vc || (NdisPartyHandle != nullptr && !find_party(call, NdisPartyHandle))) return;
  if (!vc->complete_make_call(caller_of(call), final_status(call, vc.get(), vc->name(), Status),
                              CallMgrPartyContext, CallParameters))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no call is being made");
}

// Page    ndis/nf-ndis-ndiscmclosecallcomplete                       IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClCloseCallComplete
VOID NdisCmCloseCallComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle, NDIS_HANDLE NdisPartyHandle) {
  const DdiCall call(Ddi::NdisCmCloseCallComplete);
  const Ref<Vc> vc = find_vc(call, NdisVcHandle);
  if (!vc || (NdisPartyHandle != nullptr && !find_party(call, NdisPartyHandle))) return;
  if (!vc->complete_close_call(final_status(call, vc.get(), vc->name(), Status)))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no close of a call is pended");
}

// Page    ndis/nf-ndis-ndiscmmodifycallqoscomplete                   IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClModifyCallQoSComplete
VOID NdisCmModifyCallQoSComplete(NDIS_STATUS Status, NDIS_HANDLE NdisVcHandle,
                                 PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmModifyCallQoSComplete);
  const Ref<Vc> vc = find_vc(call, NdisVcHandle);
  if (vc && !vc->complete_modify(final_status(call, vc.get(), vc->name(), Status), CallParameters))
    call.tell_unexpected_completion(vc.get(), vc->name(), "no change of the quality of service is pended");
}

// Page    ndis/nf-ndis-ndiscmdispatchincomingcall                    IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClIncomingCall
NDIS_STATUS NdisCmDispatchIncomingCall(NDIS_HANDLE NdisSapHandle, NDIS_HANDLE NdisVcHandle,
                                       PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmDispatchIncomingCall);
  const Ref<Sap> sap = call.find<Sap>("NdisSapHandle", NdisSapHandle, HandleKind::CallManagerSap);
  const Ref<Vc> vc = find_vc(call, NdisVcHandle);
  if (!sap || !vc || CallParameters == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (vc->family() != &sap->family()) {
    call.tell_misuse("NdisVcHandle", NdisVcHandle, HandleKind::CallManagerVc);
    return call.returns(NDIS_STATUS_FAILURE);
  }
  return call.returns(vc->dispatch_incoming(caller_of(call), *sap, CallParameters));
}

// Page    ndis/nf-ndis-ndiscmdispatchcallconnected                   IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClCallConnected
VOID NdisCmDispatchCallConnected(NDIS_HANDLE NdisVcHandle) {
  const DdiCall call(Ddi::NdisCmDispatchCallConnected);
  if (const Ref<Vc> vc = find_vc(call, NdisVcHandle); vc) vc->dispatch_connected(caller_of(call));
}

// Page    ndis/nf-ndis-ndiscmdispatchincomingcallqoschange           IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClIncomingCallQoSChange
VOID NdisCmDispatchIncomingCallQoSChange(NDIS_HANDLE NdisVcHandle, PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmDispatchIncomingCallQoSChange);
  if (const Ref<Vc> vc = find_vc(call, NdisVcHandle); vc) vc->dispatch_qos(caller_of(call), CallParameters);
}

// Page    ndis/nf-ndis-ndiscmdispatchincomingclosecall               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClIncomingCloseCall
VOID NdisCmDispatchIncomingCloseCall(NDIS_STATUS CloseStatus, NDIS_HANDLE NdisVcHandle, PVOID Buffer,
                                     UINT Size) {
  const DdiCall call(Ddi::NdisCmDispatchIncomingCloseCall);
  if (const Ref<Vc> vc = find_vc(call, NdisVcHandle); vc)
    vc->dispatch_close(caller_of(call), CloseStatus, Buffer, Size);
}

// Page    ndis/nf-ndis-ndiscmaddpartycomplete                        IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClAddPartyComplete
VOID NdisCmAddPartyComplete(NDIS_STATUS Status, NDIS_HANDLE NdisPartyHandle, NDIS_HANDLE CallMgrPartyContext,
                            PCO_CALL_PARAMETERS CallParameters) {
  const DdiCall call(Ddi::NdisCmAddPartyComplete);
  const Ref<Party> party = find_party(call, NdisPartyHandle);
  if (party && !party->complete_add(final_status(call, party.get(), party->name(), Status),
                                    CallMgrPartyContext, CallParameters))
    call.tell_unexpected_completion(party.get(), party->name(), "it is not being added");
}

// Page    ndis/nf-ndis-ndiscmdroppartycomplete                       IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClDropPartyComplete
VOID NdisCmDropPartyComplete(NDIS_STATUS Status, NDIS_HANDLE NdisPartyHandle) {
  const DdiCall call(Ddi::NdisCmDropPartyComplete);
  const Ref<Party> party = find_party(call, NdisPartyHandle);
  if (party && !party->complete_drop(final_status(call, party.get(), party->name(), Status)))
    call.tell_unexpected_completion(party.get(), party->name(), "it is not being dropped");
}

// Page    ndis/nf-ndis-ndiscmdispatchincomingdropparty               IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolClIncomingDropParty
VOID NdisCmDispatchIncomingDropParty(NDIS_STATUS DropStatus, NDIS_HANDLE NdisPartyHandle, PVOID Buffer,
                                     UINT Size) {
  const DdiCall call(Ddi::NdisCmDispatchIncomingDropParty);
  if (const Ref<Party> party = find_party(call, NdisPartyHandle); party)
    party->dispatch_drop(caller_of(call), DropStatus, Buffer, Size);
}
