// SPDX-License-Identifier: MIT
//
// The NDIS 5.1 half of fake drivers: characteristics, registrations, callbacks.
#include <cstring>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "lab/fake_driver.h"
#include "ndis/binding.h"
#include "ndis/strings.h"

namespace undis::lab {

struct FakeDriver::Callbacks5 {
  static FakeAdapter& self(NDIS_HANDLE context) { return *static_cast<FakeAdapter*>(context); }
  static FakeBinding& bound(NDIS_HANDLE context) { return *static_cast<FakeBinding*>(context); }

  // ---- miniport ----
  static NDIS_STATUS NTAPI initialize(PNDIS_STATUS, PUINT medium_index, PNDIS_MEDIUM media, UINT count,
                                      NDIS_HANDLE handle, NDIS_HANDLE) {
    const Ref<Adapter> real = Library::current().handles().find<Adapter>(handle);
    FakeDriver& driver = *FakeDriver::of(real->driver().driver());
    FakeAdapter& adapter = driver.new_adapter(handle);
    driver.note("MiniportInitialize " + adapter.name);
    if (kernel::irql() != PASSIVE_LEVEL) driver.complain("MiniportInitialize above PASSIVE_LEVEL");
    UINT index = 0;
    while (index < count && media[index] != NdisMedium802_3) ++index;
    if (index == count) return NDIS_STATUS_UNSUPPORTED_MEDIA;
    *medium_index = index;
    adapter.device_context = NdisIMGetDeviceContext(handle);
    const ULONG virtual_flags =
        real->is_virtual() ? NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER | NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND : 0;
    NdisMSetAttributesEx(handle, &adapter, driver.check_for_hang_seconds,
                         NDIS_ATTRIBUTE_DESERIALIZE | NDIS_ATTRIBUTE_BUS_MASTER | virtual_flags |
                             driver.attribute_flags5,
                         NdisInterfaceInternal);
    return driver.initialized(adapter);
  }

  static VOID NTAPI halt(NDIS_HANDLE context) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportHalt " + adapter.name);
    if (++adapter.halts != 1) adapter.driver->complain("a second MiniportHalt of " + adapter.name);
    adapter.state = FakeAdapter::State::Halted;
    if (adapter.driver->on_halt) adapter.driver->on_halt(adapter);
  }

  static VOID NTAPI shutdown(PVOID context) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportShutdown " + adapter.name);
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportShutdown after MiniportHalt");
    if (adapter.driver->on_shutdown) adapter.driver->on_shutdown(adapter);
  }

  static NDIS_STATUS NTAPI query(NDIS_HANDLE context, NDIS_OID oid, PVOID buffer, ULONG length,
                                 PULONG written, PULONG needed) {
    FakeAdapter& adapter = self(context);
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportQueryInformation after MiniportHalt");
    adapter.asked = {oid, true, buffer, length, written, needed, nullptr};
    if (adapter.driver->on_request) {
      *written = length;  // as a driver with an answer does
      return adapter.driver->on_request(adapter, oid, true);
    }
    static constexpr UCHAR kAddress[6] = {0x02, 0, 0, 0, 5, 1};
    ULONG number = 0;
    const void* data = &number;
    ULONG size = sizeof(number);
    switch (oid) {
    case OID_GEN_MAXIMUM_FRAME_SIZE:
      number = 1500;
      break;
    case OID_GEN_LINK_SPEED:
      number = 10'000'000;
      break;
    case OID_GEN_MEDIA_CONNECT_STATUS:
      number = NdisMediaStateConnected;
      break;
    case OID_802_3_PERMANENT_ADDRESS:
    case OID_802_3_CURRENT_ADDRESS:
      data = kAddress;
      size = sizeof(kAddress);
      break;
    default:
      return NDIS_STATUS_NOT_SUPPORTED;
    }
    *needed = size;
    if (length < size) return NDIS_STATUS_INVALID_LENGTH;
    std::memcpy(buffer, data, size);
    *written = size;
    return NDIS_STATUS_SUCCESS;
  }

  static NDIS_STATUS NTAPI set(NDIS_HANDLE context, NDIS_OID oid, PVOID buffer, ULONG length, PULONG read,
                               PULONG needed) {
    FakeAdapter& adapter = self(context);
    adapter.asked = {oid, false, buffer, length, read, needed, nullptr};
    if (adapter.state == FakeAdapter::State::Halted)
      adapter.driver->complain("MiniportSetInformation after MiniportHalt");
    if (oid == OID_GEN_CURRENT_PACKET_FILTER && length >= sizeof(ULONG)) {
      ULONG filter = 0;
      std::memcpy(&filter, buffer, sizeof(filter));
      adapter.driver->note(fmt::format("filter {} {:#x}", adapter.name, filter));
    }
    if (oid == OID_802_3_MULTICAST_LIST)
      adapter.driver->note(fmt::format("multicast {} {}", adapter.name, length / 6));
    *read = length;
    return adapter.driver->on_request ? adapter.driver->on_request(adapter, oid, false) : NDIS_STATUS_SUCCESS;
  }

  static NDIS_STATUS NTAPI reset(PBOOLEAN addressing, NDIS_HANDLE context) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportReset " + adapter.name);
    *addressing = FALSE;
    return adapter.driver->on_reset ? adapter.driver->on_reset(adapter, addressing) : NDIS_STATUS_SUCCESS;
  }
  static BOOLEAN NTAPI check_for_hang(NDIS_HANDLE context) {
    FakeAdapter& adapter = self(context);
    adapter.driver->note("MiniportCheckForHang " + adapter.name);
    return adapter.driver->on_check_for_hang(adapter) ? TRUE : FALSE;
  }
  static NDIS_STATUS NTAPI send(NDIS_HANDLE, PNDIS_PACKET, UINT) { return NDIS_STATUS_SUCCESS; }

  // ---- protocol ----
  static VOID NTAPI bind(PNDIS_STATUS status, NDIS_HANDLE bind_context, PNDIS_STRING device, PVOID, PVOID) {
    const auto* const object = static_cast<const Binding*>(kernel::current_callback()->object);
    FakeDriver& driver = *FakeDriver::of(object->driver());
    FakeBinding& binding = driver.bindings.emplace_back();
    binding.driver = &driver;
    binding.adapter = object->adapter().name();
    binding.bind_context = bind_context;
    binding.opened = std::make_unique<kernel::Event>("fake: open complete");
    binding.closed = std::make_unique<kernel::Event>("fake: close complete");
    driver.note("ProtocolBindAdapter " + binding.adapter);
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    NDIS_STATUS open_status = NDIS_STATUS_SUCCESS;
    UINT medium_index = 0;
    NdisOpenAdapter(status, &open_status, &binding.handle, &medium_index, media, 1, driver.protocol, &binding,
                    device, 0, nullptr);
    *status = driver.finish_bind(binding, *status);
    if (*status != NDIS_STATUS_SUCCESS && *status != NDIS_STATUS_PENDING && binding.open)
      close_and_wait(binding);
  }

  static VOID NTAPI open_complete(NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS) {
    bound(context).result = status;
    bound(context).opened->set();
  }

  static VOID NTAPI unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE unbind_context) {
    FakeBinding& binding = bound(context);
    binding.driver->note("ProtocolUnbindAdapter " + binding.adapter);
    binding.unbind_context = unbind_context;
    *status = binding.driver->unbound(binding);
  }

  static VOID NTAPI close_complete(NDIS_HANDLE context, NDIS_STATUS) {
    FakeBinding& binding = bound(context);
    if (++binding.close_completes != 1)
      binding.driver->complain("a second ProtocolCloseAdapterComplete of " + binding.adapter);
    binding.driver->note("ProtocolCloseAdapterComplete " + binding.adapter);
    binding.closed->set();
  }

  static NDIS_STATUS NTAPI pnp(NDIS_HANDLE context, PNET_PNP_EVENT event) {
    if (context == nullptr) return NDIS_STATUS_SUCCESS;
    FakeBinding& binding = bound(context);
    return binding.driver->on_pnp_event ? binding.driver->on_pnp_event(binding, event->NetEvent, event)
                                        : NDIS_STATUS_SUCCESS;
  }

  static VOID NTAPI send_complete(NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS) {}
  static VOID NTAPI transfer_complete(NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) {}
  static VOID NTAPI reset_complete(NDIS_HANDLE context, NDIS_STATUS status) {
    bound(context).result = status;
    bound(context).driver->note("ProtocolResetComplete " + bound(context).adapter);
  }
  static VOID NTAPI request_complete(NDIS_HANDLE context, PNDIS_REQUEST request, NDIS_STATUS status) {
    bound(context).result = status;
    bound(context).answered.push_back({request, status});
    bound(context).driver->note("ProtocolRequestComplete " + bound(context).adapter);
  }
  static NDIS_STATUS NTAPI receive(NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) {
    return NDIS_STATUS_NOT_ACCEPTED;
  }
  static VOID NTAPI receive_complete(NDIS_HANDLE) {}
  static VOID NTAPI status(NDIS_HANDLE context, NDIS_STATUS general, PVOID, UINT) {
    bound(context).driver->note(
        fmt::format("ProtocolStatus {} {:#x}", bound(context).adapter, static_cast<std::uint32_t>(general)));
  }
  static VOID NTAPI status_complete(NDIS_HANDLE) {}

  static VOID NTAPI unload(PDRIVER_OBJECT object) {
    FakeDriver& driver = *FakeDriver::of(*kernel::Driver::from_object(object));
    driver.note("Unload");
    if (driver.unload_routine) driver.unload_routine();
  }
};

NDIS51_MINIPORT_CHARACTERISTICS FakeDriver::miniport5_characteristics() {
  NDIS51_MINIPORT_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = &Callbacks5::initialize;
  c.HaltHandler = &Callbacks5::halt;
  c.QueryInformationHandler = &Callbacks5::query;
  c.SetInformationHandler = &Callbacks5::set;
  c.ResetHandler = &Callbacks5::reset;
  c.SendHandler = &Callbacks5::send;
  c.AdapterShutdownHandler = &Callbacks5::shutdown;
  return c;
}

NDIS50_PROTOCOL_CHARACTERISTICS FakeDriver::protocol5_characteristics(UNICODE_STRING* name) {
  NDIS50_PROTOCOL_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 0;
  c.Name = *name;
  c.OpenAdapterCompleteHandler = &Callbacks5::open_complete;
  c.CloseAdapterCompleteHandler = &Callbacks5::close_complete;
  c.SendCompleteHandler = &Callbacks5::send_complete;
  c.TransferDataCompleteHandler = &Callbacks5::transfer_complete;
  c.ResetCompleteHandler = &Callbacks5::reset_complete;
  c.RequestCompleteHandler = &Callbacks5::request_complete;
  c.ReceiveHandler = &Callbacks5::receive;
  c.ReceiveCompleteHandler = &Callbacks5::receive_complete;
  c.StatusHandler = &Callbacks5::status;
  c.StatusCompleteHandler = &Callbacks5::status_complete;
  c.BindAdapterHandler = &Callbacks5::bind;
  c.UnbindAdapterHandler = &Callbacks5::unbind;
  c.PnPEventHandler = &Callbacks5::pnp;
  return c;
}

void FakeDriver::initialize_wrapper() {
  NdisMInitializeWrapper(&wrapper, driver_.object(), driver_.registry_path(), nullptr);
}

NDIS_STATUS FakeDriver::register_miniport5() {
  NDIS51_MINIPORT_CHARACTERISTICS c = miniport5_characteristics();
  if (on_check_for_hang) c.CheckForHangHandler = &Callbacks5::check_for_hang;
  return NdisMRegisterMiniport(wrapper, &c, sizeof(c));
}

NDIS_STATUS FakeDriver::register_layered5() {
  NDIS51_MINIPORT_CHARACTERISTICS c = miniport5_characteristics();
  return NdisIMRegisterLayeredMiniport(wrapper, &c, sizeof(c), &miniport);
}

void FakeDriver::register_unload_handler() {
  NdisMRegisterUnloadHandler(wrapper, &Callbacks5::unload);
}

void FakeDriver::set_driver_unload() {
  driver_.object()->DriverUnload = &Callbacks5::unload;
}

NDIS_STATUS FakeDriver::register_protocol5(std::string_view name) {
  const WideString wide(kernel::to_utf16(name));
  NDIS50_PROTOCOL_CHARACTERISTICS c = protocol5_characteristics(wide.get());
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRegisterProtocol(&status, &protocol, &c, sizeof(c));
  return status;
}

NDIS_STATUS FakeDriver::deregister_protocol5() {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisDeregisterProtocol(&status, protocol);
  return status;
}

void FakeDriver::close_and_wait(FakeBinding& binding) {
  if (!binding.open) return;
  binding.open = false;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  const Ref<Binding> real = Library::current().handles().find<Binding>(binding.handle);
  if (real && real->is_version6()) {
    status = NdisCloseAdapterEx(binding.handle);
  } else {
    NdisCloseAdapter(&status, binding.handle);
  }
  if (status == NDIS_STATUS_PENDING) binding.closed->wait();
}

}  // namespace undis::lab
