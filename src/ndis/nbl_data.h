// SPDX-License-Identifier: MIT
//
// The data of a net buffer: where it begins in its MDL chain, moving that, reading and copying it; and lists
// made from lists. Pages: network/net-buffer-data-packaging, network/derived-net-buffer-list-structures.
#pragma once

#include <ndis.h>

#include "kernel/call.h"

namespace undis {

using AllocateMdl = kernel::callback<PMDL(PULONG)>;
using FreeMdl = kernel::callback<VOID(PMDL)>;

/// Sets CurrentMdl and CurrentMdlOffset by DataOffset.
inline void adjust_current_mdl(NET_BUFFER* buffer) noexcept {
  MDL* mdl = buffer->MdlChain;
  ULONG offset = buffer->DataOffset;
  while (mdl != nullptr && offset >= mdl->ByteCount && mdl->Next != nullptr) {
    offset -= mdl->ByteCount;
    mdl = mdl->Next;
  }
  buffer->CurrentMdl = mdl;
  buffer->CurrentMdlOffset = offset;
}
/// Makes the buffer describe `length` bytes of the chain from `offset` on.
inline void set_data(NET_BUFFER* buffer, MDL* chain, ULONG offset, SIZE_T length) noexcept {
  buffer->MdlChain = chain;
  buffer->DataOffset = offset;
  buffer->stDataLength = length;
  adjust_current_mdl(buffer);
}
/// NDIS_STATUS_SUCCESS or RESOURCES.
NDIS_STATUS retreat(NET_BUFFER* buffer, ULONG delta, ULONG backfill, AllocateMdl allocate);
/// False: there is less data than is to be released.
bool advance(NET_BUFFER* buffer, ULONG delta, bool free_mdl, FreeMdl free);
void* data_buffer(NET_BUFFER* buffer, ULONG bytes, void* storage, UINT align_multiple,
                  UINT align_offset) noexcept;
ULONG copy_data(NET_BUFFER* to, ULONG to_offset, ULONG bytes, NET_BUFFER* from, ULONG from_offset) noexcept;
ULONG physical_count(const NET_BUFFER* buffer) noexcept;

/// How a list was made from another; `free_derived` checks it.
enum class Derived : std::uint8_t { No, Clone, CloneOfMdls, Fragments, Reassembled };

class NblPool;
class NbPool;
/// Null pools: NDIS' own. nullptr: no memory.
NET_BUFFER_LIST* clone(kernel::Driver* owner, NET_BUFFER_LIST* original, NblPool* lists, NbPool* buffers,
                       bool original_mdls) noexcept;
NET_BUFFER_LIST* fragment(kernel::Driver* owner, NET_BUFFER_LIST* original, NblPool* lists, NbPool* buffers,
                          ULONG start, ULONG max_length, ULONG delta, ULONG backfill) noexcept;
NET_BUFFER_LIST* reassemble(kernel::Driver* owner, NET_BUFFER_LIST* fragments, NblPool* lists, ULONG start,
                            ULONG delta, ULONG backfill) noexcept;
/// Frees a derived list with its buffers and the MDLs that NDIS made for it.
void free_derived(NET_BUFFER_LIST* list, ULONG delta) noexcept;
Derived derived(NET_BUFFER_LIST* list) noexcept;

void copy_send_info(NET_BUFFER_LIST* to, const NET_BUFFER_LIST* from) noexcept;
void copy_receive_info(NET_BUFFER_LIST* to, const NET_BUFFER_LIST* from) noexcept;

}  // namespace undis
