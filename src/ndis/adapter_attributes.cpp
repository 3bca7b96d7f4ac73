// SPDX-License-Identifier: MIT
//
// What an adapter is like: attributes that a 6.x miniport sets, OIDs that NDIS asks a 5.x miniport, and the
// merged filters.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/library.h"

namespace undis {
namespace {

void copy_address(std::array<UCHAR, NDIS_MAX_PHYS_ADDRESS_LENGTH>& to, const UCHAR* from, USHORT length) {
  std::copy_n(from, std::min<std::size_t>(length, to.size()), to.begin());
}

/// The bytes of a structure with an object header; nothing for NULL.
template <class T>
std::vector<std::uint8_t> copy_structure(const T* given) {
  if (given == nullptr) return {};
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(given);
  return {bytes, bytes + std::min<std::size_t>(
                             std::max<std::size_t>(given->Header.Size, sizeof(given->Header)), sizeof(T))};
}

/// The same for one without.
template <class T>
std::vector<std::uint8_t> copy_plain(const T* given) {
  if (given == nullptr) return {};
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(given);
  return {bytes, bytes + sizeof(T)};
}

/// Of 802.11, hardware assist and device power notification attributes.
constexpr UCHAR kNewestOtherRevision = 4;

}  // namespace

NDIS_STATUS Adapter::set_attributes(const NDIS_MINIPORT_ADAPTER_ATTRIBUTES& attributes) {
  const NDIS_OBJECT_HEADER& header = attributes.Header;
  const bool adding = kernel::inside_callback("MiniportAddDevice", this);
  if (adding != (header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES)) {
    tell_breach("LIFE-117", driver_->driver(), "NdisMSetMiniportAttributes", name(),
                adding ? "in MiniportAddDevice only NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES is set"
                       : "NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES is for MiniportAddDevice");
    return NDIS_STATUS_INVALID_PARAMETER;
  }
  const auto bad_header = [&](NDIS_STATUS status) {
    tell_breach("ObjectHeaderValid", driver_->driver(), "NdisMSetMiniportAttributes", "MiniportAttributes",
                fmt::format("the structure has type {:#x}, revision {}, size {}, which no NDIS version has",
                            header.Type, header.Revision, header.Size));
    return status;
  };
  const auto out_of_order = [this](const char* why) {
    tell_breach("RegistrationAttributesFirst", driver_->driver(), "NdisMSetMiniportAttributes", name(), why);
    return NDIS_STATUS_INVALID_PARAMETER;
  };
  switch (header.Type) {
  case NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES:
    return set_add_device_attributes(attributes.AddDeviceRegistrationAttributes);
  case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES: {
    if (header.Revision < NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 ||
        header.Revision > NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2)
      return bad_header(NDIS_STATUS_BAD_VERSION);
    if (header.Size < NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1)
      return bad_header(NDIS_STATUS_INVALID_PARAMETER);
    const NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES& given = attributes.RegistrationAttributes;
    context_ = given.MiniportAdapterContext;
    attribute_flags_ = given.AttributeFlags;
    check_for_hang_seconds_ = given.CheckForHangTimeInSeconds;
    ports.reset((given.AttributeFlags & NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT) != 0);
    registration_attributes_set_ = true;
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES:
    if (header.Revision < NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 ||
        header.Revision > NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2)
      return bad_header(NDIS_STATUS_BAD_VERSION);
    if (header.Size < NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1)
      return bad_header(NDIS_STATUS_INVALID_PARAMETER);
    if (!registration_attributes_set_)
      return out_of_order("general attributes are set before the registration attributes");
    return set_general_attributes(attributes.GeneralAttributes);
  case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES: {
    if (header.Revision != NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1)
      return bad_header(NDIS_STATUS_BAD_VERSION);
    if (header.Size < NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1)
      return bad_header(NDIS_STATUS_INVALID_PARAMETER);
    if (!general_attributes_set_)
      return out_of_order("offload attributes are set before the general attributes");
    traits_.offload_default = copy_structure(attributes.OffloadAttributes.DefaultOffloadConfiguration);
    traits_.offload_hardware = copy_structure(attributes.OffloadAttributes.HardwareOffloadCapabilities);
    return NDIS_STATUS_SUCCESS;
  }
  case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES:
  case NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES:
    if (header.Revision == 0 || header.Revision > kNewestOtherRevision)
      return bad_header(NDIS_STATUS_BAD_VERSION);
    return general_attributes_set_ ? NDIS_STATUS_SUCCESS
                                   : out_of_order("other attributes are set before the general attributes");
  default:
    return bad_header(NDIS_STATUS_INVALID_PARAMETER);
  }
}

NDIS_STATUS
Adapter::set_add_device_attributes(const NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES& attributes) {
  if (attributes.Header.Revision != NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1)
    return NDIS_STATUS_BAD_VERSION;
  if (attributes.Header.Size < NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1)
    return NDIS_STATUS_INVALID_PARAMETER;
  add_device_context_ = attributes.MiniportAddDeviceContext;
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Adapter::set_general_attributes(const NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general) {
  traits_.medium = general.MediaType;
  traits_.physical_medium = general.PhysicalMediumType;
  traits_.mtu = general.MtuSize;
  traits_.max_transmit_speed = general.MaxXmitLinkSpeed;
  traits_.max_receive_speed = general.MaxRcvLinkSpeed;
  traits_.transmit_speed = general.XmitLinkSpeed;
  traits_.receive_speed = general.RcvLinkSpeed;
  traits_.connect_state = general.MediaConnectState;
  traits_.duplex_state = general.MediaDuplexState;
  traits_.lookahead = general.LookaheadSize;
  traits_.mac_options = general.MacOptions;
  traits_.supported_packet_filters = general.SupportedPacketFilters;
  traits_.max_multicast_list = general.MaxMulticastListSize;
  traits_.access_type = general.AccessType;
  traits_.connection_type = general.ConnectionType;
  traits_.supported_statistics = general.SupportedStatistics;
  traits_.data_backfill = general.DataBackFillSize;
  traits_.context_backfill = general.ContextBackFillSize;
  traits_.address_length = general.MacAddressLength;
  copy_address(traits_.permanent_address, general.PermanentMacAddress, general.MacAddressLength);
  copy_address(traits_.current_address, general.CurrentMacAddress, general.MacAddressLength);
  traits_.supported_oids.assign(
      general.SupportedOidList,
      general.SupportedOidList +
          (general.SupportedOidList == nullptr ? 0 : general.SupportedOidListLength / sizeof(NDIS_OID)));
  traits_.pnp_capabilities = copy_plain(general.PowerManagementCapabilities);
  traits_.rss_capabilities = copy_structure(general.RecvScaleCapabilities);
  traits_.pm_capabilities.clear();
  if (general.Header.Revision >= NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2)
    traits_.pm_capabilities = copy_structure(general.PowerManagementCapabilitiesEx);
  general_attributes_set_ = true;
  return NDIS_STATUS_SUCCESS;
}

void Adapter::set_attributes5(void* context, UINT check_for_hang_seconds, ULONG flags,
                              NDIS_INTERFACE_TYPE /*type*/) {
  context_ = context;
  check_for_hang_seconds_ = check_for_hang_seconds;
  attribute_flags_ = flags;
  attributes5_set_ = true;
}

void Adapter::learn_traits5() {
  const auto ask = [this](NDIS_OID oid, void* buffer, UINT length) {
    UINT written = 0;
    return oids.ask(NdisRequestQueryInformation, oid, buffer, length, &written) == NDIS_STATUS_SUCCESS
               ? written
               : 0U;
  };
  ULONG number = 0;
  if (ask(OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number)) == sizeof(number)) traits_.mtu = number;
  if (ask(OID_GEN_LINK_SPEED, &number, sizeof(number)) == sizeof(number))
    traits_.transmit_speed = traits_.receive_speed = traits_.max_transmit_speed = traits_.max_receive_speed =
        std::uint64_t{number} * 100;
  if (ask(OID_GEN_MEDIA_CONNECT_STATUS, &number, sizeof(number)) == sizeof(number))
    traits_.connect_state =
        number == NdisMediaStateConnected ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  if (ask(OID_GEN_MAXIMUM_LOOKAHEAD, &number, sizeof(number)) == sizeof(number)) traits_.lookahead = number;
  if (ask(OID_GEN_MAC_OPTIONS, &number, sizeof(number)) == sizeof(number)) traits_.mac_options = number;
  traits_.supported_packet_filters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                                     NDIS_PACKET_TYPE_ALL_MULTICAST | NDIS_PACKET_TYPE_BROADCAST |
                                     NDIS_PACKET_TYPE_PROMISCUOUS;
  if (traits_.medium != NdisMedium802_3) return;
  constexpr UINT kAddress = 6;
  traits_.address_length = kAddress;
  ask(OID_802_3_PERMANENT_ADDRESS, traits_.permanent_address.data(), kAddress);
  ask(OID_802_3_CURRENT_ADDRESS, traits_.current_address.data(), kAddress);
  if (ask(OID_802_3_MAXIMUM_LIST_SIZE, &number, sizeof(number)) == sizeof(number))
    traits_.max_multicast_list = number;
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
  for (const Ref<Binding>& binding : bindings()) {
    const std::vector<std::uint8_t> addresses = binding->multicast_list.addresses();
    for (std::size_t at = 0; at + kAddress <= addresses.size(); at += kAddress)
      if (!holds(&addresses[at])) merged.insert(merged.end(), &addresses[at], &addresses[at] + kAddress);
  }
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
    oids.ask(NdisRequestSetInformation, OID_802_3_MULTICAST_LIST, list.data(),
             static_cast<UINT>(list.size()));
  }
}

void Adapter::restore_settings() {
  applied_filter = 0;
  applied_multicast.clear();
  apply_filters();
  for (SettingsMemory::Setting& setting : settings.all())
    oids.ask(NdisRequestSetInformation, setting.oid, setting.data.data(),
             static_cast<UINT>(setting.data.size()));
}

}  // namespace undis
