// SPDX-License-Identifier: MIT
//
// Which binding gets which frame, and who may send or indicate now.
//
// Page    network/oid-gen-current-packet-filter, network/oid-802-3-multicast-list
// Beyond  On media other than 802.3 a binding with any filter gets everything: their addressing is not known
// here.
#include <cstring>

#include "ndis/buffer_pool.h"
#include "ndis/data_path_parts.h"
#include "ndis/packet_pool.h"

namespace undis::data_path {

Frame frame_of(const NET_BUFFER* buffer) noexcept {
  return {buffer->CurrentMdl, buffer->CurrentMdlOffset, buffer->stDataLength};
}
Frame frame_of(NDIS_PACKET* packet) noexcept {
  return {packet->Private.Head, 0, packet_length(packet)};
}

Destination destination(const Frame& frame) noexcept {
  Destination to;
  to.known = frame.length >= kEthernetAddress &&
             copy_out(to.bytes, frame.chain, frame.offset, kEthernetAddress) == kEthernetAddress;
  return to;
}

bool accepts(const Binding& binding, const Destination& to) noexcept {
  const ULONG filter = binding.packet_filter;
  if (filter == 0) return false;
  if ((filter & NDIS_PACKET_TYPE_PROMISCUOUS) != 0) return true;
  const AdapterTraits& traits = binding.adapter().traits();
  if (traits.medium != NdisMedium802_3) return true;
  if (!to.known) return false;
  static constexpr std::uint8_t kBroadcast[kEthernetAddress] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  const auto is = [&to](const void* address) {
    return std::memcmp(to.bytes, address, kEthernetAddress) == 0;
  };
  if (is(kBroadcast)) return (filter & NDIS_PACKET_TYPE_BROADCAST) != 0;
  if ((to.bytes[0] & 1) != 0) {
    if ((filter & NDIS_PACKET_TYPE_ALL_MULTICAST) != 0) return true;
    if ((filter & NDIS_PACKET_TYPE_MULTICAST) == 0) return false;
    return binding.multicast_list.contains(to.bytes);
  }
  return (filter & NDIS_PACKET_TYPE_DIRECTED) != 0 && is(traits.current_address.data());
}

std::vector<Ref<Binding>> receivers(const Adapter& adapter) {
  std::vector<Ref<Binding>> found = adapter.bindings();
  std::erase_if(found, [](const Ref<Binding>& binding) {
    return binding->packet_filter == 0 || !binding->may_carry_data();
  });
  return found;
}

void tell_send_while_paused(const Binding& from) {
  if (from.adapter().reset.announced())
    tell_breach("LIFE-186", from.driver(), caller().function, from.name(),
                "a send is made between NDIS_STATUS_RESET_START and NDIS_STATUS_RESET_END");
  // A 5.x protocol knows of no pause: NDIS has made it on its own account. A close it does know of: its
  // handle is told of then.
  if (!from.is_version6()) return;
  const BindingState state = from.state();
  if (state == BindingState::Restarting || kBindingStates.allows(state, BindingEvent::SendReceive)) return;
  Library::current().observer().on(StateMove{"binding", from.name(), to_text(state),
                                             to_text(BindingEvent::SendReceive), nullptr, &from.driver(),
                                             caller().function});
}

bool may_indicate(const Adapter& by) {
  const AdapterState state = by.state();
  if (kAdapterStates.allows(state, AdapterEvent::SendReceive)) return true;
  if (state == AdapterState::Restarting) return true;  // LIFE-134: as soon as MiniportRestart was called
  // A 5.x miniport knows of no pause, but it does know whether it is initialised.
  const bool own_pause_of_ndis = !by.is_version6() && state == AdapterState::Paused;
  // Its interrupt goes and its last packets come back within its halt: until that returns, it may be at it.
  const bool within_its_halt = !by.is_version6() && state == AdapterState::Halted && !by.was_halted();
  if (!own_pause_of_ndis && !within_its_halt)
    Library::current().observer().on(StateMove{"adapter", by.name(), to_text(state),
                                               to_text(AdapterEvent::SendReceive), nullptr,
                                               &by.driver().driver(), caller().function});
  return false;
}

}  // namespace undis::data_path
