// SPDX-License-Identifier: MIT
//
// The NDIS 6.30 half of fake drivers: characteristics, registrations, callbacks.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "lab/fake_driver.h"
#include "ndis/binding.h"
#include "ndis/strings.h"

namespace undis::lab {

struct FakeDriver::Callbacks6 {
  static FakeAdapter& self(NDIS_HANDLE context) { return *static_cast<FakeAdapter*>(context); }
  static FakeBinding& bound(NDIS_HANDLE context) { return *static_cast<FakeBinding*>(context); }

  // ---- miniport ----
  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
    const Ref<Adapter> real = Library::current().handles().find<Adapter>(handle);
    FakeDriver& driver = *FakeDriver::of(real->driver().driver());
    FakeAdapter& adapter = driver.new_adapter(handle);
    adapter.device_context = parameters->IMDeviceInstanceContext;
    driver.note("MiniportInitializeEx " + adapter.name);
    if (kernel::irql() != PASSIVE_LEVEL) driver.complain("MiniportInitializeEx above PASSIVE_LEVEL");

    NDIS_MINIPORT_ADAPTER_ATTRIBUTES registration{};
    registration.RegistrationAttributes.Header = {
        NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
    registration.RegistrationAttributes.MiniportAdapterContext = &adapter;
    registration.RegistrationAttributes.AttributeFlags =
        NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER;
    registration.RegistrationAttributes.InterfaceType = NdisInterfaceInternal;
    if (driver.attributes) driver.attributes(registration);
    if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &registration);
        status != NDIS_STATUS_SUCCESS)
      return driver.initialized(adapter, status);

    static NDIS_OID oids[] = {OID_GEN_CURRENT_PACKET_FILTER};
    static constexpr UCHAR kAddress[6] = {0x02, 0, 0, 0, 6, 1};
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
    general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                      NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                      NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    general.MediaType = NdisMedium802_3;
    general.MtuSize = 1500;
    general.MaxXmitLinkSpeed = general.XmitLinkSpeed = general.MaxRcvLinkSpeed = general.RcvLinkSpeed =
        1'000'000'000;
    general.MediaConnectState = MediaConnectStateConnected;
    general.LookaheadSize = 1500;
    general.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                                     NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS;
    general.MaxMulticastListSize = 8;
    general.MacAddressLength = sizeof(kAddress);
    std::ranges::copy(kAddress, general.PermanentMacAddress);
    std::ranges::copy(kAddress, general.CurrentMacAddress);
    general.SupportedOidList = oids;
    general.SupportedOidListLength = sizeof(oids);
    if (driver.attributes) driver.attributes(attributes);
    return driver.initialized(adapter, NdisMSetMiniportAttributes(handle, &attributes));
  }

  static VOID halt(NDIS_HANDLE context, NDIS_HALT_ACTION action) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportHaltEx " + adapter.name);
    if (++adapter.halts != 1) adapter.driver->complain("a second MiniportHaltEx of " + adapter.name);
    if (adapter.state != FakeAdapter::State::Paused)
      adapter.driver->complain("MiniportHaltEx while not Paused: " + adapter.name);
    adapter.state = FakeAdapter::State::Halted;
    adapter.halt_action = action;
    if (adapter.driver->on_halt) adapter.driver->on_halt(adapter);
  }

  static NDIS_STATUS pause(NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS parameters) {
    FakeAdapter& adapter = self(context);
    adapter.driver->last_pause_reason = parameters->PauseReason;
    adapter.driver->note("MiniportPause " + adapter.name);
    if (adapter.state != FakeAdapter::State::Running)
      adapter.driver->complain("MiniportPause while not Running: " + adapter.name);
    adapter.state = FakeAdapter::State::Paused;
    return adapter.driver->on_pause ? adapter.driver->on_pause(adapter) : NDIS_STATUS_SUCCESS;
  }

  static NDIS_STATUS restart(NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS parameters) {
    FakeAdapter& adapter = self(context);
    adapter.driver->last_restart = parameters->RestartAttributes;
    adapter.driver->note("MiniportRestart " + adapter.name);
    if (adapter.state != FakeAdapter::State::Paused)
      adapter.driver->complain("MiniportRestart while not Paused: " + adapter.name);
    const NDIS_STATUS status =
        adapter.driver->on_restart ? adapter.driver->on_restart(adapter) : NDIS_STATUS_SUCCESS;
    if (status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_PENDING)
      adapter.state = FakeAdapter::State::Running;
    return status;
  }

  static NDIS_STATUS oid_request(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    FakeAdapter& adapter = self(context);
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportOidRequest after MiniportHaltEx");
    const bool query = request->RequestType != NdisRequestSetInformation;
    auto& set = request->DATA.SET_INFORMATION;
    auto& asked = request->DATA.QUERY_INFORMATION;
    adapter.asked = query ? FakeAdapter::Asked{asked.Oid,
                                               true,
                                               asked.InformationBuffer,
                                               asked.InformationBufferLength,
                                               &asked.BytesWritten,
                                               &asked.BytesNeeded,
                                               request}
                          : FakeAdapter::Asked{set.Oid,
                                               false,
                                               set.InformationBuffer,
                                               set.InformationBufferLength,
                                               &set.BytesRead,
                                               &set.BytesNeeded,
                                               request};
    if (!query && set.Oid == OID_GEN_CURRENT_PACKET_FILTER && set.InformationBufferLength >= sizeof(ULONG)) {
      ULONG filter = 0;
      std::memcpy(&filter, set.InformationBuffer, sizeof(filter));
      adapter.driver->note(fmt::format("filter {} {:#x}", adapter.name, filter));
    }
    if (query && adapter.driver->on_request)
      asked.BytesWritten = asked.InformationBufferLength;  // as a driver with an answer does
    if (adapter.driver->on_request)
      return adapter.driver->on_request(adapter, query ? request->DATA.QUERY_INFORMATION.Oid : set.Oid,
                                        query);
    if (query) return NDIS_STATUS_NOT_SUPPORTED;
    set.BytesRead = set.InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  }

  static VOID send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG) {
    NdisMSendNetBufferListsComplete(self(context).handle, chain, 0);
  }
  static VOID return_lists(NDIS_HANDLE, PNET_BUFFER_LIST, ULONG) {}
  static VOID cancel_send(NDIS_HANDLE, PVOID) {}
  static VOID pnp_notify(NDIS_HANDLE context, PNET_DEVICE_PNP_EVENT event) {
    FakeAdapter& adapter = self(context);
    if (event->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved)
      adapter.driver->note("surprise removal " + adapter.name);
    if (adapter.driver->on_device_event)
      adapter.driver->on_device_event(adapter, event->DevicePnPEvent, event->InformationBuffer);
  }
  static BOOLEAN check_for_hang(NDIS_HANDLE context) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportCheckForHangEx " + adapter.name);
    return adapter.driver->on_check_for_hang(adapter) ? TRUE : FALSE;
  }
  static NDIS_STATUS reset(NDIS_HANDLE context, PBOOLEAN addressing) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportResetEx " + adapter.name);
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportResetEx after MiniportHaltEx");
    *addressing = FALSE;
    return adapter.driver->on_reset ? adapter.driver->on_reset(adapter, addressing) : NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS direct_request(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    return self(context).driver->on_direct_request(self(context), request);
  }
  static VOID cancel_direct(NDIS_HANDLE context, PVOID) {
    self(context).driver->note("MiniportCancelDirectOidRequest " + self(context).name);
  }
  static NDIS_STATUS synchronous_request(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    return self(context).driver->on_synchronous_request(self(context), request);
  }
  static NDIS_STATUS set_options(NDIS_HANDLE handle, NDIS_HANDLE context) {
    return static_cast<FakeDriver*>(context)->on_set_options(handle);
  }
  static VOID cancel_oid(NDIS_HANDLE context, PVOID id) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportCancelOidRequest " + adapter.name);
    if (adapter.driver->on_cancel_request) adapter.driver->on_cancel_request(adapter, id);
  }
  static VOID shutdown(NDIS_HANDLE context, NDIS_SHUTDOWN_ACTION) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportShutdownEx " + adapter.name);
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportShutdownEx after MiniportHaltEx");
    if (adapter.driver->on_shutdown) adapter.driver->on_shutdown(adapter);
  }

  // ---- protocol ----
  static NDIS_STATUS bind(NDIS_HANDLE, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    const auto* const object = static_cast<const Binding*>(kernel::current_callback()->object);
    FakeDriver& driver = *FakeDriver::of(object->driver());
    FakeBinding& binding = driver.bindings.emplace_back();
    binding.driver = &driver;
    binding.adapter = object->adapter().name();
    binding.bind_context = bind_context;
    binding.opened = std::make_unique<kernel::Event>("fake: open complete");
    binding.closed = std::make_unique<kernel::Event>("fake: close complete");
    driver.note("ProtocolBindAdapterEx " + binding.adapter);
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    UINT medium_index = 0;
    NDIS_OPEN_PARAMETERS open{};
    open.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                   NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
    open.AdapterName = parameters->AdapterName;
    open.MediumArray = media;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &medium_index;
    const NDIS_STATUS opened =
        NdisOpenAdapterEx(driver.protocol, &binding, &open, bind_context, &binding.handle);
    const NDIS_STATUS status = driver.finish_bind(binding, opened);
    if (status != NDIS_STATUS_SUCCESS && status != NDIS_STATUS_PENDING && binding.open)
      close_and_wait(binding);
    return status;
  }

  static VOID open_complete(NDIS_HANDLE context, NDIS_STATUS status) {
    bound(context).result = status;
    bound(context).opened->set();
  }

  static NDIS_STATUS unbind(NDIS_HANDLE unbind_context, NDIS_HANDLE context) {
    FakeBinding& binding = bound(context);
    binding.driver->note("ProtocolUnbindAdapterEx " + binding.adapter);
    if (binding.running)
      binding.driver->complain("ProtocolUnbindAdapterEx while running: " + binding.adapter);
    binding.unbind_context = unbind_context;
    return binding.driver->unbound(binding);
  }

  static VOID close_complete(NDIS_HANDLE context) {
    FakeBinding& binding = bound(context);
    if (++binding.close_completes != 1)
      binding.driver->complain("a second ProtocolCloseAdapterCompleteEx of " + binding.adapter);
    binding.driver->note("ProtocolCloseAdapterCompleteEx " + binding.adapter);
    binding.closed->set();
  }

  static NDIS_STATUS pnp(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
    if (context == nullptr) {
      FakeDriver& driver = *FakeDriver::of(*kernel::current_driver());
      return driver.on_global_event ? driver.on_global_event(event->NetPnPEvent.NetEvent, event)
                                    : NDIS_STATUS_SUCCESS;
    }
    FakeBinding& binding = bound(context);
    const NET_PNP_EVENT_CODE code = event->NetPnPEvent.NetEvent;
    if (code == NetEventPause) {
      binding.driver->note("NetEventPause " + binding.adapter);
      if (!binding.running) binding.driver->complain("NetEventPause while not running: " + binding.adapter);
      binding.running = false;
    } else if (code == NetEventRestart) {
      binding.driver->note("NetEventRestart " + binding.adapter);
      if (binding.running) binding.driver->complain("NetEventRestart while running: " + binding.adapter);
      binding.running = true;
    }
    return binding.driver->on_pnp_event ? binding.driver->on_pnp_event(binding, code, event)
                                        : NDIS_STATUS_SUCCESS;
  }

  static VOID oid_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
    bound(context).result = status;
    bound(context).answered.push_back({request, status});
    bound(context).driver->note("ProtocolOidRequestComplete " + bound(context).adapter);
  }
  static VOID direct_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
    bound(context).answered.push_back({request, status});
    bound(context).driver->note("ProtocolDirectOidRequestComplete " + bound(context).adapter);
  }
  static VOID status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
    bound(context).driver->note(fmt::format("ProtocolStatusEx {} {:#x}", bound(context).adapter,
                                            static_cast<std::uint32_t>(indication->StatusCode)));
    if (bound(context).driver->on_status) bound(context).driver->on_status(bound(context), *indication);
  }
  static VOID receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG, ULONG flags) {
    if (!NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_RESOURCES))
      NdisReturnNetBufferLists(bound(context).handle, chain, 0);
  }
  static VOID send_complete(NDIS_HANDLE, PNET_BUFFER_LIST, ULONG) {}

  static VOID NTAPI unload(PDRIVER_OBJECT object) {
    FakeDriver& driver = *FakeDriver::of(*kernel::Driver::from_object(object));
    driver.note("Unload");
    if (driver.unload_routine) driver.unload_routine();
  }
};

NDIS_MINIPORT_DRIVER_CHARACTERISTICS FakeDriver::miniport6_characteristics(ULONG flags) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
              NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Flags = flags;
  c.InitializeHandlerEx = &Callbacks6::initialize;
  c.HaltHandlerEx = &Callbacks6::halt;
  c.UnloadHandler = &Callbacks6::unload;
  c.PauseHandler = &Callbacks6::pause;
  c.RestartHandler = &Callbacks6::restart;
  c.OidRequestHandler = &Callbacks6::oid_request;
  c.SendNetBufferListsHandler = &Callbacks6::send;
  c.ReturnNetBufferListsHandler = &Callbacks6::return_lists;
  c.CancelSendHandler = &Callbacks6::cancel_send;
  c.DevicePnPEventNotifyHandler = &Callbacks6::pnp_notify;
  c.ShutdownHandlerEx = &Callbacks6::shutdown;
  c.CancelOidRequestHandler = &Callbacks6::cancel_oid;
  return c;
}

NDIS_PROTOCOL_DRIVER_CHARACTERISTICS FakeDriver::protocol6_characteristics(UNICODE_STRING* name) {
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
              NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Name = *name;
  c.BindAdapterHandlerEx = &Callbacks6::bind;
  c.UnbindAdapterHandlerEx = &Callbacks6::unbind;
  c.OpenAdapterCompleteHandlerEx = &Callbacks6::open_complete;
  c.CloseAdapterCompleteHandlerEx = &Callbacks6::close_complete;
  c.NetPnPEventHandler = &Callbacks6::pnp;
  c.OidRequestCompleteHandler = &Callbacks6::oid_complete;
  c.StatusHandlerEx = &Callbacks6::status;
  c.ReceiveNetBufferListsHandler = &Callbacks6::receive;
  c.SendNetBufferListsCompleteHandler = &Callbacks6::send_complete;
  c.DirectOidRequestCompleteHandler = &Callbacks6::direct_complete;
  return c;
}

NDIS_STATUS FakeDriver::register_miniport6(ULONG flags) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c = miniport6_characteristics(flags);
  if (on_check_for_hang) c.CheckForHangHandlerEx = &Callbacks6::check_for_hang;
  if (on_check_for_hang || on_reset) c.ResetHandlerEx = &Callbacks6::reset;
  if (on_direct_request) c.DirectOidRequestHandler = &Callbacks6::direct_request;
  if (on_direct_request) c.CancelDirectOidRequestHandler = &Callbacks6::cancel_direct;
  if (on_set_options) c.SetOptionsHandler = &Callbacks6::set_options;
  if (on_synchronous_request) {
    c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3;
    c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3;
    c.MinorNdisVersion = 80;
    c.SynchronousOidRequestHandler = &Callbacks6::synchronous_request;
  }
  if (miniport6) miniport6(c);
  return NdisMRegisterMiniportDriver(driver_.object(), driver_.registry_path(), this, &c, &miniport);
}

NDIS_STATUS FakeDriver::register_protocol6(std::string_view name) {
  const WideString wide(kernel::to_utf16(name));
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c = protocol6_characteristics(wide.get());
  if (protocol6) protocol6(c);
  return NdisRegisterProtocolDriver(this, &c, &protocol);
}

}  // namespace undis::lab
