// SPDX-License-Identifier: MIT
//
// Down to a low-power state and up again.
#include "ndis/power.h"

#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/library.h"
#include "ndis/net_event.h"

namespace undis {
namespace {

/// The miniport gets OID_PNP_SET_POWER; otherwise it is halted for the time of low power.
bool is_told(const Adapter& adapter) {
  static_assert(NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND != 0);
  const ULONG flag =
      adapter.is_version6() ? NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND : NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND;
  return adapter.traits().power_managed() || (adapter.attribute_flags() & flag) != 0;
}

/// A stack need not be paused if everything in it is of NDIS 6.30 and the miniport says that it can do
/// without.
bool needs_pause(const Adapter& adapter) {
  constexpr Version kFirst{6, 30};
  if (!is_told(adapter) || adapter.driver().version() < kFirst ||
      (adapter.attribute_flags() & NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND) == 0)
    return true;
  for (const Ref<Binding>& binding : adapter.bindings())
    if (binding->protocol().version() < kFirst) return true;
  return false;
}

NDIS_STATUS tell_miniport(Adapter& adapter, NDIS_OID oid, NDIS_DEVICE_POWER_STATE state) {
  const bool sets = oid == OID_PNP_SET_POWER;
  return adapter.oids.ask_now(sets ? NdisRequestSetInformation : NdisRequestQueryInformation, oid, &state,
                              sizeof(state));
}

void tell_protocols(const Adapter& adapter, NET_PNP_EVENT_CODE code, NDIS_DEVICE_POWER_STATE state) {
  auto to = static_cast<NET_DEVICE_POWER_STATE>(state);
  pass_event_up(adapter, code, &to, sizeof(to));
}

void go_down(Adapter& adapter, NDIS_DEVICE_POWER_STATE to) {
  tell_protocols(adapter, NetEventSetPower, to);
  if (adapter.is_low_power()) {  // from one low-power state to another
    if (!adapter.powered_down) tell_miniport(adapter, OID_PNP_SET_POWER, to);
    adapter.power_state = to;
    return;
  }
  adapter.suspend.stop();
  if (needs_pause(adapter)) pause_stack(adapter, NDIS_PAUSE_LOW_POWER);
  if (is_told(adapter)) {
    tell_miniport(adapter, OID_PNP_SET_POWER, to);
  } else {
    adapter.halt(NdisHaltDevicePoweredDown);  // its bindings stay (LIFE-322)
    adapter.powered_down = true;
  }
  adapter.power_state = to;
}

NDIS_STATUS go_up(Adapter& adapter) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (adapter.powered_down) {
    adapter.powered_down = false;
    status = adapter.initialize();
    adapter.power_state = NdisDeviceStateD0;
    if (status == NDIS_STATUS_SUCCESS) adapter.restore_settings();
  } else {
    status = tell_miniport(adapter, OID_PNP_SET_POWER, NdisDeviceStateD0);
    adapter.power_state = NdisDeviceStateD0;
    if (status != NDIS_STATUS_SUCCESS && !adapter.traits().power_managed())
      status = NDIS_STATUS_SUCCESS;  // it knows nothing of power
    if (status == NDIS_STATUS_SUCCESS) adapter.suspend.start();
  }
  if (status != NDIS_STATUS_SUCCESS) {
    remove_stack(adapter, NdisHaltDeviceFailed);
    return NDIS_STATUS_FAILURE;
  }
  restart_stack(adapter);
  tell_protocols(adapter, NetEventSetPower, NdisDeviceStateD0);
  ULONG profile = NdisPowerProfileAcOnLine;
  adapter.notify_device_event(NdisDevicePnPEventPowerProfileChanged, &profile, sizeof(profile));
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

NDIS_STATUS query_power(Adapter& adapter, NDIS_DEVICE_POWER_STATE to) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || !adapter.initialized()) return NDIS_STATUS_SUCCESS;
  auto state = static_cast<NET_DEVICE_POWER_STATE>(to);
  NDIS_STATUS status = pass_event_up(adapter, NetEventQueryPower, &state, sizeof(state));
  if (status == NDIS_STATUS_SUCCESS && adapter.traits().power_managed())
    status = tell_miniport(adapter, OID_PNP_QUERY_POWER, to);
  if (status != NDIS_STATUS_SUCCESS)
    tell_protocols(adapter, NetEventSetPower, adapter.power_state);  // which cancels the query
  return status;
}

NDIS_STATUS set_power(Adapter& adapter, NDIS_DEVICE_POWER_STATE to) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || (!adapter.initialized() && !adapter.powered_down)) return NDIS_STATUS_SUCCESS;
  if (to == adapter.power_state) {
    tell_protocols(adapter, NetEventSetPower, to);
    return NDIS_STATUS_SUCCESS;
  }
  if (to == NdisDeviceStateD0) return go_up(adapter);
  go_down(adapter, to);
  return NDIS_STATUS_SUCCESS;
}

}  // namespace undis
