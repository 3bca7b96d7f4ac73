// SPDX-License-Identifier: MIT
//
// MDLs that NDIS makes: a 5.x driver's NDIS_BUFFERs, pieces of other MDLs, and MDLs with data of their own.
#pragma once

#include <cstddef>

#include <ndis.h>

#include "ndis/items.h"

namespace undis {

class BufferPool final : public DriverPool {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::BufferPool};
  explicit BufferPool(kernel::Driver* owner);

  /// An MDL for non-paged memory; nullptr: no memory, or more than kMaxLength.
  MDL* describe(kernel::Driver* owner, void* address, std::size_t length) noexcept;
  /// An MDL with its own bytes behind it.
  MDL* with_data(kernel::Driver* owner, std::size_t length) noexcept;
  /// Gives back an MDL of any BufferPool. The caller has looked that it is one.
  static void free(MDL* mdl) noexcept;

  static constexpr std::size_t kMaxLength = 1024 * 1024;

 private:
  static constexpr std::size_t kPages[] = {2, 17, 257};
  static constexpr std::size_t kData[] = {256, 2048, 66 * 1024, kMaxLength};
  ItemPool* pages_[std::size(kPages)];
  ItemPool* data_[std::size(kData)];
};

/// Makes `mdl` (with room for the page frames) describe non-paged memory.
inline void describe_memory(MDL* mdl, void* address, std::size_t length) noexcept {
  MmInitializeMdl(mdl, address, length);
  mdl->MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
  mdl->Process = nullptr;
  mdl->MappedSystemVa = address;
  const auto first = reinterpret_cast<std::uintptr_t>(address) >> PAGE_SHIFT;
  const ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
  for (ULONG i = 0; i < pages; ++i) MmGetMdlPfnArray(mdl)[i] = first + i;
}
/// Where an MDL's bytes are in the one address space there is.
inline unsigned char* bytes_of(const MDL* mdl) noexcept {
  if (mdl->StartVa != nullptr) return static_cast<unsigned char*>(mdl->StartVa) + mdl->ByteOffset;
  // Pages without an address (MmAllocatePagesForMdl): a frame number is an address here.
  return reinterpret_cast<unsigned char*>((MmGetMdlPfnArray(mdl)[0] << PAGE_SHIFT) + mdl->ByteOffset);
}

/// New MDLs of NDIS for `length` bytes of a chain from `offset` on; nullptr: no memory, or the chain is
/// shorter.
MDL* describe_part(MDL* chain, std::size_t offset, std::size_t length) noexcept;
/// Frees the MDLs of a chain that NDIS made.
void free_mdls(MDL* chain) noexcept;

/// Copies between two chains, each from an offset on; the number of bytes copied.
std::size_t copy_chain(MDL* to, std::size_t to_offset, const MDL* from, std::size_t from_offset,
                       std::size_t length) noexcept;
/// Copies out of a chain into memory; the number of bytes copied.
std::size_t copy_out(void* to, const MDL* from, std::size_t offset, std::size_t length) noexcept;
std::size_t chain_length(const MDL* chain) noexcept;

}  // namespace undis
