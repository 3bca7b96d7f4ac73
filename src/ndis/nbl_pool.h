// SPDX-License-Identifier: MIT
//
// Pools of NET_BUFFER_LISTs and of NET_BUFFERs.
// Pages: nblapi/nf-nblapi-ndisallocatenetbufferlistpool, nblapi/nf-nblapi-ndisallocatenetbufferpool,
// network/net-buffer-architecture.
//
// Layout  body of a list: NET_BUFFER_LIST; if the pool gives buffers: NET_BUFFER, MDL for a clone's data;
//         context space; MDL and data, if the pool has a data size.
// Quick   What is often done with a list of a driver that is not watched: nbl_quick.h.
#pragma once

#include <utility>

#include <ndis.h>

#include "ndis/items.h"
#include "ndis/nbl_data.h"

namespace undis {

constexpr std::size_t in_16s(std::size_t n) {
  return (n + 15) / 16 * 16;
}

namespace detail {
constexpr std::size_t kWord = 16;
using Word [[gnu::vector_size(kWord), gnu::may_alias]] = long long;
template <std::size_t... I>
[[gnu::always_inline]] inline void set_zero(void* at, std::index_sequence<I...>) noexcept {
  ((static_cast<Word*>(at)[I] = Word{}), ...);
}
/// Of a size that is known: the compiler's own way, a string instruction or a call, is slower.
template <std::size_t size>
requires(size % kWord == 0) [[gnu::always_inline]] inline void set_zero(void* at) noexcept {
  set_zero(at, std::make_index_sequence<size / kWord>{});
}
}  // namespace detail

class NblPool final : public DriverPool {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::NblPool};
  struct Parameters {
    ULONG tag = 0;
    UCHAR protocol_id = 0;
    bool with_buffer = false;
    USHORT context_size = 0;
    ULONG data_size = 0;
  };
  NblPool(kernel::Driver* owner, const Parameters& parameters);

  const Parameters& parameters() const noexcept { return parameters_; }
  /// A list, with what the pool gives along. nullptr: no memory.
  NET_BUFFER_LIST* allocate(kernel::Driver* owner, std::size_t context_size,
                            std::size_t context_backfill) noexcept;
  /// Gives back a list of any NblPool, with its context space. The caller has looked that it is one, and that
  /// it may go.
  static void free(NET_BUFFER_LIST* list) noexcept;

  /// nullptr: allocate() does it. The first: without context space, of a pool that gives_empty_buffers().
  [[gnu::always_inline]] NET_BUFFER_LIST* allocate_empty_quickly(Derived how) noexcept;
  NET_BUFFER_LIST* allocate_quickly(std::size_t context_size, std::size_t context_backfill,
                                    Derived how) noexcept;
  /// Of a list that is live and not on its way, `how` it was made. False: nothing is done.
  [[gnu::always_inline]] static bool free_quickly(NET_BUFFER_LIST* list, Derived how) noexcept;
  /// False: add_context(), remove_context() do it. Of any live list.
  static bool add_context_quickly(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept;
  static bool remove_context_quickly(NET_BUFFER_LIST* list, USHORT size) noexcept;
  /// Whether a list comes with a buffer that has no data yet.
  bool gives_empty_buffers() const noexcept { return empty_lists_ != nullptr; }
  /// The MDL in the block of a list, for pages of a clone's data.
  static MDL* inner_mdl(NET_BUFFER_LIST* list) noexcept {
    return reinterpret_cast<MDL*>(reinterpret_cast<char*>(list) + kMdlAt);
  }
  static constexpr ULONG kInnerPages = 2;

 private:
  static constexpr std::size_t kBufferAt = in_16s(sizeof(NET_BUFFER_LIST));
  static constexpr std::size_t kMdlAt = kBufferAt + in_16s(sizeof(NET_BUFFER));
  static constexpr std::size_t kContextAtWithBuffer =
      kMdlAt + in_16s(sizeof(MDL) + kInnerPages * sizeof(PFN_NUMBER));
  static constexpr std::size_t kContextAt = kBufferAt;
  static constexpr std::size_t kMoreContext =
      64;  ///< for the drivers below or above, while they are not watched

  static NET_BUFFER_LIST_CONTEXT* context_at(NET_BUFFER_LIST* list, std::size_t at) noexcept {
    return reinterpret_cast<NET_BUFFER_LIST_CONTEXT*>(reinterpret_cast<char*>(list) + at);
  }
  static bool is_inner(NET_BUFFER_LIST* list, const NET_BUFFER_LIST_CONTEXT* context) noexcept {
    return context == context_at(list, kContextAt) || context == context_at(list, kContextAtWithBuffer);
  }
  NET_BUFFER_LIST_CONTEXT* inner_context(NET_BUFFER_LIST* list) const noexcept {
    return context_at(list, parameters_.with_buffer ? kContextAtWithBuffer : kContextAt);
  }
  static bool push_context(NET_BUFFER_LIST* list, std::size_t size, std::size_t backfill) noexcept;
  static void pop_context(NET_BUFFER_LIST* list) noexcept;
  void clear(NET_BUFFER_LIST* list) const noexcept;
  /// Of the list's own room, which has enough. What is left of it is in front, for others.
  void give_context(NET_BUFFER_LIST* list, std::size_t size, std::size_t backfill) const noexcept {
    NET_BUFFER_LIST_CONTEXT* const context = inner_context(list);
    const std::size_t all = kernel::watches_all() ? size + backfill : room_;
    context->Next = nullptr;
    context->Size = static_cast<USHORT>(all);
    context->Offset = static_cast<USHORT>(all - size);
    list->Context = context;
  }
  friend NDIS_STATUS add_context(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept;
  friend bool remove_context(NET_BUFFER_LIST* list, USHORT size) noexcept;

  const Parameters parameters_;
  const std::size_t room_;  ///< for context
  std::size_t mdl_at_ = 0;  ///< offsets in the body
  std::size_t data_at_ = 0;
  ItemPool* lists_;
  ItemPool* empty_lists_ = nullptr;  ///< lists_, if a list comes with a buffer that has no data yet
};

class NbPool final : public DriverPool {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::NetBufferPool};
  NbPool(kernel::Driver* owner, ULONG tag, ULONG data_size);

  ULONG data_size() const noexcept { return data_size_; }
  /// A buffer without data; with `with_data`, with the pool's MDL and data.
  NET_BUFFER* allocate(kernel::Driver* owner, bool with_data) noexcept;
  static void free(NET_BUFFER* buffer) noexcept;
  /// nullptr, false: allocate(), free() does it.
  NET_BUFFER* allocate_quickly(bool with_data) noexcept;
  static bool free_quickly(NET_BUFFER* buffer) noexcept {
    return is_live(ItemKind::NetBuffer, buffer) &&
           ItemPool::give_quickly<ItemKind::NetBuffer>(item_of(buffer));
  }

 private:
  NET_BUFFER* made(NET_BUFFER* buffer, bool with_data) const noexcept;
  const ULONG data_size_;
  std::size_t data_at_ = 0;
  ItemPool* buffers_;
};

/// More context space in front of what the list has: NDIS_STATUS_SUCCESS, RESOURCES or FAILURE (sizes out of
/// range).
NDIS_STATUS add_context(NET_BUFFER_LIST* list, USHORT size, USHORT backfill) noexcept;
/// Gives context space back. False: the list has less.
bool remove_context(NET_BUFFER_LIST* list, USHORT size) noexcept;

/// Whether the caller may free, clone ... a list or a buffer of its own: told if it is none, was freed, or is
/// on its way.
bool check_at_rest(NET_BUFFER_LIST* list, const char* what);
bool check_live(NET_BUFFER* buffer, const char* what);

}  // namespace undis
