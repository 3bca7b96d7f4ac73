// SPDX-License-Identifier: MIT
//
// What an adapter is like: attributes that a 6.x miniport sets, OIDs that NDIS asks a 5.x miniport, and the merged filters.
#include <algorithm>
#include <cstring>

#include "ndis/adapter.h"
#include "ndis/binding.h"

namespace undis {
namespace {

void copy_address(std::array<UCHAR, NDIS_MAX_PHYS_ADDRESS_LENGTH>& to, const UCHAR* from, USHORT length) {
  std::copy_n(from, std::min<std::size_t>(length, to.size()), to.begin());
}

}  // namespace

NDIS_STATUS Adapter::set_attributes(const NDIS_MINIPORT_ADAPTER_ATTRIBUTES& attributes) {
  const NDIS_OBJECT_HEADER& header = attributes.RegistrationAttributes.Header;
  switch (header.Type) {
    case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES: {
      if (header.Revision < NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 ||
          header.Revision > NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2)
        return NDIS_STATUS_BAD_VERSION;
      if (header.Size < NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1) return NDIS_STATUS_INVALID_PARAMETER;
      context_ = attributes.RegistrationAttributes.MiniportAdapterContext;
      attribute_flags_ = attributes.RegistrationAttributes.AttributeFlags;
      registration_attributes_set_ = true;
      return NDIS_STATUS_SUCCESS;
    }
    case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES: {
      const NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
      if (header.Revision < NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 ||
          header.Revision > NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2)
        return NDIS_STATUS_BAD_VERSION;
      if (header.Size < NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1) return NDIS_STATUS_INVALID_PARAMETER;
      if (!registration_attributes_set_) return NDIS_STATUS_INVALID_PARAMETER;  // LIFE-109: registration attributes come first
      traits_.medium = general.MediaType;
      traits_.physical_medium = general.PhysicalMediumType;
      traits_.mtu = general.MtuSize;
      traits_.max_transmit_speed = general.MaxXmitLinkSpeed;
      traits_.max_receive_speed = general.MaxRcvLinkSpeed;
      traits_.transmit_speed = general.XmitLinkSpeed;
      traits_.receive_speed = general.RcvLinkSpeed;
      traits_.connect_state = general.MediaConnectState;
      traits_.lookahead = general.LookaheadSize;
      traits_.mac_options = general.MacOptions;
      traits_.supported_packet_filters = general.SupportedPacketFilters;
      traits_.max_multicast_list = general.MaxMulticastListSize;
      traits_.address_length = general.MacAddressLength;
      copy_address(traits_.permanent_address, general.PermanentMacAddress, general.MacAddressLength);
      copy_address(traits_.current_address, general.CurrentMacAddress, general.MacAddressLength);
      traits_.supported_oids.assign(general.SupportedOidList,
                                    general.SupportedOidList + (general.SupportedOidList == nullptr ? 0 : general.SupportedOidListLength / sizeof(NDIS_OID)));
      general_attributes_set_ = true;
      return NDIS_STATUS_SUCCESS;
    }
    case NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES:
    case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES:
    case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES:
    case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES:
      return header.Revision == 0 || header.Revision > 3 ? NDIS_STATUS_BAD_VERSION : NDIS_STATUS_SUCCESS;
    default:
      return NDIS_STATUS_INVALID_PARAMETER;
  }
}

void Adapter::set_attributes5(void* context, UINT /*check_for_hang_seconds*/, ULONG flags, NDIS_INTERFACE_TYPE /*type*/) {
  context_ = context;
  attribute_flags_ = flags;
  attributes5_set_ = true;
}

void Adapter::learn_traits5() {
  const auto ask = [this](NDIS_OID oid, void* buffer, UINT length) {
    UINT written = 0;
    return oids.ask(NdisRequestQueryInformation, oid, buffer, length, &written) == NDIS_STATUS_SUCCESS ? written : 0U;
  };
  ULONG number = 0;
  if (ask(OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number)) == sizeof(number)) traits_.mtu = number;
  if (ask(OID_GEN_LINK_SPEED, &number, sizeof(number)) == sizeof(number))
    traits_.transmit_speed = traits_.receive_speed = traits_.max_transmit_speed = traits_.max_receive_speed = std::uint64_t{number} * 100;
  if (ask(OID_GEN_MEDIA_CONNECT_STATUS, &number, sizeof(number)) == sizeof(number))
    traits_.connect_state = number == NdisMediaStateConnected ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  if (ask(OID_GEN_MAXIMUM_LOOKAHEAD, &number, sizeof(number)) == sizeof(number)) traits_.lookahead = number;
  if (ask(OID_GEN_MAC_OPTIONS, &number, sizeof(number)) == sizeof(number)) traits_.mac_options = number;
  traits_.supported_packet_filters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST |
                                     NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS;
  if (traits_.medium != NdisMedium802_3) return;
  constexpr UINT kAddress = 6;
  traits_.address_length = kAddress;
  ask(OID_802_3_PERMANENT_ADDRESS, traits_.permanent_address.data(), kAddress);
  ask(OID_802_3_CURRENT_ADDRESS, traits_.current_address.data(), kAddress);
  if (ask(OID_802_3_MAXIMUM_LIST_SIZE, &number, sizeof(number)) == sizeof(number)) traits_.max_multicast_list = number;
}

ULONG Adapter::merged_filter() const {
  ULONG merged = 0;
  for (const Ref<Binding>& binding : bindings()) merged |= binding->packet_filter;
  return merged;
}

ULONG Adapter::merged_lookahead() const {
  ULONG most = 0;
  for (const Ref<Binding>& binding : bindings()) most = std::max(most, binding->lookahead);
  return most;
}

std::vector<std::uint8_t> Adapter::merged_multicast() const {
  constexpr std::size_t kAddress = 6;
  std::vector<std::uint8_t> merged;
  const auto holds = [&merged](const std::uint8_t* address) {
    for (std::size_t at = 0; at < merged.size(); at += kAddress)
      if (std::memcmp(&merged[at], address, kAddress) == 0) return true;
    return false;
  };
  for (const Ref<Binding>& binding : bindings())
    for (std::size_t at = 0; at + kAddress <= binding->multicast_list.size(); at += kAddress)
      if (!holds(&binding->multicast_list[at])) merged.insert(merged.end(), &binding->multicast_list[at], &binding->multicast_list[at] + kAddress);
  return merged;
}

void Adapter::apply_filters() {
  if (!initialized_ || !kAdapterStates.allows(state(), AdapterEvent::OidRequest)) return;
  ULONG filter = merged_filter();
  if (filter != applied_filter) {
    applied_filter = filter;
    oids.ask(NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  }
  std::vector<std::uint8_t> list = merged_multicast();
  if (list != applied_multicast) {
    applied_multicast = list;
    oids.ask(NdisRequestSetInformation, OID_802_3_MULTICAST_LIST, list.data(), static_cast<UINT>(list.size()));
  }
}

}  // namespace undis
