// SPDX-License-Identifier: MIT
//
// Lists of drivers that are not watched, from their pool and back: what an entry point does before anything
// else, in the entry point itself.
//
// Each says by nullptr or false that this one is not for it, and has then done nothing.
#pragma once

#include "ndis/buffer_pool.h"
#include "ndis/nbl_pool.h"

namespace undis {

inline NET_BUFFER_LIST* NblPool::allocate_empty_quickly(Derived how) noexcept {
  auto* const item = static_cast<NblItem*>(
      empty_lists_->take_quickly<ItemKind::NetBufferList>(static_cast<std::uint8_t>(how)));
  if (item == nullptr) [[unlikely]]
    return nullptr;
  item->initial_context = nullptr;
  NET_BUFFER_LIST* const list = item->body();
  auto* const buffer = reinterpret_cast<NET_BUFFER*>(reinterpret_cast<char*>(list) + kBufferAt);
  detail::set_zero<sizeof(*list)>(list);
  detail::set_zero<sizeof(*buffer)>(buffer);
  list->FirstNetBuffer = buffer;
  list->NdisPoolHandle = buffer->NdisPoolHandle = handle();
  NdisSetNetBufferListProtocolId(list, parameters_.protocol_id);
  return list;
}

inline bool NblPool::free_quickly(NET_BUFFER_LIST* list, Derived how) noexcept {
  if (!is_live(ItemKind::NetBufferList, list)) [[unlikely]]
    return false;
  NblItem* const item = item_of(list);
  if (item->state != ItemState::Held || item->derived != static_cast<std::uint8_t>(how)) [[unlikely]]
    return false;
  const NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context != nullptr && (context->Next != nullptr || !is_inner(list, context))) [[unlikely]]
    return false;
  if (how != Derived::No) {  // its one buffer, and its MDL, go with it; others have to be looked for
    const NET_BUFFER* const buffer = list->FirstNetBuffer;
    if (reinterpret_cast<const char*>(buffer) != reinterpret_cast<const char*>(list) + kBufferAt ||
        buffer->Next != nullptr) [[unlikely]]
      return false;
    if (how == Derived::Clone && (buffer->MdlChain != inner_mdl(list) || buffer->MdlChain->Next != nullptr))
        [[unlikely]]
      return false;
  }
  return ItemPool::give_quickly<ItemKind::NetBufferList>(item);
}

inline bool NblPool::add_context_quickly(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept {
  if (!is_live_for_quick_call(ItemKind::NetBufferList, list)) [[unlikely]]
    return false;
  if (size % sizeof(void*) != 0) [[unlikely]]
    return false;
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context != nullptr) [[likely]] {
    if (context->Offset < size) [[unlikely]]
      return false;
    context->Offset = static_cast<USHORT>(context->Offset - size);
    return true;
  }
  const auto& pool = static_cast<const NblPool&>(*item_of(list)->pool->of);
  if (size + backfill > static_cast<int>(pool.room_) || backfill % sizeof(void*) != 0) return false;
  pool.give_context(list, size, backfill);
  return true;
}

inline bool NblPool::remove_context_quickly(NET_BUFFER_LIST* list, USHORT size) noexcept {
  if (!is_live_for_quick_call(ItemKind::NetBufferList, list)) [[unlikely]]
    return false;
  NET_BUFFER_LIST_CONTEXT* const context = list->Context;
  if (context == nullptr) [[unlikely]]
    return false;
  const int offset = context->Offset + size;
  // The last one stays with the list: it is there for who wants some next.
  if (offset > context->Size || (offset == context->Size && context->Next != nullptr)) [[unlikely]]
    return false;
  context->Offset = static_cast<USHORT>(offset);
  return true;
}

/// Makes the MDL in a list's block describe at most a page of bytes, which lie in two pages at most.
inline void describe_inner(MDL* mdl, unsigned char* address, ULONG length) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  mdl->Next = nullptr;
  mdl->Size = static_cast<CSHORT>(sizeof(MDL) + NblPool::kInnerPages * sizeof(PFN_NUMBER));
  mdl->MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
  mdl->Process = nullptr;
  mdl->MappedSystemVa = address;
  mdl->StartVa = reinterpret_cast<void*>(at & ~static_cast<std::uintptr_t>(PAGE_SIZE - 1));
  mdl->ByteCount = length;
  mdl->ByteOffset = static_cast<ULONG>(at % PAGE_SIZE);
  MmGetMdlPfnArray(mdl)[0] = at >> PAGE_SHIFT;
  MmGetMdlPfnArray(mdl)[1] = (at >> PAGE_SHIFT) + 1;
}

/// A clone of a list with one buffer, whose data is in one MDL if it is to have one of its own.
[[gnu::always_inline]] inline NET_BUFFER_LIST* clone_quickly(const NET_BUFFER_LIST* original, NblPool& lists,
                                                             bool original_mdls) noexcept {
  const NET_BUFFER* const from = original->FirstNetBuffer;
  if (!lists.gives_empty_buffers() || from == nullptr || from->Next != nullptr) [[unlikely]]
    return nullptr;
  MDL* const mdl = from->CurrentMdl;
  const ULONG offset = from->CurrentMdlOffset;
  const ULONG length = from->DataLength;
  if (mdl == nullptr || offset >= mdl->ByteCount) [[unlikely]]
    return nullptr;
  if (original_mdls) {
    NET_BUFFER_LIST* const list = lists.allocate_empty_quickly(Derived::CloneOfMdls);
    if (list == nullptr) [[unlikely]]
      return nullptr;
    NET_BUFFER* const buffer = list->FirstNetBuffer;
    buffer->CurrentMdl = buffer->MdlChain = mdl;
    buffer->CurrentMdlOffset = buffer->DataOffset = offset;
    buffer->stDataLength = from->stDataLength;
    buffer->ChecksumBias = from->ChecksumBias;
    return list;
  }
  if (length > mdl->ByteCount - offset || length - 1 >= (NblPool::kInnerPages - 1) * PAGE_SIZE) [[unlikely]]
    return nullptr;
  NET_BUFFER_LIST* const list = lists.allocate_empty_quickly(Derived::Clone);
  if (list == nullptr) [[unlikely]]
    return nullptr;
  NET_BUFFER* const buffer = list->FirstNetBuffer;
  MDL* const part = NblPool::inner_mdl(list);
  describe_inner(part, bytes_of(mdl) + offset, length);
  buffer->CurrentMdl = buffer->MdlChain = part;
  buffer->stDataLength = length;
  buffer->ChecksumBias = from->ChecksumBias;
  return list;
}

}  // namespace undis
