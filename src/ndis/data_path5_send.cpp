// SPDX-License-Identifier: MIT
//
// NDIS 5 packets from protocols to miniports and back.
//
// Pages   ndis/nf-ndis-ndiscancelsendpackets, ndis/nf-ndis-ndisallocatepacketpoolex;
// network/packet-structures-in-network-drivers Beyond  A packet goes through as it is, also through
// intermediate drivers as long as it has packet stack locations left. A serialized
//         miniport's functions are called one at a time, at DISPATCH_LEVEL; what comes meanwhile is queued
//         and NDIS_STATUS_PENDING.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/packet_pool.h"

namespace undis {
namespace data_path {
namespace {

Observer& observer() {
  return Library::current().observer();
}

constexpr UINT kAtOnce = 32;  ///< packets in one call of a miniport

/// True: this thread may call the driver now; what it has to do is done until serialized_end(). False:
/// `packet` was queued.
bool serialized_begin(Adapter& adapter, PacketItem& packet) noexcept {
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  const bool sends = packet.state == ItemState::Sent;
  if (!queue.busy && (queue.first == nullptr || !sends) && (!queue.blocked || !sends)) {
    queue.busy = true;
    return true;
  }
  packet.next = nullptr;
  (queue.last != nullptr ? queue.last->next : queue.first) = &packet;
  queue.last = &packet;
  return false;
}

/// The next packet in line for the thread that is `busy`; nullptr: none. `request` or `turn`: an OID request
/// or a call is in line before it.
PacketItem* serialized_next(Adapter& adapter, bool& request, Turn& turn) noexcept {
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  request = std::exchange(queue.request_waits, false);
  if (request) return nullptr;
  if (!queue.turns.empty()) {
    turn = std::move(queue.turns.front());
    queue.turns.pop_front();
    return nullptr;
  }
  Item* before = nullptr;
  // While the driver has no room for sends, returns still go through.
  for (Item* at = queue.first; at != nullptr; before = at, at = at->next) {
    if (queue.blocked && at->state == ItemState::Sent) continue;
    (before != nullptr ? before->next : queue.first) = at->next;
    if (queue.last == at) queue.last = before;
    at->next = nullptr;
    return static_cast<PacketItem*>(at);
  }
  queue.busy = false;
  return nullptr;
}

void put_back_first(Adapter& adapter, PacketItem& packet) noexcept {
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  packet.next = queue.first;
  queue.first = &packet;
  if (queue.last == nullptr) queue.last = &packet;
  queue.blocked = true;
}

/// The driver's send function for one packet. The status: PENDING if it completes it later (or has done so
/// from inside).
NDIS_STATUS call_send(Adapter& adapter, NDIS_PACKET* packet) {
  const MiniportDriver& miniport = adapter.driver();
  const auto& handlers = miniport.handlers5();
  const InCall call(adapter.calls);
  if (handlers.SendPackets) {
    const bool serialized = adapter.is_serialized();
    if (serialized) NDIS_SET_PACKET_STATUS(packet, NDIS_STATUS_PENDING);
    NDIS_PACKET* array[] = {packet};
    call_data(miniport.driver(), callbacks::kMiniportSendPackets, &adapter, handlers.SendPackets,
              adapter.context(), array, 1U);
    // A deserialized driver completes each packet; a serialized one may leave its answer in the packet.
    if (!serialized || find_item(ItemKind::Packet, packet) != ItemFound::Live ||
        find_hop(*item_of(packet), Hop::Kind::Send, &adapter) == nullptr)
      return NDIS_STATUS_PENDING;
    return NDIS_GET_PACKET_STATUS(packet);
  }
  if (!handlers.Send) return NDIS_STATUS_NOT_SUPPORTED;
  return call_data(miniport.driver(), callbacks::kMiniportSend, &adapter, handlers.Send, adapter.context(),
                   packet, packet->Private.Flags);
}

void call_return(Adapter& adapter, NDIS_PACKET* packet) {
  const MiniportDriver& miniport = adapter.driver();
  const InCall call(adapter.calls);
  adapter.receives.leave();
  if (miniport.handlers5().ReturnPacket)
    call_data(miniport.driver(), callbacks::kMiniportReturnPacket, &adapter,
              miniport.handlers5().ReturnPacket, adapter.context(), packet);
}

/// Sends one packet and deals with the answer. `final` receives the status of a packet whose sender waits for
/// it.
void send_one(Adapter& adapter, NDIS_PACKET* packet, NDIS_STATUS* final) {
  const NDIS_STATUS status = call_send(adapter, packet);
  if (status == NDIS_STATUS_PENDING) return;
  if (find_item(ItemKind::Packet, packet) != ItemFound::Live) {
    tell_item_misuse(ItemKind::Packet, packet, true,
                     fmt::format("{} completed the packet and returned {:#x} for it as well", adapter.name(),
                                 static_cast<unsigned>(status)));
    return;
  }
  Hop* const hop = find_hop(*item_of(packet), Hop::Kind::Send, &adapter);
  if (hop == nullptr) {
    tell_item_misuse(ItemKind::Packet, packet, true,
                     fmt::format("{} completed the packet and returned {:#x} for it as well", adapter.name(),
                                 static_cast<unsigned>(status)));
    return;
  }
  if (status == NDIS_STATUS_RESOURCES && adapter.is_serialized()) {
    put_back_first(adapter, *item_of(packet));
    return;
  }
  adapter.sends.leave();
  if (final != nullptr && hop->asked_synchronously) {
    Binding& binding = *hop->binding;
    PacketItem& item = *item_of(packet);
    end_hop(item, *hop);
    item.holder = &binding.driver();
    binding.sends.leave();
    tell_item(observer(), ItemEvent::What::SendCompleted, ItemKind::Packet, packet,
              &adapter.driver().driver(), &binding.driver(), caller().function, binding.name());
    *final = status;
    return;
  }
  finish_send(packet, *hop, status);
}

void drain(Adapter& adapter) {
  for (;;) {
    bool request = false;
    Turn turn{};
    PacketItem* const item = serialized_next(adapter, request, turn);
    if (request) {
      adapter.oids.deliver_in_turn();
    } else if (turn.call) {
      turn.call();
    } else if (item == nullptr) {
      return;
    } else if (item->state == ItemState::Sent) {
      send_one(adapter, item->body(), nullptr);
    } else {
      call_return(adapter, item->body());
    }
  }
}

/// One packet to a serialized driver, in its turn.
void serialized(Adapter& adapter, NDIS_PACKET* packet, NDIS_STATUS* final) {
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  if (!serialized_begin(adapter, *item_of(packet))) return;
  if (item_of(packet)->state == ItemState::Sent) {
    send_one(adapter, packet, final);
  } else {
    call_return(adapter, packet);
  }
  drain(adapter);
}

void unblock(Adapter& adapter) {
  SendQueue& queue = adapter.send_queue;
  {
    const kernel::Hold hold(queue.lock);
    if (!queue.blocked) return;
    queue.blocked = false;
    if (queue.busy) return;  // whoever is in there goes on with the queue
    queue.busy = true;
  }
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  drain(adapter);
}

}  // namespace

bool begin_turn(Adapter& adapter) noexcept {
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  if (queue.busy) {
    queue.request_waits = true;
    return false;
  }
  queue.busy = true;
  return true;
}

void end_turn(Adapter& adapter) {
  drain(adapter);
}

bool request_waits(Adapter& adapter) noexcept {
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  return queue.request_waits;
}

}  // namespace data_path

void call_in_turn(Adapter& adapter, const void* id, std::function<void()> call) {
  if (!adapter.is_serialized()) {
    call();
    return;
  }
  SendQueue& queue = adapter.send_queue;
  {
    const kernel::Hold hold(queue.lock);
    if (queue.busy) {
      queue.turns.push_back({id, std::move(call)});
      return;
    }
    queue.busy = true;
  }
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  call();
  data_path::drain(adapter);
}

bool take_out_of_line(Adapter& adapter, const void* id) noexcept {
  Turn taken{};  // its end must not run under the lock
  SendQueue& queue = adapter.send_queue;
  const kernel::Hold hold(queue.lock);
  const auto at = std::ranges::find(queue.turns, id, &Turn::id);
  if (at == queue.turns.end()) return false;
  taken = std::move(*at);
  queue.turns.erase(at);
  return true;
}

namespace data_path {

// ---- legs ----

Hop* push(PacketItem& item, Hop::Kind kind, Adapter* adapter, Binding* binding) noexcept {
  for (Hop& hop : item.hops) {
    if (hop.kind != Hop::Kind::None) continue;
    hop = Hop{};
    hop.kind = kind;
    hop.adapter = adapter;
    hop.binding = binding;
    hop.out = 1;
    item.state = kind == Hop::Kind::Send ? ItemState::Sent : ItemState::Indicated;
    return &hop;
  }
  return nullptr;
}

Hop* find_hop(PacketItem& item, Hop::Kind kind, const Adapter* adapter) noexcept {
  for (std::size_t i = kMaxHops; i-- > 0;)
    if (item.hops[i].kind == kind && item.hops[i].adapter == adapter) return &item.hops[i];
  return nullptr;
}

void end_hop(PacketItem& item, Hop& hop) noexcept {
  hop.kind = Hop::Kind::None;
  item.state = ItemState::Held;
  for (const Hop& other : item.hops) {
    if (other.kind == Hop::Kind::Send) item.state = ItemState::Sent;
    if (other.kind == Hop::Kind::Receive) item.state = ItemState::Indicated;
  }
}

bool may_give(NDIS_PACKET* packet, kernel::Driver& giver, const char* what) {
  if (!check_not_freed(packet, what)) return false;
  if (find_item(ItemKind::Packet, packet) == ItemFound::NotOurs) {
    tell_item_misuse(ItemKind::Packet, packet, false,
                     fmt::format("what is {} is no packet out of a pool", what));
    return false;
  }
  const PacketItem& item = *item_of(packet);
  bool held = false;
  switch (item.state) {
  case ItemState::Held:
    held = acts_for(&giver, item.holder);
    break;
  case ItemState::Sent:
    held = item.holder == &giver;
    break;
  default:
    held = std::ranges::any_of(item.hops,
                               [&](const Hop& hop) {
                                 return hop.kind == Hop::Kind::Receive && hop.binding != nullptr &&
                                        &hop.binding->driver() == &giver;
                               }) ||
           std::ranges::any_of(item.uses, [&](const PacketUse& use) {
             return use.binding != nullptr && &use.binding->driver() == &giver;
           });
  }
  const bool room =
      std::ranges::any_of(item.hops, [](const Hop& hop) { return hop.kind == Hop::Kind::None; });
  if (held && room) return true;
  tell_item_misuse(ItemKind::Packet, packet, false,
                   !held ? fmt::format("the packet is {} by {}, but {} has it{}", what, giver.name(),
                                       item.holder != nullptr ? item.holder->name() : "NDIS",
                                       item.state == ItemState::Sent ? ": it is sent and not completed"
                                       : item.state == ItemState::Indicated
                                           ? ": it is indicated and not returned"
                                           : "")
                         : fmt::format("the packet is {} though it has no packet stack location left "
                                       "(NdisIMGetCurrentPacketStack says so)",
                                       what),
                   item.origin);
  return false;
}

// ---- to the miniport ----

void give_packets(Adapter& adapter, NDIS_PACKET** packets, UINT count) {
  if (adapter.is_serialized()) {
    for (UINT i = 0; i < count; ++i) serialized(adapter, packets[i], nullptr);
    return;
  }
  const MiniportDriver& miniport = adapter.driver();
  if (!miniport.handlers5().SendPackets) {
    for (UINT i = 0; i < count; ++i) send_one(adapter, packets[i], nullptr);
    return;
  }
  for (UINT done = 0; done < count;) {
    // The array is NDIS' own: a driver may write into it.
    std::array<NDIS_PACKET*, kAtOnce> array{};
    const UINT n = std::min(kAtOnce, count - done);
    std::copy_n(packets + done, n, array.begin());
    const InCall call(adapter.calls);
    call_data(miniport.driver(), callbacks::kMiniportSendPackets, &adapter, miniport.handlers5().SendPackets,
              adapter.context(), array.data(), n);
    done += n;
  }
}

void finish_send(NDIS_PACKET* packet, Hop& hop, NDIS_STATUS status) {
  PacketItem& item = *item_of(packet);
  Adapter& adapter = *hop.adapter;
  NET_BUFFER_LIST* const list = item.list;
  const bool translated = list != nullptr && hop.binding == nullptr;
  if (translated) {  // a part of a list of a 6.x protocol
    end_hop(item, hop);
    Hop& sent = *item_of(list)->top();
    note_part_sent(packet, sent);
    free_translation(packet);
    if (status != NDIS_STATUS_SUCCESS) sent.status = status;
    if (--sent.out != 0) return;
    list->Status = sent.status;
    note_all_sent(list, sent);
    finish_send(list, 0);
    return;
  }
  Binding& binding = *hop.binding;
  end_hop(item, hop);
  item.holder = &binding.driver();
  if (kernel::watches_all())
    tell_item(observer(), ItemEvent::What::SendCompleted, ItemKind::Packet, packet,
              &adapter.driver().driver(), &binding.driver(), caller().function, binding.name());
  NDIS_SET_PACKET_STATUS(packet, status);
  const InCall call(binding.calls);
  binding.sends.leave();
  call_data(binding.driver(), callbacks::kProtocolSendComplete, &binding,
            binding.protocol().handlers5().SendComplete, binding.context(), packet, status);
}

namespace {

bool may_send(const Binding& from) noexcept {
  return from.may_carry_data() && from.adapter().may_carry_data();
}

/// Begins the leg of a 5.x protocol's packet. SUCCESS: it is on its way, its uses of the gates counted.
NDIS_STATUS begin_send(Binding& from, NDIS_PACKET* packet, bool may) {
  Adapter& adapter = from.adapter();
  if (!may_give(packet, from.driver(), "sent")) return NDIS_STATUS_FAILURE;
  if (!may) {
    tell_send_while_paused(from);
    return adapter.reset.in_progress() ? NDIS_STATUS_RESET_IN_PROGRESS : NDIS_STATUS_FAILURE;
  }
  if (!from.sends.enter()) return NDIS_STATUS_CLOSING;
  // What goes down as a list is counted when it comes to the miniport.
  if (!sends_as_lists(adapter) && !adapter.sends.enter()) {
    from.sends.leave();
    return NDIS_STATUS_FAILURE;
  }
  PacketItem& item = *item_of(packet);
  push(item, Hop::Kind::Send, &adapter, &from);
  item.holder = &adapter.driver().driver();
  if (kernel::watches_all())
    tell_item(observer(), ItemEvent::What::Sent, ItemKind::Packet, packet, &from.driver(), item.holder,
              caller().function, from.name());
  return NDIS_STATUS_SUCCESS;
}

/// True: that was all; the packet is for others on this adapter only.
bool loop_back_packet(Binding& from, NDIS_PACKET* packet) {
  const ULONG flags = packet->Private.Flags;
  const bool only = (flags & NDIS_FLAGS_LOOPBACK_ONLY) != 0;
  if ((flags & NDIS_FLAGS_DONT_LOOPBACK) == 0 && loops_back(from, only))
    loop_back(from, frame_of(packet), only);
  return only;
}

}  // namespace
}  // namespace data_path

using namespace data_path;

NDIS_STATUS send_packet(Binding& from, NDIS_PACKET* packet) {
  if (const NDIS_STATUS status = begin_send(from, packet, may_send(from)); status != NDIS_STATUS_SUCCESS)
    return status;
  Adapter& adapter = from.adapter();
  Hop& hop = *find_hop(*item_of(packet), Hop::Kind::Send, &adapter);
  if (loop_back_packet(from, packet)) {
    PacketItem& item = *item_of(packet);
    end_hop(item, hop);
    item.holder = &from.driver();
    if (!sends_as_lists(adapter)) adapter.sends.leave();
    from.sends.leave();
    return NDIS_STATUS_SUCCESS;
  }
  if (sends_as_lists(adapter)) {
    send_as_lists(adapter, &packet, 1);
    return NDIS_STATUS_PENDING;
  }
  hop.asked_synchronously = true;
  NDIS_STATUS final = NDIS_STATUS_PENDING;
  if (adapter.is_serialized()) {
    serialized(adapter, packet, &final);
  } else {
    send_one(adapter, packet, &final);
  }
  return final;
}

void send_packets(Binding& from, NDIS_PACKET** packets, UINT count) {
  Adapter& adapter = from.adapter();
  // Asked once a packet is under way: until then the filters may change.
  const auto as_lists = [&adapter] { return sends_as_lists(adapter); };
  std::array<NDIS_PACKET*, kAtOnce> sent{};
  UINT waiting = 0;
  const auto hand_on = [&] {
    if (waiting == 0) return;
    const UINT n = std::exchange(waiting, 0);
    if (as_lists()) {
      send_as_lists(adapter, sent.data(), n);
    } else {
      give_packets(adapter, sent.data(), n);
    }
  };
  // Not watched: the state is looked at once for all of them; who changes it waits for this call.
  const bool once = goes_quickly();
  const bool may_at_first = once && may_send(from);
  for (UINT i = 0; i < count; ++i) {
    NDIS_PACKET* const packet = packets[i];
    const bool usable =
        find_item(ItemKind::Packet, packet) == ItemFound::Live && item_of(packet)->state == ItemState::Held;
    const NDIS_STATUS status = begin_send(from, packet, once ? may_at_first : may_send(from));
    if (status == NDIS_STATUS_SUCCESS) {
      if (!loop_back_packet(from, packet)) {
        sent[waiting++] = packet;
        if (waiting == kAtOnce) hand_on();
        continue;
      }
      if (!as_lists()) adapter.sends.leave();
      finish_send(packet, *find_hop(*item_of(packet), Hop::Kind::Send, &adapter), NDIS_STATUS_SUCCESS);
    } else if (usable) {  // each packet that may be completed is, in its turn
      hand_on();
      const InCall call(from.calls);
      NDIS_SET_PACKET_STATUS(packet, status);
      call_data(from.driver(), callbacks::kProtocolSendComplete, &from,
                from.protocol().handlers5().SendComplete, from.context(), packet, status);
    }
  }
  hand_on();
}

void cancel_packets(Binding& from, void* cancel_id) {
  cancel_net_buffer_lists(from, cancel_id);
}

void complete_packet(Adapter& by, NDIS_PACKET* packet, NDIS_STATUS status) {
  const ItemFound found = find_item(ItemKind::Packet, packet);
  if (found != ItemFound::Live) {
    tell_item_misuse(ItemKind::Packet, packet, found == ItemFound::Freed,
                     found == ItemFound::Freed
                         ? "the packet that is completed was freed before: it was completed already"
                         : "what is completed is no packet out of a pool",
                     found == ItemFound::Freed ? item_of(packet)->origin : kernel::Stack{});
    return;
  }
  PacketItem& item = *item_of(packet);
  Hop* const hop = find_hop(item, Hop::Kind::Send, &by);
  if (hop == nullptr) {
    tell_item_misuse(
        ItemKind::Packet, packet, true,
        fmt::format("the packet that {} completes is not on its way through this adapter: {} has it",
                    by.name(), item.holder != nullptr ? item.holder->name() : "NDIS"),
        item.origin);
    return;
  }
  by.sends.leave();
  finish_send(packet, *hop, status);
  if (by.is_serialized()) unblock(by);
}

void send_resources_available(Adapter& by) {
  unblock(by);
}

namespace data_path {

/// The miniport has its packet again.
void return_packet(Adapter& adapter, NDIS_PACKET* packet) {
  if (adapter.is_serialized()) {
    serialized(adapter, packet, nullptr);
  } else {
    call_return(adapter, packet);
  }
}

}  // namespace data_path
}  // namespace undis
