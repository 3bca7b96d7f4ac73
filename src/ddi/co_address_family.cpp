// SPDX-License-Identifier: MIT
//
// Address families and service access points: offered, opened, closed; registered and deregistered.
#include "ddi/co_call.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"

using namespace undis;

namespace {

/// Who is bound later is told after the bind; who is there already, from a worker, unless a bind or an
/// initialisation is under way.
void advertise_soon(Adapter& adapter) {
  kernel::queue_work("advertise an address family", [alive = Ref<Adapter>(adapter)] {
    const Claimed claimed(alive->stack);
    if (alive->initialized() && !alive->removed) alive->co->advertise();
  });
}

}  // namespace

// Page    ndis/nf-ndis-ndiscmregisteraddressfamilyex                 IRQL  PASSIVE_LEVEL
// Calls   ProtocolCoAfRegisterNotify of each client, after the bind that it is called in
NDIS_STATUS NdisCmRegisterAddressFamilyEx(NDIS_HANDLE NdisBindingHandle, PCO_ADDRESS_FAMILY AddressFamily) {
  const DdiCall call(Ddi::NdisCmRegisterAddressFamilyEx);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding || AddressFamily == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!binding->protocol().call_manager.given || !binding->adapter().co->is_connection_oriented())
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const NDIS_STATUS status = binding->adapter().co->offer(binding.get(), *AddressFamily);
  if (status == NDIS_STATUS_SUCCESS && !binding->in_bind_or_unbind()) advertise_soon(binding->adapter());
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndismcmregisteraddressfamilyex                IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMCmRegisterAddressFamilyEx(NDIS_HANDLE MiniportAdapterHandle,
                                           PCO_ADDRESS_FAMILY AddressFamily) {
  const DdiCall call(Ddi::NdisMCmRegisterAddressFamilyEx);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || AddressFamily == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!adapter->driver().optional6.call_manager.given || !adapter->co->is_connection_oriented())
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const NDIS_STATUS status = adapter->co->offer(nullptr, *AddressFamily);
  if (status == NDIS_STATUS_SUCCESS && adapter->initialized()) advertise_soon(*adapter);
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndisclopenaddressfamilyex                     IRQL  PASSIVE_LEVEL
// Calls   ProtocolCmOpenAf
NDIS_STATUS NdisClOpenAddressFamilyEx(NDIS_HANDLE NdisBindingHandle, PCO_ADDRESS_FAMILY AddressFamily,
                                      NDIS_HANDLE ClientAfContext, PNDIS_HANDLE NdisAfHandle) {
  const DdiCall call(Ddi::NdisClOpenAddressFamilyEx);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding || AddressFamily == nullptr || NdisAfHandle == nullptr || !binding->protocol().client.given)
    return call.returns(NDIS_STATUS_FAILURE);
  const Ref<CallManager> manager = binding->adapter().co->manager_of(*AddressFamily);
  if (!manager) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<undis::AddressFamily> family(
      new undis::AddressFamily(*binding, *manager, *AddressFamily, ClientAfContext));
  const NDIS_STATUS status = family->open();
  if (status == NDIS_STATUS_SUCCESS) *NdisAfHandle = family->handle(CoSide::Client);
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndiscmopenaddressfamilycomplete               IRQL  <= DISPATCH_LEVEL
VOID NdisCmOpenAddressFamilyComplete(NDIS_STATUS Status, NDIS_HANDLE NdisAfHandle,
                                     NDIS_HANDLE CallMgrAfContext) {
  const DdiCall call(Ddi::NdisCmOpenAddressFamilyComplete);
  const Ref<AddressFamily> family =
      call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::CallManagerAf);
  if (family &&
      !family->complete_open(final_status(call, family.get(), family->name(), Status), CallMgrAfContext))
    call.tell_unexpected_completion(family.get(), family->name(), "no open is pended");
}

namespace {

/// The address family of a client's handle that is not closed: after a close it is good for the end of a
/// close notification only.
Ref<AddressFamily> find_open_family(const DdiCall& call, NDIS_HANDLE handle) {
  Ref<AddressFamily> family = call.find<AddressFamily>("NdisAfHandle", handle, HandleKind::ClientAf);
  if (!family ||
      (family->machine().state() != AfState::Closing && family->machine().state() != AfState::Closed))
    return family;
  call.tell_misuse("NdisAfHandle", handle, HandleKind::ClientAf, {HandleKind::ClientAf, false, nullptr});
  return {};
}

}  // namespace

// Page    ndis/nf-ndis-ndisclcloseaddressfamily                      IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmCloseAf
NDIS_STATUS NdisClCloseAddressFamily(NDIS_HANDLE NdisAfHandle) {
  const DdiCall call(Ddi::NdisClCloseAddressFamily);
  const Ref<AddressFamily> family = find_open_family(call, NdisAfHandle);
  return call.returns(family ? family->close(caller_of(call)) : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndiscmcloseaddressfamilycomplete              IRQL  <= DISPATCH_LEVEL
VOID NdisCmCloseAddressFamilyComplete(NDIS_STATUS Status, NDIS_HANDLE NdisAfHandle) {
  const DdiCall call(Ddi::NdisCmCloseAddressFamilyComplete);
  const Ref<AddressFamily> family =
      call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::CallManagerAf);
  if (family && !family->complete_close(final_status(call, family.get(), family->name(), Status)))
    call.tell_unexpected_completion(family.get(), family->name(), "no close is pended");
}

// Page    ndis/nf-ndis-ndiscmnotifycloseaddressfamily                IRQL  PASSIVE_LEVEL
// Calls   ProtocolClNotifyCloseAf
NDIS_STATUS NdisCmNotifyCloseAddressFamily(NDIS_HANDLE NdisAfHandle) {
  const DdiCall call(Ddi::NdisCmNotifyCloseAddressFamily);
  const Ref<AddressFamily> family =
      call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::CallManagerAf);
  return call.returns(family ? family->notify_close(caller_of(call)) : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndisclnotifycloseaddressfamilycomplete        IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmNotifyCloseAfComplete
VOID NdisClNotifyCloseAddressFamilyComplete(NDIS_HANDLE NdisAfHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisClNotifyCloseAddressFamilyComplete);
  const Ref<AddressFamily> family =
      call.find<AddressFamily>("NdisAfHandle", NdisAfHandle, HandleKind::ClientAf);
  if (family && !family->complete_notify(final_status(call, family.get(), family->name(), Status)))
    call.tell_unexpected_completion(family.get(), family->name(), "no close notification is pended");
}

// ---- service access points ----

// Page    ndis/nf-ndis-ndisclregistersap                             IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmRegisterSap
NDIS_STATUS NdisClRegisterSap(NDIS_HANDLE NdisAfHandle, NDIS_HANDLE ProtocolSapContext, PCO_SAP Sap,
                              PNDIS_HANDLE NdisSapHandle) {
  const DdiCall call(Ddi::NdisClRegisterSap);
  const Ref<AddressFamily> family = find_open_family(call, NdisAfHandle);
  if (!family || Sap == nullptr || NdisSapHandle == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(family->register_sap(caller_of(call), ProtocolSapContext, Sap, NdisSapHandle));
}

// Page    ndis/nf-ndis-ndiscmregistersapcomplete                     IRQL  <= DISPATCH_LEVEL
VOID NdisCmRegisterSapComplete(NDIS_STATUS Status, NDIS_HANDLE NdisSapHandle, NDIS_HANDLE CallMgrSapContext) {
  const DdiCall call(Ddi::NdisCmRegisterSapComplete);
  const Ref<Sap> sap = call.find<Sap>("NdisSapHandle", NdisSapHandle, HandleKind::CallManagerSap);
  if (sap && !sap->complete_register(final_status(call, sap.get(), sap->name(), Status), CallMgrSapContext))
    call.tell_unexpected_completion(sap.get(), sap->name(), "no registration is pended");
}

// Page    ndis/nf-ndis-ndisclderegistersap                           IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCmDeregisterSap
NDIS_STATUS NdisClDeregisterSap(NDIS_HANDLE NdisSapHandle) {
  const DdiCall call(Ddi::NdisClDeregisterSap);
  const Ref<Sap> sap = call.find<Sap>("NdisSapHandle", NdisSapHandle, HandleKind::ClientSap);
  return call.returns(sap ? sap->deregister(caller_of(call)) : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndiscmderegistersapcomplete                   IRQL  <= DISPATCH_LEVEL
VOID NdisCmDeregisterSapComplete(NDIS_STATUS Status, NDIS_HANDLE NdisSapHandle) {
  const DdiCall call(Ddi::NdisCmDeregisterSapComplete);
  const Ref<Sap> sap = call.find<Sap>("NdisSapHandle", NdisSapHandle, HandleKind::CallManagerSap);
  if (sap && !sap->complete_deregister(final_status(call, sap.get(), sap->name(), Status)))
    call.tell_unexpected_completion(sap.get(), sap->name(), "no deregistration is pended");
}
