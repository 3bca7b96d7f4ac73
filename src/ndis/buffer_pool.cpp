// SPDX-License-Identifier: MIT
//
// MDLs of NDIS, and walking chains of MDLs.
#include "ndis/buffer_pool.h"

#include <algorithm>
#include <cstring>

#include "ndis/library.h"

namespace undis {
namespace {

constexpr std::size_t round16(std::size_t n) {
  return (n + 15) / 16 * 16;
}
constexpr std::size_t mdl_size(std::size_t pages) {
  return round16(sizeof(MDL) + pages * sizeof(PFN_NUMBER));
}
constexpr std::size_t pages_for(std::size_t bytes) {
  return bytes / PAGE_SIZE + 2;
}

}  // namespace

BufferPool::BufferPool(kernel::Driver* owner)
    : DriverPool(HandleKind::BufferPool, ItemKind::Buffer, owner, 0) {
  for (std::size_t i = 0; i < std::size(kPages); ++i)
    pages_[i] = &add_blocks(sizeof(BufferItem), mdl_size(kPages[i]), sizeof(MDL));
  for (std::size_t i = 0; i < std::size(kData); ++i) {
    const std::size_t size = mdl_size(pages_for(kData[i])) + kData[i];
    data_[i] = &add_blocks(sizeof(BufferItem), size, size);
  }
}

MDL* BufferPool::describe(kernel::Driver* owner, void* address, std::size_t length) noexcept {
  const std::size_t pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
  for (std::size_t i = 0; i < std::size(kPages); ++i) {
    if (pages > kPages[i]) continue;
    auto* const item = static_cast<BufferItem*>(pages_[i]->take(owner));
    if (item == nullptr) return nullptr;
    describe_memory(item->body(), address, length);
    return item->body();
  }
  return nullptr;
}

MDL* BufferPool::with_data(kernel::Driver* owner, std::size_t length) noexcept {
  for (std::size_t i = 0; i < std::size(kData); ++i) {
    if (length > kData[i]) continue;
    auto* const item = static_cast<BufferItem*>(data_[i]->take(owner));
    if (item == nullptr) return nullptr;
    item->data_room = kData[i];
    describe_memory(item->body(), reinterpret_cast<char*>(item->body()) + mdl_size(pages_for(kData[i])),
                    length);
    return item->body();
  }
  return nullptr;
}

void BufferPool::free(MDL* mdl) noexcept {
  BufferItem* const item = item_of(mdl);
  DriverPool* const pool = item->pool->of;
  item->pool->give(item);
  pool->block_returned();
}

MDL* describe_part(MDL* chain, std::size_t offset, std::size_t length) noexcept {
  MDL* first = nullptr;
  MDL** link = &first;
  for (MDL* mdl = chain; mdl != nullptr && length != 0; mdl = mdl->Next) {
    if (offset >= mdl->ByteCount) {
      offset -= mdl->ByteCount;
      continue;
    }
    const std::size_t here = std::min<std::size_t>(length, mdl->ByteCount - offset);
    *link = ItemBook::current().mdls().describe(nullptr, bytes_of(mdl) + offset, here);
    if (*link == nullptr) break;
    link = &(*link)->Next;
    length -= here;
    offset = 0;
  }
  if (length == 0) return first;
  free_mdls(first);
  return nullptr;
}

void free_mdls(MDL* chain) noexcept {
  while (chain != nullptr) {
    MDL* const next = chain->Next;
    if (find_item(ItemKind::Buffer, chain) == ItemFound::Live && item_of(chain)->owner == nullptr)
      BufferPool::free(chain);
    chain = next;
  }
}

std::size_t copy_out(void* to, const MDL* from, std::size_t offset, std::size_t length) noexcept {
  std::size_t done = 0;
  for (const MDL* mdl = from; mdl != nullptr && done != length; mdl = mdl->Next) {
    if (offset >= mdl->ByteCount) {
      offset -= mdl->ByteCount;
      continue;
    }
    const std::size_t here = std::min<std::size_t>(length - done, mdl->ByteCount - offset);
    std::memcpy(static_cast<char*>(to) + done, bytes_of(mdl) + offset, here);
    done += here;
    offset = 0;
  }
  return done;
}

std::size_t copy_chain(MDL* to, std::size_t to_offset, const MDL* from, std::size_t from_offset,
                       std::size_t length) noexcept {
  std::size_t done = 0;
  for (MDL* mdl = to; mdl != nullptr && done != length; mdl = mdl->Next) {
    if (to_offset >= mdl->ByteCount) {
      to_offset -= mdl->ByteCount;
      continue;
    }
    const std::size_t here = std::min<std::size_t>(length - done, mdl->ByteCount - to_offset);
    const std::size_t copied = copy_out(bytes_of(mdl) + to_offset, from, from_offset + done, here);
    done += copied;
    to_offset = 0;
    if (copied != here) break;
  }
  return done;
}

std::size_t chain_length(const MDL* chain) noexcept {
  std::size_t sum = 0;
  for (const MDL* mdl = chain; mdl != nullptr; mdl = mdl->Next) sum += mdl->ByteCount;
  return sum;
}

}  // namespace undis
