// SPDX-License-Identifier: MIT
//
// NDIS 5 packets out of pools.
#include "ndis/packet_pool.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/buffer_pool.h"

namespace undis {
namespace {

constexpr std::size_t round8(std::size_t n) {
  return (n + 7) / 8 * 8;
}

}  // namespace

static_assert(sizeof(NDIS_PACKET_OOB_DATA) % alignof(NDIS_PACKET_EXTENSION) == 0);

PacketPool::PacketPool(kernel::Driver* owner, std::uint32_t limit, std::size_t reserved_length)
    : DriverPool(HandleKind::PacketPool, ItemKind::Packet, owner, 0),
      oob_at_(round8(offsetof(NDIS_PACKET, ProtocolReserved) + std::max<std::size_t>(reserved_length, 1))),
      stacks_at_(oob_at_ + sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION)) {
  const std::size_t size = stacks_at_ + kMaxHops * sizeof(NDIS_PACKET_STACK);
  packets_ = &add_blocks(sizeof(PacketItem), size, size, limit);
}

NDIS_PACKET* PacketPool::allocate(kernel::Driver* owner) noexcept {
  auto* const item = static_cast<PacketItem*>(packets_->take(owner));
  if (item == nullptr) return nullptr;
  NDIS_PACKET* const packet = item->body();
  std::memset(static_cast<void*>(packet), 0, packets_->body_size());
  packet->Private.Pool = reinterpret_cast<PNDIS_PACKET_POOL>(handle());
  packet->Private.NdisPacketFlags = fPACKET_ALLOCATED_BY_NDIS;
  packet->Private.NdisPacketOobOffset = static_cast<USHORT>(oob_at_);
  packet->Private.Flags = protocol_id;
  item->stacks = reinterpret_cast<NDIS_PACKET_STACK*>(reinterpret_cast<char*>(packet) + stacks_at_);
  return packet;
}

void PacketPool::free(NDIS_PACKET* packet) noexcept {
  PacketItem* const item = item_of(packet);
  DriverPool* const pool = item->pool->of;
  item->pool->give(item);
  pool->block_returned();
}

void count_packet(NDIS_PACKET* packet) noexcept {
  NDIS_PACKET_PRIVATE& p = packet->Private;
  if (p.ValidCounts != FALSE) return;
  p.Count = p.PhysicalCount = p.TotalLength = 0;
  for (MDL* mdl = p.Head; mdl != nullptr; mdl = mdl->Next) {
    ++p.Count;
    p.PhysicalCount += ADDRESS_AND_SIZE_TO_SPAN_PAGES(bytes_of(mdl), mdl->ByteCount);
    p.TotalLength += mdl->ByteCount;
  }
  p.ValidCounts = TRUE;
}

UINT packet_length(NDIS_PACKET* packet) noexcept {
  count_packet(packet);
  return packet->Private.TotalLength;
}

void set_chain(NDIS_PACKET* packet, MDL* chain) noexcept {
  packet->Private.Head = chain;
  while (chain != nullptr && chain->Next != nullptr) chain = chain->Next;
  packet->Private.Tail = chain;
  packet->Private.ValidCounts = FALSE;
}

bool check_not_freed(NDIS_PACKET* packet, const char* what) {
  if (find_item(ItemKind::Packet, packet) != ItemFound::Freed) return true;
  tell_item_misuse(ItemKind::Packet, packet, false,
                   fmt::format("the packet that is {} was freed before", what), item_of(packet)->origin);
  return false;
}

bool check_at_rest(NDIS_PACKET* packet, const char* what) {
  if (!check_not_freed(packet, what)) return false;
  if (find_item(ItemKind::Packet, packet) == ItemFound::NotOurs) {
    tell_item_misuse(ItemKind::Packet, packet, false,
                     fmt::format("what is {} is no packet out of a pool", what));
    return false;
  }
  const PacketItem* const item = item_of(packet);
  if (item->state == ItemState::Sent || item->state == ItemState::Indicated) {
    tell_item_misuse(
        ItemKind::Packet, packet, false,
        fmt::format("the packet is {} while it is {}", what,
                    item->state == ItemState::Sent ? "sent and not completed" : "indicated and not returned"),
        item->origin);
    return false;
  }
  if (!acts_for(caller().driver, item->holder)) {
    tell_item_misuse(ItemKind::Packet, packet, false,
                     fmt::format("the packet that is {} belongs to {}", what, item->holder->name()),
                     item->origin);
    return false;
  }
  return true;
}

}  // namespace undis
