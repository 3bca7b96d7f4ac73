// SPDX-License-Identifier: MIT
//
// Receive indications of 5.x miniports with packets, and what comes back of them.
//
// Pages   ndis/nf-ndis-ndisgetreceivedpacket, ndis/nf-ndis-ndisallocatepacketpoolex
// Beyond  Every binding sees the miniport's own packet, one after the other. The number that
// ProtocolReceivePacket returns is how often
//         it will be returned; one returned early, by another processor, is set off against it. A binding
//         without that handler gets ProtocolReceive with the packet's beginning as lookahead.
#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/buffer_pool.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/packet_pool.h"

namespace undis {
namespace data_path {
namespace {

Observer& observer() {
  return Library::current().observer();
}
std::uint8_t index_of(const PacketItem& item, const Hop& hop) noexcept {
  return static_cast<std::uint8_t>(&hop - item.hops);
}

/// A place to count what this binding has of the packet; nullptr: none is left.
PacketUse* begin_use(PacketItem& item, Hop& hop, Binding& binding) {
  const kernel::Hold hold(item.uses_lock);
  for (PacketUse& use : item.uses) {
    if (use.binding != nullptr) continue;
    use = {&binding, 0, index_of(item, hop), true};
    ++hop.out;  // for the call itself
    return &use;
  }
  return nullptr;
}

/// The call has returned `count`: what came back meanwhile is set off. Returns how often more than that it
/// was returned.
std::int32_t end_call(PacketItem& item, PacketUse& use, Hop& hop, std::int32_t count) {
  Binding* done = nullptr;
  std::int32_t too_many = 0;
  {
    const kernel::Hold hold(item.uses_lock);
    use.count += count;
    use.in_call = false;
    too_many = std::max(0, -use.count);
    use.count = std::max(0, use.count);
    hop.out = static_cast<std::uint32_t>(static_cast<std::int32_t>(hop.out) + use.count - 1);
    if (use.count == 0) done = std::exchange(use.binding, nullptr);
  }
  if (done != nullptr) done->receives.leave();
  return too_many;
}

/// What one return by `driver` comes to.
struct Returned {
  Hop* hop = nullptr;          ///< nullptr: the driver does not have the packet
  bool only_shown = false;     ///< it is not returned: nothing was done
  bool leg_over = false;       ///< that was the last use
  Binding* through = nullptr;  ///< it has none of the packet any more
};
Returned end_use(PacketItem& item, const kernel::Driver* driver) {
  const kernel::Hold hold(item.uses_lock);
  PacketUse* use = nullptr;
  for (PacketUse& each : item.uses)  // whose it is before what the host may do on behalf of its drivers
    if (each.binding != nullptr &&
        (&each.binding->driver() == driver || (use == nullptr && acts_for(driver, &each.binding->driver()))))
      use = &each;
  if (use == nullptr) return {};
  Returned returned{.hop = &item.hops[use->hop]};
  returned.only_shown = returned.hop->resources;
  if (returned.only_shown) return returned;
  --use->count;
  if (use->in_call) return returned;  // the leg has not been told of it
  returned.leg_over = --returned.hop->out == 0;
  if (use->count == 0) returned.through = std::exchange(use->binding, nullptr);
  return returned;
}

/// ReceivePacket, with the count that it returns.
void call_receive_packet(Binding& to, NDIS_PACKET* packet, Hop& hop, PacketUse& use) {
  PacketItem& item = *item_of(packet);
  const bool resources = hop.resources;
  INT count = call_data(to.driver(), callbacks::kProtocolReceivePacket, &to,
                        to.protocol().handlers5().ReceivePacket, to.context(), packet);
  if (count > 0 && resources) {
    tell_item_misuse(ItemKind::Packet, packet, false,
                     fmt::format("ProtocolReceivePacket of {} keeps a packet with status "
                                 "NDIS_STATUS_RESOURCES: its data must be copied",
                                 to.name()),
                     item.origin);
    count = 0;
  }
  if (end_call(item, use, hop, std::max(count, 0)) != 0)
    tell_item_misuse(
        ItemKind::Packet, packet, true,
        fmt::format("{} returned the packet more often than its ProtocolReceivePacket said", to.name()),
        item.origin);
}

/// Without ReceivePacket: the frame's header and some of its data, in one piece each.
void call_receive_with_lookahead(Binding& to, NDIS_PACKET* packet) {
  const UINT total = packet_length(packet);
  UINT header_size = NDIS_GET_PACKET_HEADER_SIZE(packet);
  if (header_size == 0) header_size = kEthernetHeader;
  header_size = std::min(header_size, total);
  const UINT data = total - header_size;
  const UINT wanted =
      std::min(data, to.lookahead != 0 ? to.lookahead : std::max<UINT>(to.adapter().traits().lookahead, 1));
  MDL* const first = packet->Private.Head;
  if (first != nullptr && first->ByteCount >= header_size + wanted) {
    unsigned char* const bytes = bytes_of(first);
    call_receive5(to, packet, packet, bytes, header_size, bytes + header_size,
                  std::min(data, static_cast<UINT>(first->ByteCount) - header_size), data);
    return;
  }
  std::vector<unsigned char> copy(header_size + wanted);
  copy_out(copy.data(), first, 0, copy.size());
  call_receive5(to, packet, packet, copy.data(), header_size, copy.data() + header_size, wanted, data);
}

}  // namespace

bool deliver5(Binding& to, NDIS_PACKET* packet, Hop& hop) {
  const InCall call(to.calls);
  if (!call || !to.receives.enter()) return false;
  PacketItem& item = *item_of(packet);
  kernel::Driver* const from = hop.adapter != nullptr ? &hop.adapter->driver().driver() : nullptr;
  if (kernel::watches_all())
    tell_item(observer(), ItemEvent::What::Indicated, ItemKind::Packet, packet, from, &to.driver(),
              caller().function, to.name());
  hop.binding = &to;
  item.holder = &to.driver();
  PacketUse* const use = to.protocol().handlers5().ReceivePacket ? begin_use(item, hop, to) : nullptr;
  if (use != nullptr) {
    call_receive_packet(to, packet, hop, *use);
  } else {
    call_receive_with_lookahead(to, packet);
    to.receives.leave();
  }
  hop.binding = nullptr;
  return true;
}

void call_receive_complete(Binding& to) {
  const InCall call(to.calls);
  if (call && to.protocol().handlers5().ReceiveComplete)
    call_data(to.driver(), callbacks::kProtocolReceiveComplete, &to,
              to.protocol().handlers5().ReceiveComplete, to.context());
}

namespace {

/// Nobody has the packet on that leg any more.
void end_leg(NDIS_PACKET* packet, Hop& hop) {
  PacketItem& item = *item_of(packet);
  Adapter& adapter = *hop.adapter;
  const bool resources = hop.resources;
  end_hop(item, hop);
  if (item.owner == nullptr &&
      item.made_from == &adapter) {  // NDIS' own: it goes, and what it stood for has one use less
    NET_BUFFER_LIST* const list = item.list;
    const std::uint8_t list_hop = item.list_hop;
    free_translation(packet);
    Chain back;
    if (list != nullptr) release(*item_of(list), list_hop, back);
    give_back(back, 0);
    return;
  }
  item.holder = &adapter.driver().driver();
  if (resources) {
    adapter.receives.leave();
    return;
  }
  if (kernel::watches_all())
    tell_item(observer(), ItemEvent::What::Returned, ItemKind::Packet, packet, nullptr, item.holder,
              caller().function, adapter.name());
  return_packet(adapter, packet);
}

}  // namespace

void release(NDIS_PACKET* packet, Hop& hop) {
  {
    const kernel::Hold hold(item_of(packet)->uses_lock);
    if (--hop.out != 0) return;
  }
  end_leg(packet, hop);
}

namespace {

/// A serialized driver sees in the packet whether it has it again at once; a deserialized one gets it by
/// MiniportReturnPacket. False: the packet is the driver's again, its leg is over.
bool answer_serialized(Adapter& by, NDIS_PACKET* packet, Hop& hop) {
  if (!by.is_serialized() || hop.resources) return true;
  PacketItem& item = *item_of(packet);
  bool kept = false;
  {
    const kernel::Hold hold(item.uses_lock);
    kept = hop.out != 1;
  }
  NDIS_SET_PACKET_STATUS(packet, kept ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS);
  if (kept) return true;
  end_hop(item, hop);
  item.holder = &by.driver().driver();
  by.receives.leave();
  return false;
}

/// The packet as a list, which the filters see before the bindings.
void indicate_through_filters(Adapter& by, NDIS_PACKET* packet, Hop& hop) {
  NET_BUFFER_LIST* const list = list_for(packet, false);
  if (list == nullptr) return;  // no memory: the frame is lost
  NblItem& item = *item_of(list);
  item.packet_hop = index_of(*item_of(packet), hop);
  push(item, Hop::Kind::Receive, &by, nullptr)->resources = hop.resources;
  list->SourceHandle = by.handle();
  Chain chain;
  chain.append(list);
  const ULONG irql = kernel::irql() == DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U;
  if (!hop.resources) {
    {
      const kernel::Hold hold(item_of(packet)->uses_lock);
      ++hop.out;
    }
    indicate_up(by, nullptr, chain, NDIS_DEFAULT_PORT_NUMBER, irql);
    return;
  }
  indicate_up(by, nullptr, chain, NDIS_DEFAULT_PORT_NUMBER, NDIS_RECEIVE_FLAGS_RESOURCES | irql);
  pop(item);
  free_translation(list);
}

}  // namespace
}  // namespace data_path

using namespace data_path;

void indicate_packets(Adapter& by, NDIS_PACKET** packets, UINT count) {
  kernel::Driver& driver = by.driver().driver();
  std::vector<Ref<Binding>> targets = receivers(by);
  const bool may = may_indicate(by);
  std::vector<bool> got(targets.size(), false);
  const bool serialized = by.is_serialized();

  for (UINT i = 0; i < count; ++i) {
    NDIS_PACKET* const packet = packets[i];
    if (!may_give(packet, driver, "indicated")) continue;
    const bool resources = NDIS_GET_PACKET_STATUS(packet) == NDIS_STATUS_RESOURCES;
    if (!may || !by.receives.enter()) {
      if (serialized) {
        NDIS_SET_PACKET_STATUS(packet, NDIS_STATUS_SUCCESS);
      } else if (!resources && !by.was_halted() && by.driver().handlers5().ReturnPacket) {
        const InCall call(by.calls);
        kernel::call_driver(&driver, callbacks::kMiniportReturnPacket, &by, nullptr,
                            by.driver().handlers5().ReturnPacket, by.context(), packet);
      }
      continue;
    }
    PacketItem& item = *item_of(packet);
    Hop& hop = *push(item, Hop::Kind::Receive, &by, nullptr);
    hop.resources = resources;
    if (by.filters.sees_receives()) {
      indicate_through_filters(by, packet, hop);
      if (answer_serialized(by, packet, hop)) release(packet, hop);
      continue;
    }
    const Destination to = destination(frame_of(packet));
    for (std::size_t t = 0; t < targets.size(); ++t) {
      Binding& binding = *targets[t];
      if (!accepts(binding, to)) continue;
      if (!binding.is_version6()) {
        if (deliver5(binding, packet, hop)) got[t] = true;
        continue;
      }
      NET_BUFFER_LIST* const list = list_for(packet, false);
      if (list == nullptr) continue;
      NblItem& list_item = *item_of(list);
      list_item.packet_hop = index_of(item, hop);
      push(list_item, Hop::Kind::Receive, &by, &binding)->resources = resources;
      list_item.holder = &binding.driver();
      list->SourceHandle = by.handle();
      Chain chain;
      chain.append(list);
      if (!resources) {
        const kernel::Hold hold(item.uses_lock);
        ++hop.out;
      }
      const ULONG flags = resources ? NDIS_RECEIVE_FLAGS_RESOURCES : 0U;
      const ULONG irql = kernel::irql() == DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U;
      const bool entered = binding.receives.enter();
      const bool called = entered && call_receive(binding, chain, NDIS_DEFAULT_PORT_NUMBER, flags | irql);
      if (called && !resources) continue;  // NdisReturnNetBufferLists does the rest
      if (entered) binding.receives.leave();
      pop(list_item);
      free_translation(list);
      if (!resources) {
        const kernel::Hold hold(item.uses_lock);
        --hop.out;
      }
    }
    if (answer_serialized(by, packet, hop)) release(packet, hop);
  }
  for (std::size_t t = 0; t < targets.size(); ++t)
    if (got[t]) call_receive_complete(*targets[t]);
}

void return_packets(NDIS_PACKET** packets, UINT count) {
  kernel::Driver* const driver = caller().driver;
  for (UINT i = 0; i < count; ++i) {
    NDIS_PACKET* const packet = packets[i];
    const ItemFound found = find_item(ItemKind::Packet, packet);
    if (found != ItemFound::Live) {
      tell_item_misuse(ItemKind::Packet, packet, found == ItemFound::Freed,
                       found == ItemFound::Freed
                           ? "the packet that is returned was freed before: it was returned already"
                           : "what is returned is no packet out of a pool",
                       found == ItemFound::Freed ? item_of(packet)->origin : kernel::Stack{});
      continue;
    }
    PacketItem& item = *item_of(packet);
    const Returned returned = end_use(item, driver);
    if (returned.hop == nullptr) {
      tell_item_misuse(
          ItemKind::Packet, packet, true,
          "the packet that is returned is not with the caller, or was returned as often as it said",
          item.origin);
    } else if (returned.only_shown) {
      tell_item_misuse(ItemKind::Packet, packet, false,
                       "the packet has status NDIS_STATUS_RESOURCES: it is not returned", item.origin);
    }
    if (returned.through != nullptr) returned.through->receives.leave();
    if (returned.leg_over) end_leg(packet, *returned.hop);
  }
}

}  // namespace undis
