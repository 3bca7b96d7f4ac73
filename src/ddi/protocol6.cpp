// SPDX-License-Identifier: MIT
//
// Registration, opens, closes and unbinds of 6.x protocol drivers.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"

using namespace undis;

namespace {

bool has_required_handlers(const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) {
  return c.BindAdapterHandlerEx != nullptr && c.UnbindAdapterHandlerEx != nullptr &&
         c.OpenAdapterCompleteHandlerEx != nullptr && c.CloseAdapterCompleteHandlerEx != nullptr &&
         c.NetPnPEventHandler != nullptr && c.OidRequestCompleteHandler != nullptr &&
         c.StatusHandlerEx != nullptr && c.ReceiveNetBufferListsHandler != nullptr &&
         c.SendNetBufferListsCompleteHandler != nullptr;
}

NDIS_STATUS read_characteristics(const DdiCall& call, const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS* given,
                                 NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& copy) {
  if (given == nullptr) return NDIS_STATUS_BAD_CHARACTERISTICS;
  const NDIS_OBJECT_HEADER& header = given->Header;
  const std::size_t size = header.Revision == NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1
                               ? NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1
                               : NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS, size,
                         "ProtocolCharacteristics"))
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  copy = {};
  std::memcpy(&copy, given, size);
  const Version version{copy.MajorNdisVersion, copy.MinorNdisVersion};
  if (!is_known_version6(version) || version > Library::current().policy.newest)
    return NDIS_STATUS_BAD_VERSION;
  if (version.minor > 0 && header.Revision < NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (!has_required_handlers(copy) || copy.Name.Length == 0 || copy.Name.Buffer == nullptr)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

// Page    ndis/nf-ndis-ndisregisterprotocoldriver                    IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisRegisterProtocolDriver(NDIS_HANDLE ProtocolDriverContext,
                                       PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS ProtocolCharacteristics,
                                       PNDIS_HANDLE NdisProtocolHandle) {
  const DdiCall call(Ddi::NdisRegisterProtocolDriver);
  Library& library = Library::current();
  const auto refuse = [&](NDIS_STATUS status) {
    library.observer().on(Registration{Registration::What::Refused,
                                       &call.driver(),
                                       HandleKind::ProtocolDriver6,
                                       nullptr,
                                       {},
                                       call.name(),
                                       status});
    return call.returns(status);
  };
  if (NdisProtocolHandle == nullptr) return refuse(NDIS_STATUS_FAILURE);
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS copy;
  if (const NDIS_STATUS status = read_characteristics(call, ProtocolCharacteristics, copy);
      status != NDIS_STATUS_SUCCESS)
    return refuse(status);
  if (library.has_protocol(kernel::view(&copy.Name)))
    return refuse(NDIS_STATUS_FAILURE);  // docs/decisions.md#protocol-names
  if (call.fails()) return refuse(NDIS_STATUS_RESOURCES);

  const Ref<ProtocolDriver> protocol(new ProtocolDriver(
      call.driver(), std::u16string(kernel::view(&copy.Name)), copy, ProtocolDriverContext));
  if (!library.add(*protocol, call.name())) return refuse(NDIS_STATUS_RESOURCES);
  *NdisProtocolHandle = protocol->handle();
  if (protocol->handlers6().SetOptions) {
    const NDIS_STATUS status =
        kernel::call_driver(&protocol->driver(), callbacks::kProtocolSetOptions, protocol.get(), nullptr,
                            protocol->handlers6().SetOptions, protocol->handle(), ProtocolDriverContext);
    if (status != NDIS_STATUS_SUCCESS) {
      library.remove(*protocol, call.name());
      *NdisProtocolHandle = nullptr;
      return refuse(status);
    }
  }
  protocol->set_ready();
  library.bind_later(*protocol);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisderegisterprotocoldriver                  IRQL  PASSIVE_LEVEL
// Beyond  In a callback of NDIS, where Windows may deadlock, the call is told and what can be done is done.
// docs/decisions.md#deregister-in-callback
VOID NdisDeregisterProtocolDriver(NDIS_HANDLE NdisProtocolHandle) {
  const DdiCall call(Ddi::NdisDeregisterProtocolDriver);
  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver6);
  if (!protocol) return;
  if (!protocol->is_version6()) {
    call.tell_misuse("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver6);
    return;
  }
  const kernel::CallFrame* const callback = kernel::current_callback();
  const kernel::Driver& driver = protocol->driver();
  if (callback != nullptr && !driver.in_driver_entry() && !driver.in_unload() &&
      std::string_view(callback->name).starts_with("Protocol"))
    call.tell_wrong_place(
        WrongPlace::Kind::InsideCallback, protocol.get(),
        fmt::format("called inside {}: it waits for the bindings and may deadlock there", callback->name));
  if (!protocol->deregister(call.name()))
    call.tell_misuse("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver6,
                     {HandleKind::ProtocolDriver6, false, nullptr});
}

// Page    ndis/nf-ndis-ndisopenadapterex                             IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisOpenAdapterEx(NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext,
                              PNDIS_OPEN_PARAMETERS OpenParameters, NDIS_HANDLE BindContext,
                              PNDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisOpenAdapterEx);
  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver6);
  if (!protocol || OpenParameters == nullptr || NdisBindingHandle == nullptr)
    return call.returns(NDIS_STATUS_FAILURE);
  const NDIS_OBJECT_HEADER& header = OpenParameters->Header;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
                         "OpenParameters") ||
      OpenParameters->SelectedMediumIndex == nullptr || OpenParameters->MediumArray == nullptr)
    return call.returns(NDIS_STATUS_FAILURE);

  // The bind context says which binding is being made; it dies with the bind, so a later open fails
  // (LIFE-233).
  const Ref<Binding> binding = call.find<Binding>("BindContext", BindContext, HandleKind::BindContext);
  if (!binding || &binding->protocol() != protocol.get()) {
    call.tell_wrong_place(WrongPlace::Kind::OutsideBindOrUnbind, protocol.get(),
                          "an adapter is opened in the context of ProtocolBindAdapterEx only");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (!kernel::equal_ignore_case(kernel::view(OpenParameters->AdapterName),
                                 binding->adapter().config().device_name))
    return call.returns(NDIS_STATUS_ADAPTER_NOT_FOUND);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(binding->open(ProtocolBindingContext, OpenParameters->MediumArray,
                                    OpenParameters->MediumArraySize, NdisBindingHandle,
                                    OpenParameters->SelectedMediumIndex));
}

// Page    ndis/nf-ndis-ndiscloseadapterex                            IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisCloseAdapterEx(NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisCloseAdapterEx);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding) return call.returns(NDIS_STATUS_SUCCESS);
  const unsigned sends = binding->sends.inside();
  const unsigned answering =
      binding->answering;  // before the gate is read: a request may leave both meanwhile, and none enters
  const unsigned requests = std::max(binding->requests.inside(), answering) - answering;
  if (sends != 0 || requests != 0)
    call.tell_breach(
        "LIFE-243", binding->name(),
        fmt::format("the adapter is closed with {} sends and {} requests outstanding", sends, requests));
  const BindingState state = binding->state();
  if (state == BindingState::Running || state == BindingState::Restarting || state == BindingState::Pausing)
    call.tell_wrong_place(WrongPlace::Kind::OutsideBindOrUnbind, binding.get(),
                          "an adapter is closed in ProtocolBindAdapterEx or ProtocolUnbindAdapterEx only; "
                          "elsewhere NdisUnbindAdapter is used");
  return call.returns(binding->close());
}

// Page    ndis/nf-ndis-ndiscompletebindadapterex                     IRQL  PASSIVE_LEVEL
VOID NdisCompleteBindAdapterEx(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisCompleteBindAdapterEx);
  const Ref<Binding> binding =
      call.find<Binding>("BindAdapterContext", BindAdapterContext, HandleKind::BindContext);
  if (binding && !binding->complete_bind(Status))
    call.tell_unexpected_completion(binding.get(), binding->name(), "no bind is pended");
}

// Page    ndis/nf-ndis-ndiscompleteunbindadapterex                   IRQL  <= DISPATCH_LEVEL
VOID NdisCompleteUnbindAdapterEx(NDIS_HANDLE UnbindContext) {
  const DdiCall call(Ddi::NdisCompleteUnbindAdapterEx);
  const Ref<Binding> binding = call.find<Binding>("UnbindContext", UnbindContext, HandleKind::UnbindContext);
  if (binding && !binding->complete_unbind())
    call.tell_unexpected_completion(binding.get(), binding->name(), "no unbind is pended");
}

// Page    ndis/nf-ndis-ndisunbindadapter                             IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisUnbindAdapter(NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisUnbindAdapter);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  if (!binding) return call.returns(NDIS_STATUS_SUCCESS);  // SUCCESS does not promise an unbind (LIFE-250)
  if (binding->in_bind_or_unbind())
    call.tell_wrong_place(WrongPlace::Kind::InsideBindOrUnbind, binding.get(),
                          "it is called outside ProtocolBindAdapterEx and ProtocolUnbindAdapterEx");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  kernel::queue_work("unbind for NdisUnbindAdapter", [binding] { binding->unbind(); });
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndiscompletenetpnpevent                       IRQL  PASSIVE_LEVEL
VOID NdisCompleteNetPnPEvent(NDIS_HANDLE NdisBindingHandle,
                             PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisCompleteNetPnPEvent);
  if (NdisBindingHandle == nullptr) {  // an event for the protocol as a whole
    for (const Ref<ProtocolDriver>& protocol : Library::current().protocols_of(call.driver()))
      if (protocol->complete_event(NetPnPEventNotification, Status)) return;
  }
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  if (binding && !binding->complete_pnp_event(NetPnPEventNotification, Status))
    call.tell_unexpected_completion(binding.get(), binding->name(), "this event is not pended");
}

// Page    ndis/nf-ndis-ndisreenumerateprotocolbindings               IRQL  PASSIVE_LEVEL
VOID NdisReEnumerateProtocolBindings(NDIS_HANDLE NdisProtocolHandle) {
  const DdiCall call(Ddi::NdisReEnumerateProtocolBindings);
  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver6);
  if (!protocol) return;
  for (const Ref<Binding>& binding : protocol->bindings())
    if (binding->in_bind_or_unbind())
      call.tell_wrong_place(WrongPlace::Kind::InsideBindOrUnbind, protocol.get(),
                            "it is not called inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx");
  Library::current().bind_later(*protocol);
}
