// SPDX-License-Identifier: MIT
//
// Loopback: what one binding sends is shown to others on the same adapter.
//
// Page    network/looping-back-ndis-packets
// Beyond  What is looped back is shown only (NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_STATUS_RESOURCES), before the
// miniport gets the frame. A
//         5.x sender is treated like a 6.x one that does not ask for loopback; NDIS_FLAGS_LOOPBACK_ONLY asks
//         for it. An adapter without NDIS_MAC_OPTION_NO_LOOPBACK loops back itself
//         (network/oid-gen-mac-options). docs/decisions.md#loopback
#include "ndis/buffer_pool.h"
#include "ndis/data_path_parts.h"
#include "ndis/nbl_pool.h"
#include "ndis/packet_pool.h"

namespace undis::data_path {
namespace {

constexpr ULONG kShowsAll = NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_ALL_LOCAL;

bool shows_all(const Binding& binding) noexcept {
  const ULONG filter = binding.packet_filter;
  if ((filter & NDIS_PACKET_TYPE_ALL_LOCAL) != 0) return true;
  return (filter & NDIS_PACKET_TYPE_PROMISCUOUS) != 0 && (filter & NDIS_PACKET_TYPE_NO_LOCAL) == 0;
}

bool gets(const Binding& binding, const Binding& from, bool to_self, const Destination& to) noexcept {
  if (&binding == &from) return to_self && accepts(binding, to);
  if ((binding.packet_filter & NDIS_PACKET_TYPE_NO_LOCAL) != 0) return false;
  return (binding.packet_filter & kShowsAll) != 0 || accepts(binding, to);
}

void show6(Binding& to, const Frame& frame) {
  NET_BUFFER_LIST* const list = ItemBook::current().lists().allocate(nullptr, 0, 0);
  if (list == nullptr) return;
  set_data(list->FirstNetBuffer, frame.chain, static_cast<ULONG>(frame.offset), frame.length);
  NdisSetNblFlag(list, NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET);
  list->SourceHandle = to.adapter().handle();
  NblItem& item = *item_of(list);
  push(item, Hop::Kind::Receive, &to.adapter(), &to)->resources = true;
  item.holder = &to.driver();
  Chain chain;
  chain.append(list);
  const ULONG irql = kernel::irql() == DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U;
  if (to.receives.enter()) {
    call_receive(to, chain, NDIS_DEFAULT_PORT_NUMBER, NDIS_RECEIVE_FLAGS_RESOURCES | irql);
    to.receives.leave();
  }
  pop(item);
  free_translation(list);
}

void show5(Binding& to, const Frame& frame) {
  ItemBook& book = ItemBook::current();
  MDL* const chain = describe_part(frame.chain, frame.offset, frame.length);
  NDIS_PACKET* const packet = chain != nullptr ? book.packets().allocate(nullptr) : nullptr;
  if (packet == nullptr) {
    free_mdls(chain);
    return;
  }
  PacketItem& item = *item_of(packet);
  item.own_mdls = chain;
  item.made_from = &to.adapter();
  set_chain(packet, chain);
  packet->Private.Flags |= NDIS_FLAGS_IS_LOOPBACK_PACKET;
  NDIS_SET_PACKET_STATUS(packet, NDIS_STATUS_RESOURCES);
  NDIS_SET_PACKET_HEADER_SIZE(packet, static_cast<UINT>(kEthernetHeader));
  Hop& hop = *push(item, Hop::Kind::Receive, &to.adapter(), nullptr);
  hop.resources = true;
  if (deliver5(to, packet, hop)) call_receive_complete(to);
  release(packet, hop);
}

}  // namespace

bool loops_back(const Binding& from, bool to_self) {
  const AdapterTraits& traits = from.adapter().traits();
  if (traits.medium != NdisMedium802_3 && traits.medium != NdisMedium802_5) return false;
  if ((traits.mac_options & NDIS_MAC_OPTION_NO_LOOPBACK) == 0) return false;
  if (to_self) return true;
  const std::vector<Ref<Binding>> bindings = from.adapter().bindings();
  if (bindings.size() < 2) return false;
  for (const Ref<Binding>& binding : bindings)
    if (shows_all(*binding)) return true;
  return false;
}

void loop_back(Binding& from, const Frame& frame, bool to_self) {
  const Destination to = destination(frame);
  for (const Ref<Binding>& binding : receivers(from.adapter())) {
    if (!gets(*binding, from, to_self, to)) continue;
    if (binding->is_version6()) {
      show6(*binding, frame);
    } else {
      show5(*binding, frame);
    }
  }
}

}  // namespace undis::data_path
