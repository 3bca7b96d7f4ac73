// SPDX-License-Identifier: MIT
//
// What NDIS does with a whole stack (miniport adapter and the bindings on it), in the documented order.
// Pages: network/{starting,stopping,pausing,restarting}-a-driver-stack, network/miniport-adapter-removal.
#pragma once

#include <ndis.h>

#include "ndis/adapter.h"

namespace undis {

/// Initialises the adapter, binds the protocols that want it, restarts. SUCCESS, or why MiniportInitialize(Ex) failed. PASSIVE_LEVEL.
NDIS_STATUS start_stack(Adapter& adapter);
/// Binds the protocols that want this adapter and have no binding to it; pauses and restarts the stack around it. PASSIVE_LEVEL.
void add_bindings(Adapter& adapter);
/// Protocols first, then the miniport. PASSIVE_LEVEL.
void pause_stack(Adapter& adapter);
/// The miniport first, then protocols. PASSIVE_LEVEL.
NDIS_STATUS restart_stack(Adapter& adapter);
/// Pauses, unbinds all, halts. Called again from inside itself (a driver's callback) it returns false at once; called by
/// another thread meanwhile it waits for the first. PASSIVE_LEVEL.
bool remove_stack(Adapter& adapter, NDIS_HALT_ACTION reason);
/// The same for any adapter, virtual miniports included, as PnP does it when the device or its driver goes away.
bool remove_device(Adapter& adapter);

}  // namespace undis
