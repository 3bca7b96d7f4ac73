// SPDX-License-Identifier: MIT
//
// Device power states of an adapter, and what happens to the stack on it.
// Pages: network/oid-pnp-set-power, network/power-management-for-old-miniport-drivers,
// network/handling-pnp-events-and-power-management-events-in-a-protocol-driver,
// ndis/ns-ndis-_ndis_miniport_adapter_registration_attributes.
#pragma once

#include <ndis.h>

namespace undis {

class Adapter;

/// IRP_MN_QUERY_POWER: protocols are asked, then a power-managed miniport. Always followed by set_power(); if
/// the answer is no, it is the call with the state that the adapter is in. PASSIVE_LEVEL.
NDIS_STATUS query_power(Adapter& adapter, NDIS_DEVICE_POWER_STATE to);

/// IRP_MN_SET_POWER. Down: protocols are told, the stack is paused, the miniport is told or halted. Up: the
/// reverse. FAILURE: the miniport could not come back to full power, and its stack is gone. PASSIVE_LEVEL.
NDIS_STATUS set_power(Adapter& adapter, NDIS_DEVICE_POWER_STATE to);

}  // namespace undis
