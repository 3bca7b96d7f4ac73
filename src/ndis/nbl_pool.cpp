// SPDX-License-Identifier: MIT
//
// Net buffer lists and net buffers out of pools, and the context space of lists.
#include "ndis/nbl_pool.h"

#include <cstring>
#include <new>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/watch.h"
#include "ndis/buffer_pool.h"
#include "ndis/nbl_data.h"

namespace undis {
namespace {

constexpr std::size_t mdl_size(std::size_t data) {
  return in_16s(sizeof(MDL) + (data / PAGE_SIZE + 2) * sizeof(PFN_NUMBER));
}
constexpr std::size_t kContextHeader = offsetof(NET_BUFFER_LIST_CONTEXT, ContextData);

}  // namespace

// ---- lists ----

NblPool::NblPool(kernel::Driver* owner, const Parameters& parameters)
    : DriverPool(HandleKind::NblPool, ItemKind::NetBufferList, owner, parameters.tag),
      parameters_(parameters),
      room_(in_16s(parameters.context_size) + (kernel::watches_all() ? 0 : kMoreContext)) {
  std::size_t size = parameters_.with_buffer ? kContextAtWithBuffer : kContextAt;
  if (room_ != 0) size += kContextHeader + room_;
  mdl_at_ = size;
  data_at_ = mdl_at_ + mdl_size(parameters_.data_size);
  if (parameters_.with_buffer && parameters_.data_size != 0) size = data_at_ + parameters_.data_size;
  lists_ = &add_blocks(sizeof(NblItem), size, size);
  if (parameters_.with_buffer && parameters_.data_size == 0) empty_lists_ = lists_;
}

/// All of a new list but its context.
inline void NblPool::clear(NET_BUFFER_LIST* list) const noexcept {
  detail::set_zero<sizeof(*list)>(list);
  list->NdisPoolHandle = handle();
  NdisSetNetBufferListProtocolId(list, parameters_.protocol_id);
  if (!parameters_.with_buffer) return;
  auto* const body = reinterpret_cast<char*>(list);
  auto* const buffer = reinterpret_cast<NET_BUFFER*>(body + kBufferAt);
  detail::set_zero<sizeof(*buffer)>(buffer);
  buffer->NdisPoolHandle = handle();
  list->FirstNetBuffer = buffer;
  if (parameters_.data_size == 0) return;
  auto* const mdl = reinterpret_cast<MDL*>(body + mdl_at_);
  describe_memory(mdl, body + data_at_, parameters_.data_size);
  set_data(buffer, mdl, 0, 0);
}

NET_BUFFER_LIST* NblPool::allocate(kernel::Driver* owner, std::size_t context_size,
                                   std::size_t context_backfill) noexcept {
  auto* const item = static_cast<NblItem*>(lists_->take(owner));
  if (item == nullptr) return nullptr;
  NET_BUFFER_LIST* const list = item->body();
  clear(list);
  const std::size_t context = context_size + context_backfill;
  if (context != 0) {
    if (context <= room_) {
      give_context(list, context_size, context_backfill);
    } else if (!push_context(list, context_size, context_backfill)) {
      free(list);
      return nullptr;
    }
    item->initial_context = list->Context;
  }
  return list;
}

void NblPool::free(NET_BUFFER_LIST* list) noexcept {
  NblItem* const item = item_of(list);
  while (list->Context != nullptr) pop_context(list);
  DriverPool* const pool = item->pool->of;
  item->pool->give(item);
  pool->block_returned();
}

NET_BUFFER_LIST* NblPool::allocate_quickly(std::size_t context_size, std::size_t context_backfill,
                                           Derived how) noexcept {
  const std::size_t context = context_size + context_backfill;
  if (context > room_) [[unlikely]]
    return nullptr;
  auto* const item =
      static_cast<NblItem*>(lists_->take_quickly<ItemKind::NetBufferList>(static_cast<std::uint8_t>(how)));
  if (item == nullptr) [[unlikely]]
    return nullptr;
  NET_BUFFER_LIST* const list = item->body();
  clear(list);
  if (context != 0) give_context(list, context_size, context_backfill);
  item->initial_context = list->Context;
  return list;
}

// ---- buffers ----

NbPool::NbPool(kernel::Driver* owner, ULONG tag, ULONG data_size)
    : DriverPool(HandleKind::NetBufferPool, ItemKind::NetBuffer, owner, tag), data_size_(data_size) {
  std::size_t size = in_16s(sizeof(NET_BUFFER));
  if (data_size != 0) {
    data_at_ = size + mdl_size(data_size);
    size = data_at_ + data_size;
  }
  buffers_ = &add_blocks(sizeof(NbItem), size, size);
}

inline NET_BUFFER* NbPool::made(NET_BUFFER* buffer, bool with_data) const noexcept {
  detail::set_zero<sizeof(*buffer)>(buffer);
  buffer->NdisPoolHandle = handle();
  if (with_data && data_size_ != 0) {
    auto* const mdl = reinterpret_cast<MDL*>(reinterpret_cast<char*>(buffer) + in_16s(sizeof(NET_BUFFER)));
    describe_memory(mdl, reinterpret_cast<char*>(buffer) + data_at_, data_size_);
    set_data(buffer, mdl, 0, 0);
  }
  return buffer;
}

NET_BUFFER* NbPool::allocate(kernel::Driver* owner, bool with_data) noexcept {
  auto* const item = static_cast<NbItem*>(buffers_->take(owner));
  return item != nullptr ? made(item->body(), with_data) : nullptr;
}

NET_BUFFER* NbPool::allocate_quickly(bool with_data) noexcept {
  auto* const item = static_cast<NbItem*>(buffers_->take_quickly<ItemKind::NetBuffer>(0));
  return item != nullptr ? made(item->body(), with_data) : nullptr;
}

void NbPool::free(NET_BUFFER* buffer) noexcept {
  NbItem* const item = item_of(buffer);
  DriverPool* const pool = item->pool->of;
  item->pool->give(item);
  pool->block_returned();
}

// ---- context space ----

bool NblPool::push_context(NET_BUFFER_LIST* list, std::size_t size, std::size_t backfill) noexcept {
  void* const memory = ::operator new (kContextHeader + size + backfill,
                                       std::align_val_t{MEMORY_ALLOCATION_ALIGNMENT}, std::nothrow);
  if (memory == nullptr) return false;
  auto* const context = static_cast<NET_BUFFER_LIST_CONTEXT*>(memory);
  context->Next = list->Context;
  context->Size = static_cast<USHORT>(size + backfill);
  context->Offset = static_cast<USHORT>(backfill);
  list->Context = context;
  return true;
}

void NblPool::pop_context(NET_BUFFER_LIST* list) noexcept {
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  list->Context = context->Next;
  if (!is_inner(list, context)) ::operator delete (context, std::align_val_t{MEMORY_ALLOCATION_ALIGNMENT});
}

NDIS_STATUS add_context(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept {
  if (size % sizeof(void*) != 0 || backfill % sizeof(void*) != 0 || size + backfill > 0xFFFF)
    return NDIS_STATUS_FAILURE;
  if (list->Context == nullptr && !kernel::watches_all()) {
    const auto& pool = static_cast<const NblPool&>(*item_of(list)->pool->of);
    if (size <= pool.room_) {
      pool.give_context(list, size, backfill);
      return NDIS_STATUS_SUCCESS;
    }
  }
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context != nullptr && context->Offset >= size) {
    context->Offset = static_cast<USHORT>(context->Offset - size);
    return NDIS_STATUS_SUCCESS;
  }
  return NblPool::push_context(list, size, backfill) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES;
}

bool remove_context(NET_BUFFER_LIST* list, USHORT size) noexcept {
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context == nullptr || context->Offset + size > context->Size) return false;
  context->Offset = static_cast<USHORT>(context->Offset + size);
  if (context->Offset != context->Size || context == item_of(list)->initial_context) return true;
  // What is in the list's own block stays for the next who wants some.
  if (kernel::watches_all() || !NblPool::is_inner(list, context)) NblPool::pop_context(list);
  return true;
}

// ---- checks ----

bool check_at_rest(NET_BUFFER_LIST* list, const char* what) {
  switch (find_item(ItemKind::NetBufferList, list)) {
  case ItemFound::NotOurs:
    tell_item_misuse(ItemKind::NetBufferList, list, false,
                     fmt::format("what is {} is no net buffer list out of a pool", what));
    return false;
  case ItemFound::Freed:
    tell_item_misuse(ItemKind::NetBufferList, list, false,
                     fmt::format("the net buffer list that is {} was freed before", what),
                     item_of(list)->origin);
    return false;
  case ItemFound::Live:
    break;
  }
  const NblItem* const item = item_of(list);
  if (item->state == ItemState::Sent || item->state == ItemState::Indicated) {
    tell_item_misuse(
        ItemKind::NetBufferList, list, false,
        fmt::format("the net buffer list is {} while it is {}, and with {}", what,
                    item->state == ItemState::Sent ? "sent and not completed" : "indicated and not returned",
                    item->holder != nullptr ? item->holder->name() : "NDIS"),
        item->origin);
    return false;
  }
  if (kernel::watches_all() && !acts_for(caller().driver, item->holder)) {
    tell_item_misuse(ItemKind::NetBufferList, list, false,
                     fmt::format("the net buffer list that is {} belongs to {}", what, item->holder->name()),
                     item->origin);
    return false;
  }
  return true;
}

bool check_live(NET_BUFFER* buffer, const char* what) {
  const ItemFound found = find_item(ItemKind::NetBuffer, buffer);
  if (found == ItemFound::Live) return true;
  tell_item_misuse(ItemKind::NetBuffer, buffer, false,
                   found == ItemFound::Freed
                       ? fmt::format("the net buffer that is {} was freed before", what)
                       : fmt::format("what is {} is no net buffer out of a pool of net buffers", what),
                   found == ItemFound::Freed ? item_of(buffer)->origin : kernel::Stack{});
  return false;
}

}  // namespace undis
