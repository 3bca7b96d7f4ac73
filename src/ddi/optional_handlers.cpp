// SPDX-License-Identifier: MIT
//
// NdisSetOptionalHandlers: handlers that a driver adds to its characteristics.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/filter_module.h"

using namespace undis;

namespace {

/// Which call of the page this one is. `object`: whose SetOptions it has to be.
bool in_options_of(const char* callback, const void* object) { return kernel::inside_callback(callback, object); }

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
    default: return NDIS_STATUS_FAILURE;  // CoNDIS, TCP chimney, NDK, shared memory: not here
  }
}

/// The data path handlers of one filter module.
NDIS_STATUS set_partial_characteristics(const DdiCall& call, FilterModule& module, const NDIS_OBJECT_HEADER* header) {
  if (!module.options_open()) {
    call.tell_wrong_place(WrongPlace::Kind::OutsideSetOptions, &module,
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
// Beyond  CoNDIS, TCP chimney, NDK and shared memory providers are not here: NDIS_STATUS_FAILURE, as the page has it
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
    if (!in_options_of("ProtocolSetOptions", protocol.get()))
      call.tell_breach("LIFE-105", protocol->name(), "with the driver's handle a protocol calls it in ProtocolSetOptions only");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (const Ref<Binding> binding = handles.find<Binding>(NdisHandle); binding) {
    if (!in_options_of("ProtocolBindAdapterEx", binding.get()) &&
        !in_options_of("ProtocolOpenAdapterCompleteEx", binding.get()))
      call.tell_breach("LIFE-105", binding->name(),
                       "with a binding's handle it is called in ProtocolBindAdapterEx or ProtocolOpenAdapterCompleteEx only");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (const Ref<FilterModule> module = handles.find<FilterModule>(NdisHandle); module)
    return call.returns(set_partial_characteristics(call, *module, OptionalHandlers));
  if (!handles.find<FilterDriver>(NdisHandle)) call.tell_misuse("NdisHandle", NdisHandle, HandleKind::MiniportDriver6);
  return call.returns(NDIS_STATUS_FAILURE);
}
