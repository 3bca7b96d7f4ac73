// SPDX-License-Identifier: MIT
//
// Status indications and plug-and-play events on their way through the filter modules of an adapter.
// Pages: network/filter-module-status-indications, network/filter-module-pnp-event-notifications.
#pragma once

#include <ndis.h>

namespace undis {

class Adapter;
class FilterModule;

/// Up from `from` (nullptr: the miniport): FilterStatus of the next module that has one, else the bindings.
void indicate_status_up(Adapter& adapter, const FilterModule* from, const NDIS_STATUS_INDICATION& indication);
/// Up: FilterNetPnPEvent of the next module that has one, else every binding; the first refusal of a query
/// ends it. PASSIVE_LEVEL.
NDIS_STATUS net_pnp_event_up(Adapter& adapter, const FilterModule* from,
                             const NET_PNP_EVENT_NOTIFICATION& event);
/// Down: FilterDevicePnPEventNotify of the next module that has one, else MiniportDevicePnPEventNotify.
/// PASSIVE_LEVEL.
void device_pnp_event_down(Adapter& adapter, const FilterModule* from, NET_DEVICE_PNP_EVENT& event);
/// NetEventFilterPreDetach, to that module only.
void tell_pre_detach(FilterModule& module);

}  // namespace undis
