// SPDX-License-Identifier: MIT
//
// Bundles of NDIS 5 miniports (load balancing and failover): protocols see the primary only.
//
// Pages   none is published any more; network/specifying-bundle-membership has the INF's side.
// docs/decisions.md#bundles
#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/net_event.h"

using namespace undis;

namespace {

Ref<Adapter> find(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  return call.find<Adapter>(argument, handle, HandleKind::Adapter);
}

}  // namespace

// IRQL    PASSIVE_LEVEL
NDIS_STATUS NdisMSetMiniportSecondary(NDIS_HANDLE MiniportHandle, NDIS_HANDLE PrimaryMiniportHandle) {
  const DdiCall call(Ddi::NdisMSetMiniportSecondary);
  const Ref<Adapter> adapter = find(call, "MiniportHandle", MiniportHandle);
  const Ref<Adapter> primary = find(call, "PrimaryMiniportHandle", PrimaryMiniportHandle);
  if (!adapter || !primary || adapter == primary) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(apply_stack_event(*adapter, NetEventInhibitBindsAbove));
}

// IRQL    PASSIVE_LEVEL
NDIS_STATUS NdisMPromoteMiniport(NDIS_HANDLE MiniportHandle) {
  const DdiCall call(Ddi::NdisMPromoteMiniport);
  const Ref<Adapter> adapter = find(call, "MiniportHandle", MiniportHandle);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(apply_stack_event(*adapter, NetEventAllowBindsAbove));
}
