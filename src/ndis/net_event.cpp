// SPDX-License-Identifier: MIT
//
// Passing events up, and the events by which a miniport steers its own stack.
#include "ndis/net_event.h"

#include <span>

#include <fmt/format.h>

#include "kernel/call.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/library.h"

namespace undis {

bool is_query(NET_PNP_EVENT_CODE code) noexcept {
  return code == NetEventQueryPower || code == NetEventQueryRemoveDevice;
}

NDIS_STATUS pass_event_up(const Adapter& adapter, NET_PNP_EVENT_CODE code, void* buffer, ULONG length) {
  for (const Ref<Binding>& binding : adapter.bindings()) {
    if (!binding->is_open()) continue;
    const NDIS_STATUS status = binding->notify(code, buffer, length);
    if (is_query(code) && status != NDIS_STATUS_SUCCESS) return status;
    // How a 5.x protocol says that it knows no power management, and is to be unbound.
    if (code == NetEventSetPower && !binding->is_version6() && status == NDIS_STATUS_NOT_SUPPORTED)
      kernel::queue_work("unbind a protocol without power management", [binding] { binding->unbind(); });
  }
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS notify_protocol(ProtocolDriver& protocol, NET_PNP_EVENT_CODE code, void* buffer, ULONG length) {
  const Ref<ProtocolDriver> alive(protocol);
  NET_PNP_EVENT_NOTIFICATION notification{};
  notification.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                         NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
  notification.NetPnPEvent.NetEvent = code;
  notification.NetPnPEvent.Buffer = buffer;
  notification.NetPnPEvent.BufferLength = length;
  if (protocol.is_version6()) {
    if (!protocol.begin_event(&notification)) return NDIS_STATUS_SUCCESS;
    const NDIS_STATUS status =
        kernel::call_driver(&protocol.driver(), callbacks::kProtocolNetPnPEvent, &protocol, nullptr,
                            protocol.handlers6().NetPnPEvent, static_cast<void*>(nullptr), &notification);
    return protocol.end_event(status);
  }
  if (!protocol.handlers5().PnPEvent || !protocol.begin_event(&notification.NetPnPEvent))
    return NDIS_STATUS_SUCCESS;
  const NDIS_STATUS status = kernel::call_driver(&protocol.driver(), callbacks::kProtocolPnPEvent, &protocol,
                                                 nullptr, protocol.handlers5().PnPEvent,
                                                 static_cast<void*>(nullptr), &notification.NetPnPEvent);
  return protocol.end_event(status);
}

// ---- ports ----

NDIS_STATUS activate_ports(Adapter& adapter, NDIS_PORT* list, ULONG length) {
  if (list == nullptr || length < sizeof(NDIS_PORT)) return NDIS_STATUS_INVALID_PARAMETER;
  const bool is_default = list->PortCharacteristics.PortNumber == PortTable::kDefaultPort;
  if (const NDIS_STATUS status = adapter.ports.activate(list); status != NDIS_STATUS_SUCCESS) return status;
  if (is_default) {
    // What has waited for the default port is bound now; inside MiniportInitializeEx that is done when it has
    // returned.
    if (adapter.initialized())
      kernel::queue_work("bind to an activated default port",
                         [alive = Ref<Adapter>(adapter)] { add_bindings(*alive); });
    return NDIS_STATUS_SUCCESS;
  }
  if (adapter.ports.is_active(PortTable::kDefaultPort))
    pass_event_up(adapter, NetEventPortActivation, list, length);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS deactivate_ports(Adapter& adapter, const NDIS_PORT_NUMBER* numbers, ULONG length) {
  const std::size_t count = length / sizeof(NDIS_PORT_NUMBER);
  if (numbers == nullptr || count == 0) return NDIS_STATUS_INVALID_PARAMETER;
  const std::span<const NDIS_PORT_NUMBER> ports(numbers, count);
  const bool is_default = count == 1 && ports.front() == PortTable::kDefaultPort;
  if (const NDIS_STATUS status = adapter.ports.deactivate(ports); status != NDIS_STATUS_SUCCESS)
    return status;
  if (is_default) {
    close_bindings(adapter);
  } else {
    pass_event_up(adapter, NetEventPortDeactivation, const_cast<NDIS_PORT_NUMBER*>(numbers), length);
  }
  return NDIS_STATUS_SUCCESS;
}

// ---- NDIS 6.50: a miniport that steers its stack ----

NDIS_STATUS apply_stack_event(Adapter& adapter, NET_PNP_EVENT_CODE code) {
  switch (code) {
  case NetEventInhibitBindsAbove:
    adapter.binds_inhibited = true;
    close_bindings(adapter);
    break;
  case NetEventAllowBindsAbove:
    adapter.binds_inhibited = false;
    if (adapter.initialized())
      kernel::queue_work("bind above again", [alive = Ref<Adapter>(adapter)] { add_bindings(*alive); });
    break;
  case NetEventRequirePause:
    adapter.start_inhibited = true;
    pause_stack(adapter);
    break;
  case NetEventAllowStart:
    adapter.start_inhibited = false;
    if (adapter.initialized())
      kernel::queue_work("restart a stack", [alive = Ref<Adapter>(adapter)] { restart_stack(*alive); });
    break;
  default:
    return NDIS_STATUS_INVALID_PARAMETER;
  }
  return NDIS_STATUS_SUCCESS;
}

}  // namespace undis
