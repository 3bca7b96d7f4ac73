// SPDX-License-Identifier: MIT
//
// What NDIS does with a whole stack (miniport adapter, the filter modules on it, the bindings on top), in the
// documented order. Pages: network/{starting,stopping,pausing,restarting}-a-driver-stack,
// network/miniport-adapter-removal.
#pragma once

#include <ndis.h>

#include "ndis/adapter.h"
#include "ndis/filter_driver.h"

namespace undis {

/// Initialises the adapter, binds the protocols that want it, restarts. SUCCESS, or why
/// MiniportInitialize(Ex) failed. PASSIVE_LEVEL.
NDIS_STATUS start_stack(Adapter& adapter);
/// Binds the protocols that want this adapter and have no binding to it; pauses and restarts the stack around
/// it. PASSIVE_LEVEL.
void add_bindings(Adapter& adapter);
/// Attaches the modules of filter drivers that this adapter has not got; pauses and restarts the stack around
/// it, and unbinds and binds all protocols if a mandatory one is among them. PASSIVE_LEVEL.
void add_filters(Adapter& adapter);
/// Detaches the modules of `filter`, in the same way.
void remove_filter(Adapter& adapter, FilterDriver& filter);
/// Protocols, then filters from the top, then the miniport. PASSIVE_LEVEL. `reason`: NDIS_PAUSE_...
void pause_stack(Adapter& adapter, ULONG reason = NDIS_PAUSE_NDIS_INTERNAL);
/// The miniport, then filters from the bottom, then protocols. PASSIVE_LEVEL. A filter that does not restart
/// is detached; the whole stack goes if it was a mandatory one.
NDIS_STATUS restart_stack(Adapter& adapter);
/// Pauses and restarts.
void cycle_stack(Adapter& adapter, ULONG reason);
/// Pauses, unbinds all, halts. Called again from inside itself (a driver's callback) it returns false at
/// once; called by another thread meanwhile it waits for the first. PASSIVE_LEVEL.
bool remove_stack(Adapter& adapter, NDIS_HALT_ACTION reason);
/// Pauses, unbinds all, halts; the adapter stays and may be started again. The caller has claimed the stack.
bool take_down_stack(Adapter& adapter, NDIS_HALT_ACTION reason, ULONG pause_reason);
/// Pauses, unbinds all protocols and restarts: nothing is bound, nor will be as long as bindings are not
/// allowed. PASSIVE_LEVEL.
void close_bindings(Adapter& adapter);

}  // namespace undis
