// SPDX-License-Identifier: MIT
//
// NdisAllocateMemory and its relatives, over the tagged pool. Each block is the calling driver's.
//
// Beyond  Contiguous and noncached memory is ordinary memory here; how it was asked for is remembered, for
//         the checks of NdisFreeMemory.
//         What no function zeroes is filled with 0xCD.
#include <fmt/format.h>

#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"
#include "kernel/kernel_call.h"
#include "kernel/lookaside.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"

using namespace undis;

namespace {

constexpr ULONG kDefaultTag = 0x4E44616D;  // 'maDN' of the pages
constexpr ULONG kContiguousTag = 0x4E44636D;
constexpr ULONG kNonCachedTag = 0x4E446E6D;
constexpr ULONG kContiguousNonCachedTag = 0x4E44786D;

kernel::Pool& pool() {
  return kernel::System::current().pool();
}

ULONG tag_of_flags(UINT flags) {
  switch (flags & (NDIS_MEMORY_CONTIGUOUS | NDIS_MEMORY_NONCACHED)) {
  case NDIS_MEMORY_CONTIGUOUS:
    return kContiguousTag;
  case NDIS_MEMORY_NONCACHED:
    return kNonCachedTag;
  case 0:
    return kDefaultTag;
  default:
    return kContiguousNonCachedTag;
  }
}

bool has_flags(ULONG tag) {
  return tag == kContiguousTag || tag == kNonCachedTag || tag == kContiguousNonCachedTag;
}

/// nullptr: no memory, or it is to fail.
void* allocate(const DdiCall& call, UINT length, ULONG tag, bool page_aligned = false) {
  if (length == 0)
    kernel::report_misuse(kernel::Misuse::PoolZeroSize, call.name(), nullptr, "zero bytes are asked for");
  if (call.fails()) return nullptr;
  kernel::Pool::Request request;
  request.size = length;
  request.tag = tag;
  request.owner = &call.driver();
  if (page_aligned) request.alignment = PAGE_SIZE;
  return pool().allocate(request);
}

void release(const DdiCall& call, void* block, ULONG tag) {
  pool().free(block, tag, call.name(), &call.driver());
}

}  // namespace

// Page    none is left (NDIS 5)                  IRQL  <= DISPATCH_LEVEL, PASSIVE_LEVEL with flags
NDIS_STATUS NdisAllocateMemory(PVOID* VirtualAddress, UINT Length, UINT MemoryFlags,
                               NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress) {
  const DdiCall call(Ddi::NdisAllocateMemory);
  UNREFERENCED_PARAMETER(HighestAcceptableAddress);
  if (MemoryFlags != 0) kernel::check_irql(call.name(), PASSIVE_LEVEL);
  *VirtualAddress = allocate(call, Length, tag_of_flags(MemoryFlags), MemoryFlags != 0);
  return call.returns(*VirtualAddress != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}

// Page    previous-versions ff550767 (NdisAllocateMemoryWithTag)     IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisAllocateMemoryWithTag(PVOID* VirtualAddress, UINT Length, ULONG Tag) {
  const DdiCall call(Ddi::NdisAllocateMemoryWithTag);
  *VirtualAddress = allocate(call, Length, Tag);
  return call.returns(*VirtualAddress != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndisallocatememorywithtagpriority             IRQL  <= DISPATCH_LEVEL
PVOID NdisAllocateMemoryWithTagPriority(NDIS_HANDLE NdisHandle, UINT Length, ULONG Tag,
                                        EX_POOL_PRIORITY Priority) {
  const DdiCall call(Ddi::NdisAllocateMemoryWithTagPriority);
  UNREFERENCED_PARAMETER(Priority);  // matters only where memory runs short, which only faults make it do
  check_caller_handle(call, "NdisHandle", NdisHandle);
  return allocate(call, Length, Tag);
}

// Page    ndis/nf-ndis-ndisfreememory            IRQL  <= DISPATCH_LEVEL; lower for contiguous and noncached
VOID NdisFreeMemory(PVOID VirtualAddress, UINT Length, UINT MemoryFlags) {
  const DdiCall call(Ddi::NdisFreeMemory);
  kernel::PoolBlock block;
  if (pool().find(VirtualAddress, block) && block.live && block.address == VirtualAddress) {
    const ULONG expected = tag_of_flags(MemoryFlags);
    if (has_flags(block.tag) != has_flags(expected) || (has_flags(expected) && block.tag != expected))
      kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), VirtualAddress,
                            fmt::format("MemoryFlags {:#x} are not those of the allocation", MemoryFlags),
                            *block.allocated);
    if (MemoryFlags != 0 && Length != block.size)
      kernel::report_misuse(kernel::Misuse::PoolTagMismatch, call.name(), VirtualAddress,
                            fmt::format("Length is {}, {} bytes were allocated", Length, block.size),
                            *block.allocated);
  }
  if ((MemoryFlags & NDIS_MEMORY_CONTIGUOUS) != 0) {
    kernel::check_irql(call.name(), PASSIVE_LEVEL);
  } else if ((MemoryFlags & NDIS_MEMORY_NONCACHED) != 0) {
    kernel::check_irql(call.name(), APC_LEVEL);
  }
  release(call, VirtualAddress, 0);
}

// Page    ndis/nf-ndis-ndisfreememorywithtag                         IRQL  <= DISPATCH_LEVEL
VOID NdisFreeMemoryWithTag(PVOID VirtualAddress, ULONG Tag) {
  const DdiCall call(Ddi::NdisFreeMemoryWithTag);
  release(call, VirtualAddress, Tag);
}

// Page    ndis/nf-ndis-ndisfreememorywithtagpriority                 IRQL  <= DISPATCH_LEVEL
VOID NdisFreeMemoryWithTagPriority(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, ULONG Tag) {
  const DdiCall call(Ddi::NdisFreeMemoryWithTagPriority);
  check_caller_handle(call, "NdisHandle", NdisHandle);
  release(call, VirtualAddress, Tag);
}

// Page    ndis/nf-ndis-ndisinitializenpagedlookasidelist             IRQL  <= DISPATCH_LEVEL
VOID NdisInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                       PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                       USHORT Depth) {
  const DdiCall call(Ddi::NdisInitializeNPagedLookasideList);
  UNREFERENCED_PARAMETER(Depth);
  kernel::initialize_npaged_list(*Lookaside, Allocate, Free, Flags, Size, Tag);
}

// Page    ndis/nf-ndis-ndisgetshareddataalignment                    IRQL  <= DISPATCH_LEVEL
ULONG NdisGetSharedDataAlignment() {
  const DdiCall call(Ddi::NdisGetSharedDataAlignment);
  return SYSTEM_CACHE_ALIGNMENT_SIZE;
}
