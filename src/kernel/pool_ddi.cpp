// SPDX-License-Identifier: MIT
//
// ExAllocatePool... and ExFreePool...: the pool as drivers reach it.
//
// Pages   wdm/nf-wdm-exallocatepool2, -exallocatepool3, -exallocatepoolwithtag, -exfreepoolwithtag and their
// like IRQL    <= DISPATCH_LEVEL; <= APC_LEVEL for paged pool Beyond  What no routine zeroes is filled with
// 0xCD. Each allocation is a fault point of the driver that makes it.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr ULONG kTypePaged = 1;  // bit 0 of a POOL_TYPE
constexpr ULONG kTypeExecuteNever = 512;
constexpr ULONG kTypeZero = POOL_ZERO_ALLOCATION;
constexpr ULONG kUntagged = 0x656E6F4E;  // 'None', as Windows names what is allocated without a tag

struct Wish {
  PoolKind kind = PoolKind::NonPaged;
  std::size_t size = 0;
  ULONG tag = 0;
  bool zero = false;
  bool raise = false;
  bool cache_aligned = false;
};

Wish wish(POOL_TYPE type, SIZE_T size, ULONG tag) {
  const auto bits = static_cast<ULONG>(type);
  Wish w;
  w.kind = (bits & kTypePaged) != 0          ? PoolKind::Paged
           : (bits & kTypeExecuteNever) != 0 ? PoolKind::NonPaged
                                             : PoolKind::NonPagedExecute;
  w.size = size;
  w.tag = tag;
  w.zero = (bits & kTypeZero) != 0;
  w.raise = (bits & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0;
  w.cache_aligned = (bits & 4) != 0;  // the ...CacheAligned types
  return w;
}

void* allocate_checked(const char* name, const Wish& w) {
  const KernelCall call(name, w.kind == PoolKind::Paged ? APC_LEVEL : DISPATCH_LEVEL);
  if (w.size == 0) report_misuse(Misuse::PoolZeroSize, name, nullptr, "zero bytes are asked for");
  void* block = nullptr;
  if (!fault_point(name)) {
    Pool::Request request;
    request.size = w.size;
    request.tag = w.tag;
    request.kind = w.kind;
    request.zero = w.zero;
    request.alignment = w.cache_aligned ? SYSTEM_CACHE_ALIGNMENT_SIZE : 16;
    request.owner = current_driver();
    block = System::current().pool().allocate(request);
  }
  return block;
}

void* allocate(const char* name, const Wish& w) {
  void* const block = allocate_checked(name, w);
  if (block == nullptr && w.raise) ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
  return block;
}

void release(const char* name, void* block, ULONG tag) {
  const KernelCall call(name, DISPATCH_LEVEL);
  Pool& pool = System::current().pool();
  PoolBlock found;
  if (irql() > APC_LEVEL && pool.find(block, found) && found.live && found.kind == PoolKind::Paged) {
    report_misuse(Misuse::WrongIrql, name, block,
                  fmt::format("paged pool is freed at IRQL {}; APC_LEVEL ({}) is the highest allowed", irql(),
                              APC_LEVEL),
                  *found.allocated);
  }
  pool.free(block, tag, name, current_driver());
}

constexpr POOL_FLAGS kRequiredFlags =
    0xFFFFFFFFu;  // the upper half holds the optional ones, which may be ignored
constexpr POOL_FLAGS kKnownFlags = POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION |
                                   POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE |
                                   POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;

void* allocate_by_flags(const char* name, POOL_FLAGS flags, SIZE_T size, ULONG tag) {
  constexpr POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
  const POOL_FLAGS kind = flags & kinds;
  Wish w;
  w.kind = kind == POOL_FLAG_PAGED               ? PoolKind::Paged
           : kind == POOL_FLAG_NON_PAGED_EXECUTE ? PoolKind::NonPagedExecute
                                                 : PoolKind::NonPaged;
  w.size = size;
  w.tag = tag;
  w.zero = (flags & POOL_FLAG_UNINITIALIZED) == 0;
  w.raise = (flags & POOL_FLAG_RAISE_ON_FAILURE) != 0;
  w.cache_aligned = (flags & POOL_FLAG_CACHE_ALIGNED) != 0;
  const bool one_kind = kind != 0 && (kind & (kind - 1)) == 0;
  if (one_kind && tag != 0 && (flags & kRequiredFlags & ~kKnownFlags) == 0) return allocate(name, w);
  report_misuse(
      Misuse::BadParameter, name, nullptr,
      tag == 0
          ? std::string("a tag of 0 is not allowed")
          : fmt::format("pool flags {:#x} are not valid: exactly one kind of pool, no unknown required flag",
                        flags));
  if (w.raise) ExRaiseStatus(STATUS_INVALID_PARAMETER);
  return nullptr;
}

}  // namespace

// Page wdm/nf-wdm-exallocatepool2
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate_by_flags("ExAllocatePool2", Flags, NumberOfBytes, Tag);
}

// Page wdm/nf-wdm-exallocatepool3. Extended parameters choose secure pools and NUMA nodes: only their
// optional bit matters here.
PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                      PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount) {
  for (ULONG i = 0; i < ExtendedParametersCount; ++i) {
    const bool known = ExtendedParameters[i].Type == PoolExtendedParameterPriority ||
                       ExtendedParameters[i].Type == PoolExtendedParameterNumaNode;
    if (known || ExtendedParameters[i].Optional != 0) continue;
    report_misuse(Misuse::BadParameter, "ExAllocatePool3", nullptr,
                  "a required extended parameter is not supported");
    if ((Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0) ExRaiseStatus(STATUS_INVALID_PARAMETER);
    return nullptr;
  }
  return allocate_by_flags("ExAllocatePool3", Flags, NumberOfBytes, Tag);
}

// Page wdm/nf-wdm-exallocatepool
PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes) {
  return allocate("ExAllocatePool", wish(PoolType, NumberOfBytes, kUntagged));
}

// Page wdm/nf-wdm-exallocatepoolwithtag
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate("ExAllocatePoolWithTag", wish(PoolType, NumberOfBytes, Tag));
}

// Page wdm/nf-wdm-exallocatepoolwithtagpriority. The priority matters only when memory runs short, which only
// faults make it do.
PVOID ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY) {
  return allocate("ExAllocatePoolWithTagPriority", wish(PoolType, NumberOfBytes, Tag));
}

// Page wdm/nf-wdm-exallocatepoolwithquota: raises on failure unless told not to.
PVOID ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes) {
  Wish w = wish(PoolType, NumberOfBytes, kUntagged);
  w.raise = (static_cast<ULONG>(PoolType) & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0;
  return allocate("ExAllocatePoolWithQuota", w);
}

// Page wdm/nf-wdm-exallocatepoolwithquotatag: raises on failure unless told not to.
PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  Wish w = wish(PoolType, NumberOfBytes, Tag);
  w.raise = (static_cast<ULONG>(PoolType) & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0;
  return allocate("ExAllocatePoolWithQuotaTag", w);
}

// Page wdm/nf-wdm-exallocatepoolzero and its like
PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  Wish w = wish(PoolType, NumberOfBytes, Tag);
  w.zero = true;
  return allocate("ExAllocatePoolZero", w);
}
PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate("ExAllocatePoolUninitialized", wish(PoolType, NumberOfBytes, Tag));
}
PVOID ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  Wish w = wish(PoolType, NumberOfBytes, Tag);
  w.zero = true;
  w.raise = (static_cast<ULONG>(PoolType) & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0;
  return allocate("ExAllocatePoolQuotaZero", w);
}
PVOID ExAllocatePoolQuotaUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  Wish w = wish(PoolType, NumberOfBytes, Tag);
  w.raise = (static_cast<ULONG>(PoolType) & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0;
  return allocate("ExAllocatePoolQuotaUninitialized", w);
}
PVOID ExAllocatePoolPriorityZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY) {
  Wish w = wish(PoolType, NumberOfBytes, Tag);
  w.zero = true;
  return allocate("ExAllocatePoolPriorityZero", w);
}
PVOID ExAllocatePoolPriorityUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                          EX_POOL_PRIORITY) {
  return allocate("ExAllocatePoolPriorityUninitialized", wish(PoolType, NumberOfBytes, Tag));
}

// Page wdm/nf-wdm-exinitializedriverruntime: no executable pool is to be had anyway.
VOID ExInitializeDriverRuntime(ULONG) {}

// Page ntddk/nf-ntddk-exfreepool
VOID ExFreePool(PVOID P) {
  release("ExFreePool", P, 0);
}

// Page wdm/nf-wdm-exfreepoolwithtag
VOID ExFreePoolWithTag(PVOID P, ULONG Tag) {
  release("ExFreePoolWithTag", P, Tag);
}

// Page wdm/nf-wdm-exfreepool2
VOID ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER, ULONG) {
  release("ExFreePool2", P, Tag);
}
