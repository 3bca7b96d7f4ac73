// SPDX-License-Identifier: MIT
//
// Pools of NET_BUFFER_LISTs and of NET_BUFFERs.
// Pages: nblapi/nf-nblapi-ndisallocatenetbufferlistpool, nblapi/nf-nblapi-ndisallocatenetbufferpool,
// network/net-buffer-architecture.
//
// Layout  body of a list: NET_BUFFER_LIST; context space, if the pool has some; NET_BUFFER, if the pool gives
// one; MDL and data, if
//         the pool has a data size.
#pragma once

#include <ndis.h>

#include "ndis/items.h"

namespace undis {

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

 private:
  const Parameters parameters_;
  std::size_t buffer_at_ = 0;  ///< offsets in the body
  std::size_t mdl_at_ = 0;
  std::size_t data_at_ = 0;
  ItemPool* lists_;
};

class NbPool final : public DriverPool {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::NetBufferPool};
  NbPool(kernel::Driver* owner, ULONG tag, ULONG data_size);

  ULONG data_size() const noexcept { return data_size_; }
  /// A buffer without data; with `with_data`, with the pool's MDL and data.
  NET_BUFFER* allocate(kernel::Driver* owner, bool with_data) noexcept;
  static void free(NET_BUFFER* buffer) noexcept;

 private:
  const ULONG data_size_;
  std::size_t data_at_ = 0;
  ItemPool* buffers_;
};

/// Makes the buffer describe `length` bytes of the chain from `offset` on.
void set_data(NET_BUFFER* buffer, MDL* chain, ULONG offset, SIZE_T length) noexcept;

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
