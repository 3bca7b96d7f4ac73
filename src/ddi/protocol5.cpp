// SPDX-License-Identifier: MIT
//
// Registration, opens and closes of 5.x protocols.
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"

using namespace undis;

namespace {

/// The characteristics as the version allows them to be read, or why they are refused. Page:
/// ndis/nf-ndis-ndisregisterprotocol.
NDIS_STATUS read_characteristics(const NDIS_PROTOCOL_CHARACTERISTICS* given, UINT length,
                                 NDIS50_PROTOCOL_CHARACTERISTICS& copy) {
  constexpr UINT kVersionBytes = 2;
  if (given == nullptr || length < kVersionBytes) return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (given->MajorNdisVersion != 4 && given->MajorNdisVersion != 5)
    return NDIS_STATUS_BAD_VERSION;  // 3 is not loaded any more (LIFE-325)
  if (given->MinorNdisVersion > 1 || (given->MajorNdisVersion == 4 && given->MinorNdisVersion != 0))
    return NDIS_STATUS_BAD_VERSION;
  const std::size_t needed = given->MajorNdisVersion == 4 ? sizeof(NDIS40_PROTOCOL_CHARACTERISTICS)
                                                          : sizeof(NDIS50_PROTOCOL_CHARACTERISTICS);
  if (length < needed) return NDIS_STATUS_BAD_CHARACTERISTICS;
  copy = {};
  std::memcpy(&copy, given, needed);
  if (copy.BindAdapterHandler == nullptr || copy.UnbindAdapterHandler == nullptr)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (copy.Name.Length == 0 || copy.Name.Buffer == nullptr) return NDIS_STATUS_BAD_CHARACTERISTICS;
  return NDIS_STATUS_SUCCESS;
}

/// The page's occasions for NdisDeregisterProtocol: DriverEntry that goes on to fail or found nothing to bind
/// to, Unload, the unbind of the last binding, a Shutdown routine. Anything else is told. Page:
/// ndis/nf-ndis-ndisderegisterprotocol.
void check_occasion(const DdiCall& call, const ProtocolDriver& protocol) {
  const kernel::Driver& driver = protocol.driver();
  if (driver.harness() || driver.in_driver_entry() || driver.in_unload()) return;
  const std::vector<Ref<Binding>> bindings = protocol.bindings();
  std::size_t others_open = 0;
  bool in_unbind = false;
  for (const Ref<Binding>& binding : bindings) {
    if (kernel::inside_callback(callbacks::kProtocolUnbindAdapter.name, binding.get())) {
      in_unbind = true;
    } else if (binding->is_open()) {
      ++others_open;
    }
  }
  if (in_unbind) {
    if (others_open != 0)
      call.tell_wrong_place(WrongPlace::Kind::OtherBindingsOpen, &protocol,
                            fmt::format("called in ProtocolUnbindAdapter while {} other binding{} open: only "
                                        "the unbind of the last binding is an occasion",
                                        others_open, others_open == 1 ? " is" : "s are"));
    return;
  }
  if (kernel::inside_callback("DispatchShutdown") || kernel::inside_callback(callbacks::kProtocolUnload.name))
    return;
  if (!protocol.ever_bound()) return;  // nothing to bind to: the driver gives up (case 1)
  call.tell_wrong_place(WrongPlace::Kind::NotAnOccasionToDeregister, &protocol,
                        "called neither because nothing can be bound, nor in Unload, nor in the unbind of "
                        "the last binding, nor in a Shutdown routine");
}

}  // namespace

// Page    ndis/nf-ndis-ndisregisterprotocol                          IRQL  PASSIVE_LEVEL
VOID NTAPI NdisRegisterProtocol(PNDIS_STATUS Status, PNDIS_HANDLE NdisProtocolHandle,
                                PNDIS_PROTOCOL_CHARACTERISTICS ProtocolCharacteristics,
                                UINT CharacteristicsLength) {
  const DdiCall call(Ddi::NdisRegisterProtocol);
  Library& library = Library::current();
  *NdisProtocolHandle = nullptr;
  NDIS50_PROTOCOL_CHARACTERISTICS copy;
  *Status = read_characteristics(ProtocolCharacteristics, CharacteristicsLength, copy);
  if (*Status == NDIS_STATUS_SUCCESS && library.has_protocol(kernel::view(&copy.Name)))
    *Status = NDIS_STATUS_FAILURE;  // docs/decisions.md#protocol-names
  if (*Status == NDIS_STATUS_SUCCESS && call.fails()) *Status = NDIS_STATUS_RESOURCES;
  if (*Status == NDIS_STATUS_SUCCESS) {
    const Ref<ProtocolDriver> protocol(
        new ProtocolDriver(call.driver(), std::u16string(kernel::view(&copy.Name)), copy));
    if (library.add(*protocol, call.name())) {
      *NdisProtocolHandle = protocol->handle();
      protocol->set_ready();
      library.bind_later(*protocol);
    } else {
      *Status = NDIS_STATUS_RESOURCES;
    }
  }
  if (*Status != NDIS_STATUS_SUCCESS)
    library.observer().on(Registration{Registration::What::Refused,
                                       &call.driver(),
                                       HandleKind::ProtocolDriver5,
                                       nullptr,
                                       {},
                                       call.name(),
                                       *Status});
}

// Page    ndis/nf-ndis-ndisderegisterprotocol                        IRQL  PASSIVE_LEVEL
// Calls   ProtocolUnbindAdapter once for each open binding; waits until all opens are closed
// Beyond  Inside ProtocolUnbindAdapter of the last binding: docs/decisions.md#deregister-in-unbind
VOID NTAPI NdisDeregisterProtocol(PNDIS_STATUS Status, NDIS_HANDLE NdisProtocolHandle) {
  const DdiCall call(Ddi::NdisDeregisterProtocol);
  *Status = NDIS_STATUS_SUCCESS;  // in every case, says the page (LIFE-026)
  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver5);
  if (!protocol) return;
  if (protocol->is_version6()) {
    call.tell_misuse("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver5);
    return;
  }
  check_occasion(call, *protocol);
  if (!protocol->deregister(call.name()))
    call.tell_misuse("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver5,
                     {HandleKind::ProtocolDriver5, false, nullptr});
}

// Page    ndis/nf-ndis-ndisopenadapter                               IRQL  PASSIVE_LEVEL
// Beyond  Outside a bind, and again: told, and a binding of its own. docs/decisions.md#open-outside-bind
VOID NTAPI NdisOpenAdapter(PNDIS_STATUS Status, PNDIS_STATUS OpenErrorStatus, PNDIS_HANDLE NdisBindingHandle,
                           PUINT SelectedMediumIndex, PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                           NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext,
                           PNDIS_STRING AdapterName, UINT OpenOptions, PSTRING AddressingInformation) {
  const DdiCall call(Ddi::NdisOpenAdapter);
  UNREFERENCED_PARAMETER(OpenOptions);
  UNREFERENCED_PARAMETER(AddressingInformation);
  *OpenErrorStatus = NDIS_STATUS_SUCCESS;

  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("NdisProtocolHandle", NdisProtocolHandle, HandleKind::ProtocolDriver5);
  const Ref<Adapter> adapter = Library::current().adapter_by_device_name(kernel::view(AdapterName));
  if (!protocol) {
    *Status = NDIS_STATUS_FAILURE;
  } else if (!adapter) {
    *Status = NDIS_STATUS_ADAPTER_NOT_FOUND;
  } else if (call.fails()) {
    *Status = NDIS_STATUS_RESOURCES;
  } else if (const Ref<Binding> binding = adapter->binding_of(*protocol);
             binding && binding->bind_under_way()) {
    *Status = binding->open(ProtocolBindingContext, MediumArray, MediumArraySize, NdisBindingHandle,
                            SelectedMediumIndex);
  } else {
    call.tell_breach(
        "OpenOutsideBind", adapter->name(),
        "the adapter is opened outside ProtocolBindAdapter: the protocol misses what a bind tells it");
    const Ref<Binding> own(new Binding(*protocol, *adapter, true));
    *Status = own->open_outside_bind(ProtocolBindingContext, MediumArray, MediumArraySize, NdisBindingHandle,
                                     SelectedMediumIndex);
  }
}

// Page    ndis/nf-ndis-ndiscloseadapter                              IRQL  PASSIVE_LEVEL
VOID NTAPI NdisCloseAdapter(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisCloseAdapter);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  *Status = NDIS_STATUS_SUCCESS;
  if (binding) *Status = binding->close();
}

// Page    previous-versions ff551016 (NdisCompleteBindAdapter)       IRQL  PASSIVE_LEVEL
VOID NTAPI NdisCompleteBindAdapter(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status,
                                   NDIS_STATUS OpenStatus) {
  const DdiCall call(Ddi::NdisCompleteBindAdapter);
  UNREFERENCED_PARAMETER(OpenStatus);
  const Ref<Binding> binding =
      call.find<Binding>("BindAdapterContext", BindAdapterContext, HandleKind::BindContext);
  if (binding && !binding->complete_bind(Status))
    call.tell_unexpected_completion(binding.get(), binding->name(), "no bind is pended");
}

// Page    previous-versions ff551039 (NdisCompleteUnbindAdapter)     IRQL  PASSIVE_LEVEL
VOID NTAPI NdisCompleteUnbindAdapter(NDIS_HANDLE UnbindAdapterContext, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisCompleteUnbindAdapter);
  const Ref<Binding> binding =
      call.find<Binding>("UnbindAdapterContext", UnbindAdapterContext, HandleKind::UnbindContext);
  if (!binding) return;
  if (Status != NDIS_STATUS_SUCCESS)
    call.tell_bad_status(binding.get(), binding->name(), Status,
                         "NDIS_STATUS_SUCCESS: an unbind cannot be refused");
  if (!binding->complete_unbind())
    call.tell_unexpected_completion(binding.get(), binding->name(), "no unbind is pended");
}

// Page    previous-versions ff551032 (NdisCompletePnPEvent)          IRQL  PASSIVE_LEVEL
VOID NTAPI NdisCompletePnPEvent(NDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle,
                                PNET_PNP_EVENT NetPnPEvent) {
  const DdiCall call(Ddi::NdisCompletePnPEvent);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  if (binding && !binding->complete_pnp_event5(NetPnPEvent, Status))
    call.tell_unexpected_completion(binding.get(), binding->name(), "this event is not pended");
}
