// SPDX-License-Identifier: MIT
//
// OIDs that NDIS answers or changes itself: what a 6.x miniport said in its attributes, and the filters merged over bindings.
// Pages: network/ndis-general-objects ("NDIS and overlying drivers"), network/oid-gen-current-packet-filter, network/oid-802-3-multicast-list.
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

NDIS_STATUS answer_from_attributes(NDIS_OID_REQUEST& request, const AdapterTraits& traits) {
  constexpr std::uint64_t kSpeedUnit = 100;  // OID_GEN_LINK_SPEED counts 100 bit/s
  switch (request.DATA.QUERY_INFORMATION.Oid) {
    case OID_GEN_SUPPORTED_LIST: return answer(request, traits.supported_oids.data(), traits.supported_oids.size() * sizeof(NDIS_OID));
    case OID_GEN_MEDIA_SUPPORTED:
    case OID_GEN_MEDIA_IN_USE: return answer(request, traits.medium);
    case OID_GEN_PHYSICAL_MEDIUM: return answer(request, traits.physical_medium);
    case OID_GEN_MAXIMUM_FRAME_SIZE: return answer(request, traits.mtu);
    case OID_GEN_MAXIMUM_LOOKAHEAD: return answer(request, traits.lookahead);
    case OID_GEN_LINK_SPEED: return answer(request, traits.transmit_speed / kSpeedUnit);
    case OID_GEN_MAC_OPTIONS: return answer(request, traits.mac_options);
    case OID_GEN_MEDIA_CONNECT_STATUS:
      return answer(request, traits.connect_state == MediaConnectStateDisconnected ? NdisMediaStateDisconnected : NdisMediaStateConnected);
    case OID_802_3_PERMANENT_ADDRESS: return answer(request, traits.permanent_address.data(), traits.address_length);
    case OID_802_3_CURRENT_ADDRESS: return answer(request, traits.current_address.data(), traits.address_length);
    case OID_802_3_MAXIMUM_LIST_SIZE: return answer(request, traits.max_multicast_list);
    default: return NDIS_STATUS_NOT_RECOGNIZED;
  }
}

}  // namespace

NDIS_STATUS OidQueue::answer_itself(OidJob& job, bool for_miniport) {
  NDIS_OID_REQUEST& request = job.own_;
  Binding* const source = job.source();
  if (request.RequestType == NdisRequestQueryInformation) {
    NDIS_STATUS status = NDIS_STATUS_NOT_RECOGNIZED;
    if (source != nullptr && request.DATA.QUERY_INFORMATION.Oid == OID_GEN_CURRENT_PACKET_FILTER) {
      status = answer(request, source->packet_filter);
    } else if (for_miniport && adapter_.is_version6()) {
      status = answer_from_attributes(request, adapter_.traits());
    }
    job.answered_by_ndis_ = status != NDIS_STATUS_NOT_RECOGNIZED;
    return status;
  }
  if (request.RequestType != NdisRequestSetInformation || source == nullptr) return NDIS_STATUS_NOT_RECOGNIZED;

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
      if (set.InformationBufferLength < sizeof(ULONG)) return answered(NDIS_STATUS_INVALID_LENGTH, sizeof(ULONG));
      job.undo_ = [this, source, filter = source->packet_filter, applied = adapter_.applied_filter] {
        if (!source->close_called()) source->packet_filter = filter;
        adapter_.applied_filter = applied;
      };
      std::memcpy(&source->packet_filter, set.InformationBuffer, sizeof(ULONG));
      job.merged_filter_ = adapter_.merged_filter();
      if (job.merged_filter_ == adapter_.applied_filter) return answered(NDIS_STATUS_SUCCESS, 0);
      adapter_.applied_filter = job.merged_filter_;
      set.InformationBuffer = &job.merged_filter_;
      set.InformationBufferLength = sizeof(ULONG);
      return NDIS_STATUS_NOT_RECOGNIZED;
    }
    case OID_802_3_MULTICAST_LIST: {
      if (set.InformationBufferLength % kAddress != 0)
        return answered(NDIS_STATUS_INVALID_LENGTH, static_cast<UINT>((set.InformationBufferLength / kAddress + 1) * kAddress));
      job.undo_ = [this, source, list = source->multicast_list, applied = adapter_.applied_multicast] {
        if (!source->close_called()) source->multicast_list = list;
        adapter_.applied_multicast = applied;
      };
      const auto* const list = static_cast<const std::uint8_t*>(set.InformationBuffer);
      source->multicast_list.assign(list, list + set.InformationBufferLength);
      job.merged_multicast_ = adapter_.merged_multicast();
      if (job.merged_multicast_ == adapter_.applied_multicast) return answered(NDIS_STATUS_SUCCESS, 0);
      adapter_.applied_multicast = job.merged_multicast_;
      set.InformationBuffer = job.merged_multicast_.data();
      set.InformationBufferLength = static_cast<UINT>(job.merged_multicast_.size());
      return NDIS_STATUS_NOT_RECOGNIZED;
    }
    case OID_GEN_CURRENT_LOOKAHEAD: {
      if (set.InformationBufferLength < sizeof(ULONG)) return answered(NDIS_STATUS_INVALID_LENGTH, sizeof(ULONG));
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
    default: return NDIS_STATUS_NOT_RECOGNIZED;
  }
}

}  // namespace undis
