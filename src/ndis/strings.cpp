// SPDX-License-Identifier: MIT
//
// Building what drivers are handed.
#include "ndis/strings.h"

#include <algorithm>

#include "kernel/unicode.h"
#include "ndis/interface.h"

namespace undis {

WideString::WideString(std::u16string_view text) : text_(text) {
  counted_ = kernel::counted(text_);
  counted_.MaximumLength =
      static_cast<USHORT>(counted_.Length + sizeof(char16_t));  // the text is zero-terminated
}

std::u16string protocol_section(std::string_view service, std::u16string_view device_name) {
  const std::size_t last = device_name.rfind(u'\\');
  const std::u16string_view leaf =
      last == std::u16string_view::npos ? device_name : device_name.substr(last + 1);
  std::u16string path = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
  path += kernel::to_utf16(service);
  path += u"\\Parameters\\Adapters\\";
  path += leaf;
  return path;
}

std::u16string protocol_section(const kernel::Driver& protocol, const Adapter& adapter) {
  return protocol_section(protocol.name(), adapter.config().device_name);
}

NDIS_BIND_PARAMETERS bind_parameters(const Adapter& adapter, const WideString& adapter_name,
                                     const WideString& section) {
  const AdapterTraits& traits = adapter.traits();
  NDIS_BIND_PARAMETERS p{};
  p.Header = {NDIS_OBJECT_TYPE_BIND_PARAMETERS, NDIS_BIND_PARAMETERS_REVISION_4,
              NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4};
  p.ProtocolSection = section.get();
  p.AdapterName = adapter_name.get();
  p.BoundAdapterName = adapter_name.get();
  p.PhysicalDeviceObject = adapter.device_object();
  p.MediaType = traits.medium;
  p.MtuSize = traits.mtu;
  p.MaxXmitLinkSpeed = traits.max_transmit_speed;
  p.XmitLinkSpeed = traits.transmit_speed;
  p.MaxRcvLinkSpeed = traits.max_receive_speed;
  p.RcvLinkSpeed = traits.receive_speed;
  p.MediaConnectState = traits.connect_state;
  p.MediaDuplexState = MediaDuplexStateUnknown;
  p.LookaheadSize = traits.lookahead;
  p.SupportedPacketFilters = traits.supported_packet_filters;
  p.MaxMulticastListSize = traits.max_multicast_list;
  p.MacAddressLength = traits.address_length;
  std::ranges::copy(traits.current_address, p.CurrentMacAddress);
  p.PhysicalMediumType = traits.physical_medium;
  p.MacOptions = traits.mac_options;
  p.AccessType = NET_IF_ACCESS_BROADCAST;
  p.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
  p.ConnectionType = NET_IF_CONNECTION_DEDICATED;
  p.IfType = IF_TYPE_ETHERNET_CSMACD;
  p.IfConnectorPresent = adapter.is_virtual() ? FALSE : TRUE;
  p.BoundIfNetluid = net_luid_of(adapter);
  p.BoundIfIndex = adapter.interface_index();
  p.LowestIfNetluid = net_luid_of(adapter);
  p.LowestIfIndex = adapter.interface_index();
  return p;
}

}  // namespace undis
