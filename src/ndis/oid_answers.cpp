// SPDX-License-Identifier: MIT
//
// OIDs that NDIS answers or changes itself: what a 6.x miniport said in its attributes, and the filters
// merged over bindings. Pages: network/ndis-general-objects ("NDIS and overlying drivers"),
// network/oid-gen-current-packet-filter, network/oid-802-3-multicast-list.
#include <algorithm>
#include <cstring>

#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/oid_queue.h"

namespace undis {
namespace {

/// Puts `size` bytes into a query's buffer, or says how many are needed.
NDIS_STATUS answer(NDIS_OID_REQUEST& request, const void* data, std::size_t size) {
  auto& query = request.DATA.QUERY_INFORMATION;
  query.BytesNeeded = static_cast<UINT>(size);
  query.BytesWritten = 0;
  if (query.InformationBufferLength < size) return NDIS_STATUS_INVALID_LENGTH;
  if (size != 0) std::memcpy(query.InformationBuffer, data, size);
  query.BytesWritten = static_cast<UINT>(size);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS answer(NDIS_OID_REQUEST& request, std::uint64_t number) {
  const auto value = static_cast<ULONG>(number);
  return answer(request, &value, sizeof(value));
}

NDIS_STATUS answer(NDIS_OID_REQUEST& request, const std::vector<std::uint8_t>& structure) {
  return structure.empty() ? NDIS_STATUS_NOT_RECOGNIZED : answer(request, structure.data(), structure.size());
}

NDIS_STATUS answer_link_state(NDIS_OID_REQUEST& request, const AdapterTraits& traits) {
  NDIS_LINK_STATE state{};
  state.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_LINK_STATE_REVISION_1, NDIS_SIZEOF_LINK_STATE_REVISION_1};
  state.MediaConnectState = static_cast<NET_IF_MEDIA_CONNECT_STATE>(traits.connect_state);
  state.MediaDuplexState = static_cast<NET_IF_MEDIA_DUPLEX_STATE>(traits.duplex_state);
  state.XmitLinkSpeed = traits.transmit_speed;
  state.RcvLinkSpeed = traits.receive_speed;
  state.PauseFunctions = NdisPauseFunctionsUnknown;
  return answer(request, &state, sizeof(state));
}

NDIS_STATUS answer_ports(NDIS_OID_REQUEST& request, const PortTable& ports) {
  const std::vector<NDIS_PORT_CHARACTERISTICS> active = ports.active();
  std::vector<std::uint8_t> bytes(offsetof(NDIS_PORT_ARRAY, Ports) +
                                  active.size() * sizeof(NDIS_PORT_CHARACTERISTICS));
  NDIS_PORT_ARRAY head{};
  head.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_PORT_ARRAY_REVISION_1, NDIS_SIZEOF_PORT_ARRAY_REVISION_1};
  head.NumberOfPorts = static_cast<ULONG>(active.size());
  head.OffsetFirstPort = offsetof(NDIS_PORT_ARRAY, Ports);
  head.ElementSize = sizeof(NDIS_PORT_CHARACTERISTICS);
  std::memcpy(bytes.data(), &head, offsetof(NDIS_PORT_ARRAY, Ports));
  if (!active.empty())
    std::memcpy(bytes.data() + offsetof(NDIS_PORT_ARRAY, Ports), active.data(),
                active.size() * sizeof(NDIS_PORT_CHARACTERISTICS));
  return answer(request, bytes.data(), bytes.size());
}

NDIS_STATUS answer_from_attributes(NDIS_OID_REQUEST& request, const Adapter& adapter) {
  const AdapterTraits& traits = adapter.traits();
  constexpr std::uint64_t kSpeedUnit = 100;  // OID_GEN_LINK_SPEED counts 100 bit/s
  constexpr ULONG kEthernetHeader = 14;
  switch (request.DATA.QUERY_INFORMATION.Oid) {
  case OID_GEN_SUPPORTED_LIST:
    return answer(request, traits.supported_oids.data(), traits.supported_oids.size() * sizeof(NDIS_OID));
  case OID_GEN_MEDIA_SUPPORTED:
  case OID_GEN_MEDIA_IN_USE:
    return answer(request, traits.medium);
  case OID_GEN_PHYSICAL_MEDIUM:
  case OID_GEN_PHYSICAL_MEDIUM_EX:
    return answer(request, traits.physical_medium);
  case OID_GEN_MAXIMUM_FRAME_SIZE:
    return answer(request, traits.mtu);
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
    return traits.medium == NdisMedium802_3 ? answer(request, traits.mtu + kEthernetHeader)
                                            : NDIS_STATUS_NOT_RECOGNIZED;
  case OID_GEN_MAXIMUM_LOOKAHEAD:
    return answer(request, traits.lookahead);
  case OID_GEN_LINK_SPEED:
    return answer(request, traits.transmit_speed / kSpeedUnit);
  case OID_GEN_LINK_SPEED_EX:
  case OID_GEN_MAX_LINK_SPEED: {
    const bool now = request.DATA.QUERY_INFORMATION.Oid == OID_GEN_LINK_SPEED_EX;
    const std::uint64_t speeds[] = {now ? traits.transmit_speed : traits.max_transmit_speed,
                                    now ? traits.receive_speed : traits.max_receive_speed};
    return answer(request, speeds, sizeof(speeds));
  }
  case OID_GEN_LINK_STATE:
    return answer_link_state(request, traits);
  case OID_GEN_MAC_OPTIONS:
    return answer(request, traits.mac_options);
  case OID_GEN_MEDIA_CONNECT_STATUS:
    return answer(request, traits.connect_state == MediaConnectStateDisconnected ? NdisMediaStateDisconnected
                                                                                 : NdisMediaStateConnected);
  case OID_GEN_MEDIA_CONNECT_STATUS_EX:
    return answer(request, traits.connect_state);
  case OID_GEN_MEDIA_DUPLEX_STATE:
    return answer(request, traits.duplex_state);
  case OID_GEN_DRIVER_VERSION: {
    const Version version = adapter.driver().version();
    const auto number = static_cast<USHORT>(version.major << 8 | version.minor);
    return answer(request, &number, sizeof(number));
  }
  case OID_GEN_ENUMERATE_PORTS:
    return answer_ports(request, adapter.ports);
  case OID_GEN_RECEIVE_SCALE_CAPABILITIES:
    return answer(request, traits.rss_capabilities);
  case OID_PNP_CAPABILITIES:
    return answer(request, traits.pnp_capabilities);
  case OID_PM_HARDWARE_CAPABILITIES:
  case OID_PM_CURRENT_CAPABILITIES:
    return answer(request, traits.pm_capabilities);
  case OID_TCP_OFFLOAD_CURRENT_CONFIG:
    return answer(request, traits.offload_default);
  case OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES:
    return answer(request, traits.offload_hardware);
  case OID_802_3_PERMANENT_ADDRESS:
    return answer(request, traits.permanent_address.data(), traits.address_length);
  case OID_802_3_CURRENT_ADDRESS:
    return answer(request, traits.current_address.data(), traits.address_length);
  case OID_802_3_MAXIMUM_LIST_SIZE:
    return answer(request, traits.max_multicast_list);
  default:
    return NDIS_STATUS_NOT_RECOGNIZED;
  }
}

}  // namespace

NDIS_STATUS OidQueue::answer_itself(OidJob& job, bool for_miniport) {
  NDIS_OID_REQUEST& request = job.own_;
  Binding* const source = job.source();
  if (request.RequestType == NdisRequestQueryInformation) {
    NDIS_STATUS status = NDIS_STATUS_NOT_RECOGNIZED;
    if (source != nullptr && request.DATA.QUERY_INFORMATION.Oid == OID_GEN_CURRENT_PACKET_FILTER) {
      status = answer(request, source->packet_filter.load());
    } else if (for_miniport && adapter_.is_version6()) {
      status = answer_from_attributes(request, adapter_);
    }
    job.answered_by_ndis_ = status != NDIS_STATUS_NOT_RECOGNIZED;
    return status;
  }
  if (request.RequestType != NdisRequestSetInformation || source == nullptr)
    return NDIS_STATUS_NOT_RECOGNIZED;

  auto& set = request.DATA.SET_INFORMATION;
  const auto answered = [&](NDIS_STATUS status, UINT needed) {
    job.answered_by_ndis_ = true;
    set.BytesRead = status == NDIS_STATUS_SUCCESS ? set.InformationBufferLength : 0;
    set.BytesNeeded = needed;
    return status;
  };
  constexpr std::size_t kAddress = 6;
  switch (set.Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER: {
    if (set.InformationBufferLength < sizeof(ULONG))
      return answered(NDIS_STATUS_INVALID_LENGTH, sizeof(ULONG));
    // A clear that the miniport refuses is one all the same: this binding gets nothing any more.
    job.undo_ = [this, source, before = source->packet_filter.load(), applied = adapter_.applied_filter] {
      if (!source->close_called() && source->packet_filter != 0) source->set_packet_filter(before);
      adapter_.applied_filter = applied;
    };
    ULONG filter = 0;
    std::memcpy(&filter, set.InformationBuffer, sizeof(filter));
    source->set_packet_filter(filter);
    job.merged_filter_ = adapter_.merged_filter();
    if (job.merged_filter_ == adapter_.applied_filter) return answered(NDIS_STATUS_SUCCESS, 0);
    adapter_.applied_filter = job.merged_filter_;
    set.InformationBuffer = &job.merged_filter_;
    set.InformationBufferLength = sizeof(ULONG);
    return NDIS_STATUS_NOT_RECOGNIZED;
  }
  case OID_802_3_MULTICAST_LIST: {
    if (set.InformationBufferLength % kAddress != 0)
      return answered(NDIS_STATUS_INVALID_LENGTH,
                      static_cast<UINT>((set.InformationBufferLength / kAddress + 1) * kAddress));
    job.undo_ = [this, source, list = source->multicast_list.addresses(),
                 applied = adapter_.applied_multicast] {
      if (!source->close_called() && !source->multicast_list.empty()) source->multicast_list.set(list);
      adapter_.applied_multicast = applied;
    };
    const auto* const list = static_cast<const std::uint8_t*>(set.InformationBuffer);
    source->multicast_list.set({list, list + set.InformationBufferLength});
    job.merged_multicast_ = adapter_.merged_multicast();
    if (job.merged_multicast_ == adapter_.applied_multicast) return answered(NDIS_STATUS_SUCCESS, 0);
    adapter_.applied_multicast = job.merged_multicast_;
    set.InformationBuffer = job.merged_multicast_.data();
    set.InformationBufferLength = static_cast<UINT>(job.merged_multicast_.size());
    return NDIS_STATUS_NOT_RECOGNIZED;
  }
  case OID_GEN_CURRENT_LOOKAHEAD: {
    if (set.InformationBufferLength < sizeof(ULONG))
      return answered(NDIS_STATUS_INVALID_LENGTH, sizeof(ULONG));
    job.undo_ = [this, source, lookahead = source->lookahead, applied = adapter_.applied_lookahead] {
      if (!source->close_called()) source->lookahead = lookahead;
      adapter_.applied_lookahead = applied;
    };
    std::memcpy(&source->lookahead, set.InformationBuffer, sizeof(ULONG));
    job.merged_lookahead_ = adapter_.merged_lookahead();
    if (job.merged_lookahead_ == adapter_.applied_lookahead) return answered(NDIS_STATUS_SUCCESS, 0);
    adapter_.applied_lookahead = job.merged_lookahead_;
    set.InformationBuffer = &job.merged_lookahead_;
    return NDIS_STATUS_NOT_RECOGNIZED;
  }
  default:
    return NDIS_STATUS_NOT_RECOGNIZED;
  }
}

}  // namespace undis
