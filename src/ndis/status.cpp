// SPDX-License-Identifier: MIT
//
// Status indications of miniports, to the bindings of both generations.
//
// Pages   ndis/nf-ndis-ndismindicatestatusex, ndis/nf-ndis-ndismindicatestatus,
// network/ndis-status-link-state,
//         network/ndis-status-media-connect, network/ndis-status-link-speed-change
// Beyond  NDIS_STATUS_LINK_STATE (6.x) stands for NDIS_STATUS_MEDIA_CONNECT, _DISCONNECT and
// _LINK_SPEED_CHANGE (5.x) and the other way
//         round; every other code goes across as it is. docs/decisions.md#status
#include <cstring>

#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_events.h"

namespace undis {
namespace {

using data_path::InCall;

void call_status6(Binding& to, const NDIS_STATUS_INDICATION& indication) {
  const InCall call(to.calls);
  if (!call) return;
  NDIS_STATUS_INDICATION copy = indication;
  kernel::call_driver(&to.driver(), callbacks::kProtocolStatusEx, &to, nullptr,
                      to.protocol().handlers6().Status, to.context(), &copy);
}

void call_status5(Binding& to, NDIS_STATUS status, void* buffer, UINT length) {
  const InCall call(to.calls);
  if (!call || !to.protocol().handlers5().Status) return;
  kernel::call_driver(&to.driver(), callbacks::kProtocolStatus, &to, nullptr,
                      to.protocol().handlers5().Status, to.context(), status, buffer, length);
}

void call_status_complete5(Binding& to) {
  const InCall call(to.calls);
  if (!call || !to.protocol().handlers5().StatusComplete) return;
  kernel::call_driver(&to.driver(), callbacks::kProtocolStatusComplete, &to, nullptr,
                      to.protocol().handlers5().StatusComplete, to.context());
}

NDIS_STATUS_INDICATION make_indication(const Adapter& by, NDIS_STATUS code, void* buffer, ULONG length) {
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.SourceHandle = by.handle();
  indication.StatusCode = code;
  indication.StatusBuffer = buffer;
  indication.StatusBufferSize = length;
  return indication;
}

NDIS_LINK_STATE link_state(const AdapterTraits& traits) {
  NDIS_LINK_STATE state{};
  state.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_LINK_STATE_REVISION_1, NDIS_SIZEOF_LINK_STATE_REVISION_1};
  state.MediaConnectState = static_cast<NET_IF_MEDIA_CONNECT_STATE>(traits.connect_state);
  state.MediaDuplexState = MediaDuplexStateUnknown;
  state.XmitLinkSpeed = traits.transmit_speed;
  state.RcvLinkSpeed = traits.receive_speed;
  state.PauseFunctions = NdisPauseFunctionsUnknown;
  return state;
}

/// What a link state says to 5.x protocols: what has changed, one code each.
void tell5_of_link(Binding& to, const AdapterTraits& before, const AdapterTraits& now) {
  if (now.connect_state != before.connect_state && now.connect_state != MediaConnectStateUnknown) {
    call_status5(to,
                 now.connect_state == MediaConnectStateConnected ? NDIS_STATUS_MEDIA_CONNECT
                                                                 : NDIS_STATUS_MEDIA_DISCONNECT,
                 nullptr, 0);
    call_status_complete5(to);
  }
  if (now.transmit_speed != before.transmit_speed) {
    constexpr std::uint64_t kUnit = 100;  // bit/s
    auto speed = static_cast<ULONG>(now.transmit_speed / kUnit);
    call_status5(to, NDIS_STATUS_LINK_SPEED_CHANGE, &speed, sizeof(speed));
    call_status_complete5(to);
  }
}

/// True if the indication says what the link is now; noted in `traits`.
bool read_link(const NDIS_STATUS_INDICATION& indication, AdapterTraits& traits) {
  if (indication.StatusCode != NDIS_STATUS_LINK_STATE || indication.StatusBuffer == nullptr ||
      indication.StatusBufferSize < NDIS_SIZEOF_LINK_STATE_REVISION_1)
    return false;
  NDIS_LINK_STATE state;
  std::memcpy(&state, indication.StatusBuffer, sizeof(state));
  traits.connect_state = static_cast<NDIS_MEDIA_CONNECT_STATE>(state.MediaConnectState);
  traits.transmit_speed = state.XmitLinkSpeed;
  traits.receive_speed = state.RcvLinkSpeed;
  return true;
}

void status_to_bindings(Adapter& by, const NDIS_STATUS_INDICATION& indication, const AdapterTraits& before);

}  // namespace

void indicate_status6(Adapter& by, const NDIS_STATUS_INDICATION& indication) {
  AdapterTraits& traits = by.traits();
  const AdapterTraits before = traits;
  read_link(indication, traits);
  if (by.filters.empty()) {
    status_to_bindings(by, indication, before);
  } else {
    by.filters.link_before = {before.connect_state, before.transmit_speed};
    indicate_status_up(by, nullptr, indication);
  }
}

void indicate_status_to_bindings(Adapter& adapter, const NDIS_STATUS_INDICATION& indication) {
  AdapterTraits before = adapter.traits();
  before.connect_state = adapter.filters.link_before.connect_state;
  before.transmit_speed = adapter.filters.link_before.transmit_speed;
  status_to_bindings(adapter, indication, before);
}

namespace {

/// `before`: what 5.x bindings know of the link.
void status_to_bindings(Adapter& by, const NDIS_STATUS_INDICATION& indication, const AdapterTraits& before) {
  AdapterTraits now = by.traits();
  const bool link = read_link(indication, now);
  for (const Ref<Binding>& binding : by.bindings()) {
    if (!binding->is_open()) continue;
    if (indication.DestinationHandle != nullptr && indication.DestinationHandle != binding->handle())
      continue;
    if (binding->is_version6()) {
      call_status6(*binding, indication);
    } else if (link) {
      tell5_of_link(*binding, before, now);
    } else {
      call_status5(*binding, indication.StatusCode, indication.StatusBuffer, indication.StatusBufferSize);
      call_status_complete5(*binding);
    }
  }
}

}  // namespace

void indicate_status5(Adapter& by, NDIS_STATUS status, void* buffer, UINT length) {
  AdapterTraits& traits = by.traits();
  const AdapterTraits before = traits;
  bool link = true;
  if (status == NDIS_STATUS_MEDIA_CONNECT) {
    traits.connect_state = MediaConnectStateConnected;
  } else if (status == NDIS_STATUS_MEDIA_DISCONNECT) {
    traits.connect_state = MediaConnectStateDisconnected;
  } else if (status == NDIS_STATUS_LINK_SPEED_CHANGE && buffer != nullptr && length >= sizeof(ULONG)) {
    constexpr std::uint64_t kUnit = 100;
    ULONG speed = 0;
    std::memcpy(&speed, buffer, sizeof(speed));
    traits.transmit_speed = traits.receive_speed = speed * kUnit;
  } else {
    link = false;
  }
  NDIS_LINK_STATE state = link_state(traits);
  const NDIS_STATUS_INDICATION indication =
      link ? make_indication(by, NDIS_STATUS_LINK_STATE, &state, sizeof(state))
           : make_indication(by, status, buffer, length);
  if (!by.filters.empty()) {  // filters see what a 6.x miniport would say
    by.filters.link_before = {before.connect_state, before.transmit_speed};
    indicate_status_up(by, nullptr, indication);
    return;
  }
  for (const Ref<Binding>& binding : by.bindings()) {
    if (!binding->is_open()) continue;
    if (binding->is_version6()) {
      call_status6(*binding, indication);
    } else {
      call_status5(*binding, status, buffer, length);
    }
  }
}

void indicate_status_complete5(Adapter& by) {
  for (const Ref<Binding>& binding : by.bindings())
    if (binding->is_open() && !binding->is_version6()) call_status_complete5(*binding);
}

}  // namespace undis
