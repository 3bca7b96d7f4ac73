// SPDX-License-Identifier: MIT
//
// Network plug and play events on their way up a stack, to whoever is bound to an adapter.
// Pages: ndis/nc-ndis-protocol_net_pnp_event, ndis/nf-ndis-ndismnetpnpevent.
#pragma once

#include <ndis.h>

namespace undis {

class Adapter;
class ProtocolDriver;

/// The answer to these decides; to all others it is not looked at (LIFE-306).
bool is_query(NET_PNP_EVENT_CODE code) noexcept;
/// To each binding on the adapter, oldest first, until one refuses a query: then what it said. PASSIVE_LEVEL.
NDIS_STATUS pass_event_up(const Adapter& adapter, NET_PNP_EVENT_CODE code, void* buffer, ULONG length);
/// An event for a protocol as a whole: its binding context is NULL. Waits for a pended answer. PASSIVE_LEVEL.
NDIS_STATUS notify_protocol(ProtocolDriver& protocol, NET_PNP_EVENT_CODE code, void* buffer, ULONG length);
/// NdisMNetPnPEvent(NetEventPortActivation, NetEventPortDeactivation): what becomes of the ports, and of the
/// bindings.
NDIS_STATUS activate_ports(Adapter& adapter, NDIS_PORT* list, ULONG length);
NDIS_STATUS deactivate_ports(Adapter& adapter, const NDIS_PORT_NUMBER* numbers, ULONG length);
/// NdisMNetPnPEvent(NetEventInhibitBindsAbove, NetEventAllowBindsAbove, NetEventRequirePause,
/// NetEventAllowStart).
NDIS_STATUS apply_stack_event(Adapter& adapter, NET_PNP_EVENT_CODE code);

}  // namespace undis
