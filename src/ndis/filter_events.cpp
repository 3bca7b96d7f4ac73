// SPDX-License-Identifier: MIT
//
// Status indications and plug-and-play events, from module to module.
//
// Beyond  Which events a filter that has no handler passes on: all, it is as if it were not there.
#include "ndis/filter_events.h"

#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"

namespace undis {
namespace {

using data_path::InCall;
using kernel::call_driver;

/// The answer to these decides; to all others it is not looked at.
bool is_query(NET_PNP_EVENT_CODE code) {
  return code == NetEventQueryPower || code == NetEventQueryRemoveDevice;
}

NDIS_STATUS call_net_pnp_event(FilterModule& module, NET_PNP_EVENT_NOTIFICATION& event) {
  return call_driver(&module.driver(), callbacks::kFilterNetPnPEvent, &module, nullptr,
                     module.filter().handlers().NetPnPEvent, module.context(), &event);
}

bool stands(const FilterModule& module) {
  const FilterState state = module.state();
  return state != FilterState::Detached && state != FilterState::Attaching;
}

}  // namespace

void indicate_status_up(Adapter& adapter, const FilterModule* from,
                        const NDIS_STATUS_INDICATION& indication) {
  const Ref<FilterModule> next = adapter.filters.next_above(
      from, [](const FilterModule& m) { return m.filter().handlers().Status && stands(m); });
  if (!next) {
    indicate_status_to_bindings(adapter, indication);
    return;
  }
  const InCall call(next->calls);
  NDIS_STATUS_INDICATION copy = indication;
  call_driver(&next->driver(), callbacks::kFilterStatus, next.get(), nullptr,
              next->filter().handlers().Status, next->context(), &copy);
}

NDIS_STATUS net_pnp_event_up(Adapter& adapter, const FilterModule* from,
                             const NET_PNP_EVENT_NOTIFICATION& event) {
  const Ref<FilterModule> next = adapter.filters.next_above(
      from, [](const FilterModule& m) { return m.filter().handlers().NetPnPEvent && stands(m); });
  if (next) {
    NET_PNP_EVENT_NOTIFICATION copy = event;
    return call_net_pnp_event(*next, copy);
  }
  const NET_PNP_EVENT& what = event.NetPnPEvent;
  for (const Ref<Binding>& binding : adapter.bindings()) {
    if (!binding->is_open()) continue;
    const NDIS_STATUS status = binding->notify(what.NetEvent, what.Buffer, what.BufferLength);
    if (is_query(what.NetEvent) && status != NDIS_STATUS_SUCCESS) return status;
    // How a 5.x protocol says that it knows no power management, and is to be unbound.
    if (what.NetEvent == NetEventSetPower && !binding->is_version6() && status == NDIS_STATUS_NOT_SUPPORTED)
      kernel::queue_work("unbind a protocol without power management", [binding] { binding->unbind(); });
  }
  return NDIS_STATUS_SUCCESS;
}

void device_pnp_event_down(Adapter& adapter, const FilterModule* from, NET_DEVICE_PNP_EVENT& event) {
  const Ref<FilterModule> next = adapter.filters.next_below(
      from, [](const FilterModule& m) { return m.filter().handlers().DevicePnPEventNotify && stands(m); });
  if (next) {
    call_driver(&next->driver(), callbacks::kFilterDevicePnPEventNotify, next.get(), nullptr,
                next->filter().handlers().DevicePnPEventNotify, next->context(), &event);
    return;
  }
  const MiniportDriver& miniport = adapter.driver();
  if (adapter.is_version6() && miniport.handlers6().DevicePnPEventNotify)
    call_driver(&miniport.driver(), callbacks::kMiniportDevicePnPEventNotify, &adapter, nullptr,
                miniport.handlers6().DevicePnPEventNotify, adapter.context(), &event);
  if (!adapter.is_version6() && miniport.handlers5().PnPEventNotify)
    call_driver(&miniport.driver(), callbacks::kMiniportPnPEventNotify, &adapter, nullptr,
                miniport.handlers5().PnPEventNotify, adapter.context(), event.DevicePnPEvent,
                event.InformationBuffer, event.InformationBufferLength);
}

void tell_pre_detach(FilterModule& module) {
  if (!module.filter().handlers().NetPnPEvent || !stands(module)) return;
  NET_PNP_EVENT_NOTIFICATION event{};
  event.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                  NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
  event.NetPnPEvent.NetEvent = NetEventFilterPreDetach;
  call_net_pnp_event(module, event);
}

}  // namespace undis
