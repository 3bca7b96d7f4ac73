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

constexpr std::size_t round16(std::size_t n) {
  return (n + 15) / 16 * 16;
}
constexpr std::size_t mdl_size(std::size_t data) {
  return round16(sizeof(MDL) + (data / PAGE_SIZE + 2) * sizeof(PFN_NUMBER));
}
constexpr std::size_t kContextAt = round16(sizeof(NET_BUFFER_LIST));
constexpr std::size_t kContextHeader = offsetof(NET_BUFFER_LIST_CONTEXT, ContextData);

NET_BUFFER_LIST_CONTEXT* inline_context(NET_BUFFER_LIST* list) noexcept {
  return reinterpret_cast<NET_BUFFER_LIST_CONTEXT*>(reinterpret_cast<char*>(list) + kContextAt);
}

std::size_t body_size(const NblPool::Parameters& p, std::size_t& buffer_at, std::size_t& mdl_at,
                      std::size_t& data_at) {
  std::size_t size = kContextAt;
  if (p.context_size != 0) size += kContextHeader + round16(p.context_size);
  buffer_at = size;
  if (p.with_buffer) size += round16(sizeof(NET_BUFFER));
  mdl_at = size;
  data_at = mdl_at + mdl_size(p.data_size);
  return p.with_buffer && p.data_size != 0 ? data_at + p.data_size : size;
}

bool push_context(NET_BUFFER_LIST* list, std::size_t size, std::size_t backfill) noexcept {
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

void pop_context(NET_BUFFER_LIST* list) noexcept {
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  list->Context = context->Next;
  if (context != inline_context(list))
    ::operator delete (context, std::align_val_t{MEMORY_ALLOCATION_ALIGNMENT});
}

}  // namespace

// ---- lists ----

NblPool::NblPool(kernel::Driver* owner, const Parameters& parameters)
    : DriverPool(HandleKind::NblPool, ItemKind::NetBufferList, owner, parameters.tag),
      parameters_(parameters) {
  const std::size_t size = body_size(parameters_, buffer_at_, mdl_at_, data_at_);
  lists_ = &add_blocks(sizeof(NblItem), size, size);
}

NET_BUFFER_LIST* NblPool::allocate(kernel::Driver* owner, std::size_t context_size,
                                   std::size_t context_backfill) noexcept {
  auto* const item = static_cast<NblItem*>(lists_->take(owner));
  if (item == nullptr) return nullptr;
  NET_BUFFER_LIST* const list = item->body();
  std::memset(static_cast<void*>(list), 0, sizeof(*list));
  list->NdisPoolHandle = handle();
  NdisSetNetBufferListProtocolId(list, parameters_.protocol_id);
  const std::size_t context = context_size + context_backfill;
  if (context != 0) {
    if (context <= parameters_.context_size) {
      list->Context = inline_context(list);
      list->Context->Next = nullptr;
      list->Context->Size = static_cast<USHORT>(context);
      list->Context->Offset = static_cast<USHORT>(context_backfill);
    } else if (!push_context(list, context_size, context_backfill)) {
      free(list);
      return nullptr;
    }
    item->initial_context = list->Context;
  }
  if (parameters_.with_buffer) {
    auto* const body = reinterpret_cast<char*>(list);
    auto* const buffer = reinterpret_cast<NET_BUFFER*>(body + buffer_at_);
    std::memset(static_cast<void*>(buffer), 0, sizeof(*buffer));
    buffer->NdisPoolHandle = handle();
    list->FirstNetBuffer = buffer;
    if (parameters_.data_size != 0) {
      auto* const mdl = reinterpret_cast<MDL*>(body + mdl_at_);
      describe_memory(mdl, body + data_at_, parameters_.data_size);
      set_data(buffer, mdl, 0, 0);
    }
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

// ---- buffers ----

NbPool::NbPool(kernel::Driver* owner, ULONG tag, ULONG data_size)
    : DriverPool(HandleKind::NetBufferPool, ItemKind::NetBuffer, owner, tag), data_size_(data_size) {
  std::size_t size = round16(sizeof(NET_BUFFER));
  if (data_size != 0) {
    data_at_ = size + mdl_size(data_size);
    size = data_at_ + data_size;
  }
  buffers_ = &add_blocks(sizeof(NbItem), size, size);
}

NET_BUFFER* NbPool::allocate(kernel::Driver* owner, bool with_data) noexcept {
  auto* const item = static_cast<NbItem*>(buffers_->take(owner));
  if (item == nullptr) return nullptr;
  NET_BUFFER* const buffer = item->body();
  std::memset(static_cast<void*>(buffer), 0, sizeof(*buffer));
  buffer->NdisPoolHandle = handle();
  if (with_data && data_size_ != 0) {
    auto* const mdl = reinterpret_cast<MDL*>(reinterpret_cast<char*>(buffer) + round16(sizeof(NET_BUFFER)));
    describe_memory(mdl, reinterpret_cast<char*>(buffer) + data_at_, data_size_);
    set_data(buffer, mdl, 0, 0);
  }
  return buffer;
}

void NbPool::free(NET_BUFFER* buffer) noexcept {
  NbItem* const item = item_of(buffer);
  DriverPool* const pool = item->pool->of;
  item->pool->give(item);
  pool->block_returned();
}

void set_data(NET_BUFFER* buffer, MDL* chain, ULONG offset, SIZE_T length) noexcept {
  buffer->MdlChain = chain;
  buffer->DataOffset = offset;
  buffer->stDataLength = length;
  adjust_current_mdl(buffer);
}

// ---- context space ----

NDIS_STATUS add_context(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept {
  if (size % sizeof(void*) != 0 || backfill % sizeof(void*) != 0 || size + backfill > 0xFFFF)
    return NDIS_STATUS_FAILURE;
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context != nullptr && context->Offset >= size) {
    context->Offset = static_cast<USHORT>(context->Offset - size);
    return NDIS_STATUS_SUCCESS;
  }
  return push_context(list, size, backfill) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES;
}

bool remove_context(NET_BUFFER_LIST* list, USHORT size) noexcept {
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context == nullptr || context->Offset + size > context->Size) return false;
  context->Offset = static_cast<USHORT>(context->Offset + size);
  if (context->Offset == context->Size && context != item_of(list)->initial_context) pop_context(list);
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
