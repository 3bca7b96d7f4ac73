// SPDX-License-Identifier: MIT
//
// Receive indications with lookahead: NdisMEthIndicateReceive, NdisTransferData and their completions;
// ProtocolReceive.
//
// Page    ndis/nf-ndis-ndisgetreceivedpacket
// Beyond  A 6.x binding cannot be shown a part of a frame: NDIS gets all of it, by MiniportTransferData if
// the lookahead is not all, and
//         indicates a list of its own with the data.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/buffer_pool.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/nbl_pool.h"
#include "ndis/packet_pool.h"

namespace undis {
namespace data_path {

// ---- calls of ProtocolReceive that run ----

RunningReceive::RunningReceive(Binding& of, NDIS_HANDLE as_context, NDIS_PACKET* with_packet,
                               UINT header) noexcept
    : binding(of), context(as_context), packet(with_packet), header_size(header) {
  const kernel::Hold hold(binding.running_lock);
  next = binding.running_receives;
  binding.running_receives = this;
}

RunningReceive::~RunningReceive() {
  const kernel::Hold hold(binding.running_lock);
  RunningReceive** link = &binding.running_receives;
  while (*link != this) link = &(*link)->next;
  *link = next;
}

RunningReceive* find_running(Binding& binding, NDIS_HANDLE context) noexcept {
  const kernel::Hold hold(binding.running_lock);
  for (RunningReceive* running = binding.running_receives; running != nullptr; running = running->next)
    if (running->context == context) return running;
  return nullptr;
}

void call_receive5(Binding& to, NDIS_HANDLE context, NDIS_PACKET* packet, void* header, UINT header_size,
                   void* lookahead, UINT lookahead_size, UINT packet_size) {
  if (!to.protocol().handlers5().Receive) return;
  const RunningReceive running(to, context, packet, header_size);
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  kernel::call_driver(&to.driver(), callbacks::kProtocolReceive, &to, nullptr,
                      to.protocol().handlers5().Receive, to.context(), context, header, header_size,
                      lookahead, lookahead_size, packet_size);
}

namespace {

/// MiniportTransferData into `packet`: a status, PENDING included.
NDIS_STATUS call_transfer(Adapter& adapter, NDIS_HANDLE context, UINT offset, UINT bytes, NDIS_PACKET* packet,
                          UINT* transferred) {
  const MiniportDriver& miniport = adapter.driver();
  if (!miniport.handlers5().TransferData) return NDIS_STATUS_NOT_SUPPORTED;
  const InCall call(adapter.calls);
  const kernel::RaiseIrql raised(adapter.is_serialized() ? DISPATCH_LEVEL : PASSIVE_LEVEL);
  return kernel::call_driver(&miniport.driver(), callbacks::kMiniportTransferData, &adapter, nullptr,
                             miniport.handlers5().TransferData, packet, transferred, adapter.context(),
                             context, offset, bytes);
}

/// True if `driver` is to fill the packet, and so may have it filled below: an intermediate driver that
/// passes on what its MiniportTransferData was given.
bool is_filled_by(NDIS_PACKET* packet, const kernel::Driver& driver) {
  if (find_item(ItemKind::Packet, packet) != ItemFound::Live) return false;
  return std::ranges::any_of(item_of(packet)->hops, [&](const Hop& hop) {
    return hop.kind == Hop::Kind::Receive && hop.transfer && &hop.adapter->driver().driver() == &driver;
  });
}

/// A copy of a whole frame, on a Receive leg of the adapter and counted there until it is back; nullptr: no
/// memory, or the adapter is paused.
NET_BUFFER_LIST* copy_of(Adapter& adapter, const MDL* from, std::size_t length) {
  ItemBook& book = ItemBook::current();
  if (!adapter.receives.enter()) return nullptr;
  MDL* const mdl = book.mdls().with_data(nullptr, length);
  NET_BUFFER_LIST* const list = mdl != nullptr ? book.lists().allocate(nullptr, 0, 0) : nullptr;
  if (list == nullptr) {
    adapter.receives.leave();
    free_mdls(mdl);
    return nullptr;
  }
  copy_out(bytes_of(mdl), from, 0, length);
  set_data(list->FirstNetBuffer, mdl, 0, length);
  item_of(list)->ndis_data = true;
  push(*item_of(list), Hop::Kind::Receive, &adapter, nullptr);
  list->SourceHandle = adapter.handle();
  return list;
}

/// Indicates a copy to a 6.x binding; one for which there is no memory misses the frame.
void indicate_copy(Binding& to, const MDL* from, std::size_t length) {
  NET_BUFFER_LIST* const list = copy_of(to.adapter(), from, length);
  if (list == nullptr) return;
  NblItem& item = *item_of(list);
  item.top()->binding = &to;
  item.holder = &to.driver();
  Chain chain;
  chain.append(list);
  const ULONG flags = kernel::irql() == DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U;
  const bool entered = to.receives.enter();
  if (entered && call_receive(to, chain, NDIS_DEFAULT_PORT_NUMBER, flags)) return;
  if (entered) to.receives.leave();
  to.adapter().receives.leave();
  pop(item);
  free_translation(list);
}

/// Sends a copy up through the filters.
void indicate_copy(Adapter& adapter, const MDL* from, std::size_t length) {
  NET_BUFFER_LIST* const list = copy_of(adapter, from, length);
  if (list == nullptr) return;
  Chain chain;
  chain.append(list);
  const ULONG flags = kernel::irql() == DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U;
  indicate_up(adapter, nullptr, chain, NDIS_DEFAULT_PORT_NUMBER, flags);
}

/// A frame that NDIS gathers for 6.x bindings: header and data in one packet of its own.
NDIS_PACKET* gathering_packet(const void* header, UINT header_size, UINT packet_size) {
  ItemBook& book = ItemBook::current();
  MDL* const front = book.mdls().with_data(nullptr, header_size);
  MDL* const data = book.mdls().with_data(nullptr, std::max<UINT>(packet_size, 1));
  NDIS_PACKET* const packet =
      front != nullptr && data != nullptr ? book.packets().allocate(nullptr) : nullptr;
  if (packet == nullptr) {
    free_mdls(front);
    free_mdls(data);
    return nullptr;
  }
  std::memcpy(bytes_of(front), header, header_size);
  data->ByteCount = packet_size;
  set_chain(packet, data);  // what MiniportTransferData fills
  item_of(packet)->gathered_header = front;
  return packet;
}

/// Gives what was gathered to the bindings that it is for, and frees it.
void finish_gathering(Adapter& adapter, NDIS_PACKET* packet, bool good) {
  MDL* const header = item_of(packet)->gathered_header;
  MDL* const data = packet->Private.Head;
  header->Next = data;
  set_chain(packet, header);
  item_of(packet)->own_mdls = header;
  item_of(packet)->gathered_header = nullptr;
  if (good && adapter.filters.sees_receives()) {
    indicate_copy(adapter, header, frame_of(packet).length);
  } else if (good) {
    const Frame frame = frame_of(packet);
    const Destination to = destination(frame);
    for (const Ref<Binding>& binding : receivers(adapter))
      if (binding->is_version6() && accepts(*binding, to)) indicate_copy(*binding, header, frame.length);
  }
  free_translation(packet);
}

/// For the filters or the 6.x bindings of a 5.x adapter.
void indicate_to_version6(Adapter& by, NDIS_HANDLE context, const void* header, UINT header_size,
                          const void* lookahead, UINT lookahead_size, UINT packet_size) {
  NDIS_PACKET* const packet = gathering_packet(header, header_size, packet_size);
  if (packet == nullptr) return;
  MDL* const data = packet->Private.Head;
  if (lookahead_size >= packet_size) {
    std::memcpy(bytes_of(data), lookahead, packet_size);
    finish_gathering(by, packet, true);
    return;
  }
  if (!by.receives.enter()) {
    finish_gathering(by, packet, false);
    return;
  }
  push(*item_of(packet), Hop::Kind::Receive, &by, nullptr)->transfer = true;
  UINT transferred = 0;
  const NDIS_STATUS status = call_transfer(by, context, 0, packet_size, packet, &transferred);
  if (status != NDIS_STATUS_PENDING) complete_transfer(by, packet, status, transferred);
}

}  // namespace
}  // namespace data_path

using namespace data_path;

void indicate_lookahead(Adapter& by, NDIS_HANDLE receive_context, void* header, UINT header_size,
                        void* lookahead, UINT lookahead_size, UINT packet_size) {
  if (!may_indicate(by)) return;
  Destination to;
  to.known = header_size >= kEthernetAddress;
  if (to.known) std::memcpy(to.bytes, header, kEthernetAddress);
  if (by.filters.sees_receives()) {  // they see whole frames, and the bindings what the filters let through
    indicate_to_version6(by, receive_context, header, header_size, lookahead, lookahead_size, packet_size);
    return;
  }
  bool version6 = false;
  for (const Ref<Binding>& binding : receivers(by)) {
    if (!accepts(*binding, to)) continue;
    if (binding->is_version6()) {
      version6 = true;
      continue;
    }
    const InCall call(binding->calls);
    if (!call) continue;
    binding->receive_complete_due = true;
    call_receive5(*binding, receive_context, nullptr, header, header_size, lookahead,
                  std::min(lookahead_size, packet_size), packet_size);
  }
  if (version6)
    indicate_to_version6(by, receive_context, header, header_size, lookahead, lookahead_size, packet_size);
}

void indicate_receive_complete(Adapter& by) {
  for (const Ref<Binding>& binding : by.bindings()) {
    if (!binding->receive_complete_due) continue;
    binding->receive_complete_due = false;
    if (!binding->is_version6()) call_receive_complete(*binding);
  }
}

NDIS_PACKET* received_packet(Binding& to, NDIS_HANDLE receive_context) {
  const RunningReceive* const running = find_running(to, receive_context);
  return running != nullptr ? running->packet : nullptr;
}

NDIS_STATUS transfer_data(Binding& to, NDIS_HANDLE receive_context, UINT offset, UINT bytes,
                          NDIS_PACKET* packet, UINT* transferred) {
  *transferred = 0;
  if (!is_filled_by(packet, to.driver()) && !check_at_rest(packet, "filled by NdisTransferData"))
    return NDIS_STATUS_FAILURE;
  const RunningReceive* const running = find_running(to, receive_context);
  if (running == nullptr) {
    tell_item_misuse(
        ItemKind::Packet, packet, false,
        fmt::format(
            "{} asks for data of an indication that does not run: it is asked for inside ProtocolReceive",
            to.name()));
    return NDIS_STATUS_FAILURE;
  }
  if (running->packet != nullptr) {
    const UINT total = packet_length(running->packet);
    const UINT from = running->header_size + offset;
    const UINT length = from < total ? std::min(bytes, total - from) : 0;
    *transferred =
        static_cast<UINT>(copy_chain(packet->Private.Head, 0, running->packet->Private.Head, from, length));
    return NDIS_STATUS_SUCCESS;
  }
  Adapter& adapter = to.adapter();
  if (!to.receives.enter()) return NDIS_STATUS_CLOSING;
  if (!adapter.receives.enter()) {
    to.receives.leave();
    return NDIS_STATUS_FAILURE;
  }
  PacketItem& item = *item_of(packet);
  Hop* const leg = push(item, Hop::Kind::Receive, &adapter, &to);
  if (leg == nullptr) {  // as many drivers as it has packet stack locations pass it on already
    adapter.receives.leave();
    to.receives.leave();
    return NDIS_STATUS_RESOURCES;
  }
  leg->transfer = true;
  item.holder = &adapter.driver().driver();
  const NDIS_STATUS status = call_transfer(adapter, receive_context, offset, bytes, packet, transferred);
  if (status == NDIS_STATUS_PENDING) return status;
  if (Hop* const hop = find_hop(item, Hop::Kind::Receive, &adapter); hop != nullptr) end_hop(item, *hop);
  item.holder = &to.driver();
  adapter.receives.leave();
  to.receives.leave();
  return status;
}

void complete_transfer(Adapter& by, NDIS_PACKET* packet, NDIS_STATUS status, UINT transferred) {
  PacketItem* const item = find_item(ItemKind::Packet, packet) == ItemFound::Live ? item_of(packet) : nullptr;
  Hop* const hop = item != nullptr ? find_hop(*item, Hop::Kind::Receive, &by) : nullptr;
  if (hop == nullptr || !hop->transfer) {
    tell_item_misuse(
        ItemKind::Packet, packet, true,
        fmt::format("{} completes a transfer into a packet for which none is pended", by.name()));
    return;
  }
  Binding* const asked_by = hop->binding;
  end_hop(*item, *hop);
  by.receives.leave();
  if (asked_by == nullptr) {
    finish_gathering(by, packet,
                     status == NDIS_STATUS_SUCCESS && transferred == chain_length(packet->Private.Head));
    return;
  }
  Binding& to = *asked_by;
  item->holder = &to.driver();
  const InCall call(to.calls);
  to.receives.leave();
  kernel::call_driver(&to.driver(), callbacks::kProtocolTransferDataComplete, &to, nullptr,
                      to.protocol().handlers5().TransferDataComplete, to.context(), packet, status,
                      transferred);
}

}  // namespace undis
