// SPDX-License-Identifier: MIT
//
// Moving the start of a net buffer's data, reading it and copying it.
#include "ndis/nbl_data.h"

#include <algorithm>

#include "ndis/buffer_pool.h"
#include "ndis/item.h"

namespace undis {
namespace {

constexpr kernel::CallbackInfo kNetAllocateMdl{"NetAllocateMdl", DISPATCH_LEVEL, true};
constexpr kernel::CallbackInfo kNetFreeMdl{"NetFreeMdl", DISPATCH_LEVEL, true};

/// One MDL in front of the chain, with at least `size` bytes; `size` is set to how many it has.
MDL* new_front(ULONG& size, AllocateMdl allocate) {
  if (!allocate) return ItemBook::current().mdls().with_data(nullptr, size);
  MDL* const mdl = kernel::call_driver(caller().driver, kNetAllocateMdl, nullptr, nullptr, allocate, &size);
  if (mdl != nullptr) size = std::min<ULONG>(size, mdl->ByteCount);
  return mdl;
}

}  // namespace

NDIS_STATUS retreat(NET_BUFFER* buffer, ULONG delta, ULONG backfill, AllocateMdl allocate) {
  if (delta <= buffer->DataOffset) {
    buffer->DataOffset -= delta;
  } else {
    // What there is of unused space directly before the data is used first; the rest goes into an MDL in
    // front of the chain.
    const ULONG missing = delta - buffer->DataOffset;
    ULONG size = missing + backfill;
    if (size < missing) return NDIS_STATUS_RESOURCES;
    MDL* const mdl = new_front(size, allocate);
    if (mdl == nullptr) return NDIS_STATUS_RESOURCES;
    if (size < missing) return NDIS_STATUS_FAILURE;
    mdl->Next = buffer->MdlChain;
    buffer->MdlChain = mdl;
    buffer->DataOffset = size - missing;
  }
  buffer->stDataLength += delta;
  adjust_current_mdl(buffer);
  return NDIS_STATUS_SUCCESS;
}

bool advance(NET_BUFFER* buffer, ULONG delta, bool free_mdl, FreeMdl free) {
  if (delta > buffer->stDataLength) return false;
  buffer->DataOffset += delta;
  buffer->stDataLength -= delta;
  while (free_mdl && buffer->MdlChain != nullptr) {
    MDL* const mdl = buffer->MdlChain;
    const bool ours = find_item(ItemKind::Buffer, mdl) == ItemFound::Live && item_of(mdl)->owner == nullptr &&
                      item_of(mdl)->data_room != 0;
    const bool unused =
        buffer->DataOffset >= mdl->ByteCount && (mdl->Next != nullptr || buffer->stDataLength == 0);
    if (!unused || (!ours && !free)) break;
    buffer->DataOffset -= mdl->ByteCount;
    buffer->MdlChain = mdl->Next;
    mdl->Next = nullptr;
    if (ours) {
      BufferPool::free(mdl);
    } else {
      kernel::call_driver(caller().driver, kNetFreeMdl, nullptr, nullptr, free, mdl);
    }
  }
  adjust_current_mdl(buffer);
  return true;
}

void* data_buffer(NET_BUFFER* buffer, ULONG bytes, void* storage, UINT align_multiple,
                  UINT align_offset) noexcept {
  if (buffer->DataLength < bytes || buffer->CurrentMdl == nullptr) return nullptr;
  MDL* const mdl = buffer->CurrentMdl;
  if (buffer->CurrentMdlOffset + bytes <= mdl->ByteCount) {
    unsigned char* const at = bytes_of(mdl) + buffer->CurrentMdlOffset;
    if (align_multiple <= 1 || (reinterpret_cast<std::uintptr_t>(at) - align_offset) % align_multiple == 0)
      return at;
  }
  if (storage == nullptr) return nullptr;
  return copy_out(storage, mdl, buffer->CurrentMdlOffset, bytes) == bytes ? storage : nullptr;
}

ULONG copy_data(NET_BUFFER* to, ULONG to_offset, ULONG bytes, NET_BUFFER* from, ULONG from_offset) noexcept {
  if (from_offset >= from->DataLength) return 0;
  bytes = std::min(bytes, from->DataLength - from_offset);
  return static_cast<ULONG>(copy_chain(to->CurrentMdl, to->CurrentMdlOffset + to_offset, from->CurrentMdl,
                                       from->CurrentMdlOffset + from_offset, bytes));
}

ULONG physical_count(const NET_BUFFER* buffer) noexcept {
  ULONG pages = 0;
  std::size_t left = buffer->DataLength;
  std::size_t offset = buffer->CurrentMdlOffset;
  for (const MDL* mdl = buffer->CurrentMdl; mdl != nullptr && left != 0; mdl = mdl->Next) {
    const std::size_t here = std::min<std::size_t>(left, mdl->ByteCount - offset);
    pages += ADDRESS_AND_SIZE_TO_SPAN_PAGES(bytes_of(mdl) + offset, here);
    left -= here;
    offset = 0;
  }
  return pages;
}

}  // namespace undis
