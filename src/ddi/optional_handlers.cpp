// SPDX-License-Identifier: MIT
//
// NdisSetOptionalHandlers: handlers that a driver adds to its characteristics.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/filter_module.h"

using namespace undis;

namespace {

/// True if the structure is of that revision and size at least.
bool is_whole(const NDIS_DRIVER_OPTIONAL_HANDLERS& given, std::size_t size) {
  return given.Revision >= NDIS_OBJECT_REVISION_1 && given.Size >= size;
}

/// The page: a call manager sets every handler, also for what it does not do.
NDIS_STATUS set_call_manager(CoCallManagerHandlers& to, const NDIS_DRIVER_OPTIONAL_HANDLERS& given) {
  if (!is_whole(given, NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1)) return NDIS_STATUS_FAILURE;
  const auto& c = reinterpret_cast<const NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS&>(given);
  if (c.CmCreateVcHandler == nullptr || c.CmDeleteVcHandler == nullptr || c.CmOpenAfHandler == nullptr ||
      c.CmCloseAfHandler == nullptr || c.CmRegisterSapHandler == nullptr ||
      c.CmDeregisterSapHandler == nullptr || c.CmMakeCallHandler == nullptr ||
      c.CmCloseCallHandler == nullptr || c.CmIncomingCallCompleteHandler == nullptr ||
      c.CmAddPartyHandler == nullptr || c.CmDropPartyHandler == nullptr ||
      c.CmActivateVcCompleteHandler == nullptr || c.CmDeactivateVcCompleteHandler == nullptr ||
      c.CmModifyCallQoSHandler == nullptr || c.CmOidRequestHandler == nullptr ||
      c.CmOidRequestCompleteHandler == nullptr || c.CmNotifyCloseAfCompleteHandler == nullptr)
    return NDIS_STATUS_FAILURE;
  to = CoCallManagerHandlers(c);
  return NDIS_STATUS_SUCCESS;
}

/// The same of a client.
NDIS_STATUS set_client(CoClientHandlers& to, const NDIS_DRIVER_OPTIONAL_HANDLERS& given) {
  if (!is_whole(given, NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1)) return NDIS_STATUS_FAILURE;
  const auto& c = reinterpret_cast<const NDIS_CO_CLIENT_OPTIONAL_HANDLERS&>(given);
  if (c.ClCreateVcHandler == nullptr || c.ClDeleteVcHandler == nullptr || c.ClOidRequestHandler == nullptr ||
      c.ClOidRequestCompleteHandler == nullptr || c.ClOpenAfCompleteHandlerEx == nullptr ||
      c.ClCloseAfCompleteHandler == nullptr || c.ClRegisterSapCompleteHandler == nullptr ||
      c.ClDeregisterSapCompleteHandler == nullptr || c.ClMakeCallCompleteHandler == nullptr ||
      c.ClModifyCallQoSCompleteHandler == nullptr || c.ClCloseCallCompleteHandler == nullptr ||
      c.ClAddPartyCompleteHandler == nullptr || c.ClDropPartyCompleteHandler == nullptr ||
      c.ClIncomingCallHandler == nullptr || c.ClIncomingCallQoSChangeHandler == nullptr ||
      c.ClIncomingCloseCallHandler == nullptr || c.ClIncomingDropPartyHandler == nullptr ||
      c.ClCallConnectedHandler == nullptr || c.ClNotifyCloseAfHandler == nullptr)
    return NDIS_STATUS_FAILURE;
  to = CoClientHandlers(c);
  return NDIS_STATUS_SUCCESS;
}

/// What a protocol driver adds in ProtocolSetOptions.
NDIS_STATUS set_protocol(ProtocolDriver& driver, const NDIS_DRIVER_OPTIONAL_HANDLERS& given) {
  switch (given.Type) {
  case NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS: {
    if (!is_whole(given, NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1)) return NDIS_STATUS_FAILURE;
    const auto& c = reinterpret_cast<const NDIS_PROTOCOL_CO_CHARACTERISTICS&>(given);
    if (c.CoStatusHandlerEx == nullptr || c.CoReceiveNetBufferListsHandler == nullptr ||
        c.CoSendNetBufferListsCompleteHandler == nullptr)
      return NDIS_STATUS_FAILURE;
    driver.connection_oriented = CoProtocolHandlers(c);
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS:
    return set_call_manager(driver.call_manager, given);
  case NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS:
    return set_client(driver.client, given);
  default:
    return NDIS_STATUS_FAILURE;  // TCP chimney: not here
  }
}

/// Which call of the page this one is. `object`: whose SetOptions it has to be.
bool in_options_of(const char* callback, const void* object) {
  return kernel::inside_callback(callback, object);
}

NDIS_STATUS set_miniport(MiniportDriver& driver, const NDIS_DRIVER_OPTIONAL_HANDLERS& given) {
  OptionalHandlers6& to = driver.optional6;
  switch (given.Type) {
  case NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS: {
    if (given.Revision < NDIS_MINIPORT_PNP_CHARACTERISTICS_REVISION_1 ||
        given.Size < NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1)
      return NDIS_STATUS_FAILURE;
    const auto& pnp = reinterpret_cast<const NDIS_MINIPORT_PNP_CHARACTERISTICS&>(given);
    if ((pnp.MiniportAddDeviceHandler == nullptr) != (pnp.MiniportRemoveDeviceHandler == nullptr))
      return NDIS_STATUS_FAILURE;  // each undoes the other: one alone is not enough
    to.AddDevice = pnp.MiniportAddDeviceHandler;
    to.RemoveDevice = pnp.MiniportRemoveDeviceHandler;
    to.FilterResourceRequirements = pnp.MiniportFilterResourceRequirementsHandler;
    to.StartDevice = pnp.MiniportStartDeviceHandler;
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS: {
    if (given.Revision < NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1 ||
        given.Size < NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1)
      return NDIS_STATUS_FAILURE;
    const auto& suspend = reinterpret_cast<const NDIS_MINIPORT_SS_CHARACTERISTICS&>(given);
    if (suspend.IdleNotificationHandler == nullptr || suspend.CancelIdleNotificationHandler == nullptr)
      return NDIS_STATUS_FAILURE;
    to.IdleNotification = suspend.IdleNotificationHandler;
    to.CancelIdleNotification = suspend.CancelIdleNotificationHandler;
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS: {
    if (!is_whole(given, NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1)) return NDIS_STATUS_FAILURE;
    const auto& c = reinterpret_cast<const NDIS_MINIPORT_CO_CHARACTERISTICS&>(given);
    if (c.CoSendNetBufferListsHandler == nullptr || c.CoOidRequestHandler == nullptr)
      return NDIS_STATUS_FAILURE;
    to.connection_oriented = CoMiniportHandlers(c);
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS:
    return set_call_manager(to.call_manager, given);
  default:
    return NDIS_STATUS_FAILURE;  // TCP chimney, NDK, shared memory: not here
  }
}

/// The data path handlers of one filter module.
NDIS_STATUS set_partial_characteristics(const DdiCall& call, FilterModule& module,
                                        const NDIS_OBJECT_HEADER* header) {
  if (!module.options_open()) {
    call.tell_wrong_place(
        WrongPlace::Kind::OutsideSetOptions, &module,
        "the handlers of a filter module are changed in its FilterSetModuleOptions, on that thread, only");
    return NDIS_STATUS_FAILURE;
  }
  if (header == nullptr || header->Type != NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS ||
      header->Revision < NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1 ||
      header->Size < NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1)
    return NDIS_STATUS_FAILURE;
  if (call.fails()) return NDIS_STATUS_RESOURCES;
  const auto* const given = reinterpret_cast<const NDIS_FILTER_PARTIAL_CHARACTERISTICS*>(header);
  module.set_data_handlers({given->SendNetBufferListsHandler, given->SendNetBufferListsCompleteHandler,
                            given->CancelSendNetBufferListsHandler, given->ReceiveNetBufferListsHandler,
                            given->ReturnNetBufferListsHandler});
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

// Page    ndis/nf-ndis-ndissetoptionalhandlers                       IRQL  PASSIVE_LEVEL
// Beyond  TCP chimney, NDK and shared memory providers are not here: NDIS_STATUS_FAILURE, as the page has it
//         where none of its other values applies.
NDIS_STATUS NdisSetOptionalHandlers(NDIS_HANDLE NdisHandle, PNDIS_DRIVER_OPTIONAL_HANDLERS OptionalHandlers) {
  const DdiCall call(Ddi::NdisSetOptionalHandlers);
  HandleTable& handles = Library::current().handles();
  if (const Ref<MiniportDriver> miniport = handles.find<MiniportDriver>(NdisHandle); miniport) {
    if (!miniport->is_version6()) return call.returns(NDIS_STATUS_NOT_SUPPORTED);
    if (!in_options_of("MiniportSetOptions", miniport.get())) {
      call.tell_breach("LIFE-105", miniport->name(), "a miniport driver calls it in MiniportSetOptions only");
      return call.returns(NDIS_STATUS_FAILURE);
    }
    if (OptionalHandlers == nullptr) return call.returns(NDIS_STATUS_FAILURE);
    if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
    return call.returns(set_miniport(*miniport, *OptionalHandlers));
  }
  if (const Ref<ProtocolDriver> protocol = handles.find<ProtocolDriver>(NdisHandle); protocol) {
    if (!protocol->is_version6()) return call.returns(NDIS_STATUS_NOT_SUPPORTED);
    if (!in_options_of("ProtocolSetOptions", protocol.get())) {
      call.tell_breach("LIFE-105", protocol->name(),
                       "with the driver's handle a protocol calls it in ProtocolSetOptions only");
      return call.returns(NDIS_STATUS_FAILURE);
    }
    if (OptionalHandlers == nullptr) return call.returns(NDIS_STATUS_FAILURE);
    if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
    return call.returns(set_protocol(*protocol, *OptionalHandlers));
  }
  if (const Ref<Binding> binding = handles.find<Binding>(NdisHandle); binding) {
    if (!in_options_of("ProtocolBindAdapterEx", binding.get()) &&
        !in_options_of("ProtocolOpenAdapterCompleteEx", binding.get()))
      call.tell_breach("LIFE-105", binding->name(),
                       "with a binding's handle it is called in ProtocolBindAdapterEx or "
                       "ProtocolOpenAdapterCompleteEx only");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (const Ref<FilterModule> module = handles.find<FilterModule>(NdisHandle); module)
    return call.returns(set_partial_characteristics(call, *module, OptionalHandlers));
  if (!handles.find<FilterDriver>(NdisHandle))
    call.tell_misuse("NdisHandle", NdisHandle, HandleKind::MiniportDriver6);
  return call.returns(NDIS_STATUS_FAILURE);
}
