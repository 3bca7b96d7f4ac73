// SPDX-License-Identifier: MIT
//
// Lookaside lists.
//
// Pages   wdm/nf-wdm-exinitializenpagedlookasidelist, -exallocatefromnpagedlookasidelist,
// -exinitializelookasidelistex, ... IRQL    <= DISPATCH_LEVEL, <= APC_LEVEL for paged lists Beyond  Nothing
// is kept back: each entry comes from the pool and goes back to it, so that a use after free, a double free
// and a leak
//         are told. The pool has free lists by size of its own.
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/lookaside.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr ULONG kMark = 0x4C6F6F6B;  // in Future[0] of a list that is initialised
constexpr ULONG kPagedBit = 1;
constexpr CallbackInfo kAllocate{"LookasideListAllocate", DISPATCH_LEVEL, true};
constexpr CallbackInfo kFree{"LookasideListFree", DISPATCH_LEVEL, true};

bool is_paged(POOL_TYPE type) noexcept {
  return (static_cast<ULONG>(type) & kPagedBit) != 0;
}
KIRQL highest(POOL_TYPE type) noexcept {
  return is_paged(type) ? APC_LEVEL : DISPATCH_LEVEL;
}

template <class List>
void initialize(List& l, POOL_TYPE type, SIZE_T size, ULONG tag) noexcept {
  l.Depth = l.MaximumDepth = EX_MAXIMUM_LOOKASIDE_DEPTH_BASE;
  l.Type = type;
  l.Tag = tag;
  l.Size = static_cast<ULONG>(std::max<SIZE_T>(size, LOOKASIDE_MINIMUM_BLOCK_SIZE));
  l.Future[0] = kMark;
}

/// Reports and answers false if the list is not initialised, or deleted.
template <class List>
bool check(const List& l, const char* function) {
  if (l.Future[0] == kMark) return true;
  report_misuse(Misuse::ObjectNotInitialized, function, &l,
                "the lookaside list is not initialised, or was deleted");
  return false;
}

template <class List>
void remove(List& l, const char* function) {
  const KernelCall call(function, highest(l.Type));
  if (check(l, function)) l.Future[0] = 0;
}

PVOID from_pool(const char* function, POOL_TYPE type, SIZE_T size, ULONG tag) {
  if (fault_point(function)) return nullptr;
  Pool::Request request;
  request.size = size;
  request.tag = tag;
  request.kind = is_paged(type) ? PoolKind::Paged : PoolKind::NonPaged;
  request.owner = current_driver();
  return System::current().pool().allocate(request);
}

void to_pool(const char* function, PVOID entry, ULONG tag) {
  System::current().pool().free(entry, tag, function, current_driver());
}

template <class List>
PVOID allocate(List& list, const char* function) {
  auto& l = list.L;
  const KernelCall call(function, highest(l.Type));
  if (!check(l, function)) return nullptr;
  ++l.TotalAllocates;
  ++l.AllocateMisses;
  if (l.Allocate == nullptr) return from_pool(function, l.Type, l.Size, l.Tag);
  return call_driver(current_driver(), kAllocate, &list, nullptr,
                     callback<PVOID(POOL_TYPE, SIZE_T, ULONG)>(l.Allocate), l.Type, l.Size, l.Tag);
}

template <class List>
void release(List& list, PVOID entry, const char* function) {
  auto& l = list.L;
  const KernelCall call(function, highest(l.Type));
  if (!check(l, function)) return;
  ++l.TotalFrees;
  ++l.FreeMisses;
  if (l.Free == nullptr) return to_pool(function, entry, l.Tag);
  call_driver(current_driver(), kFree, &list, entry, callback<void(PVOID)>(l.Free), entry);
}

}  // namespace

void undis::kernel::initialize_npaged_list(NPAGED_LOOKASIDE_LIST& list, PALLOCATE_FUNCTION allocate_entry,
                                           PFREE_FUNCTION free_entry, ULONG flags, SIZE_T size,
                                           ULONG tag) noexcept {
  list = {};
  initialize(list.L, static_cast<POOL_TYPE>(static_cast<ULONG>(NonPagedPool) | flags), size, tag);
  list.L.Allocate = allocate_entry;
  list.L.Free = free_entry;
}

// Page wdm/nf-wdm-exinitializenpagedlookasidelist
VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                     PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT) {
  const KernelCall call("ExInitializeNPagedLookasideList", DISPATCH_LEVEL);
  initialize_npaged_list(*Lookaside, Allocate, Free, Flags, Size, Tag);
}

// Page wdm/nf-wdm-exdeletenpagedlookasidelist
VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  remove(Lookaside->L, "ExDeleteNPagedLookasideList");
}

// Page wdm/nf-wdm-exallocatefromnpagedlookasidelist
PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  return allocate(*Lookaside, "ExAllocateFromNPagedLookasideList");
}

// Page wdm/nf-wdm-exfreetonpagedlookasidelist
VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  release(*Lookaside, Entry, "ExFreeToNPagedLookasideList");
}

// Page wdm/nf-wdm-exinitializepagedlookasidelist
VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT) {
  const KernelCall call("ExInitializePagedLookasideList", APC_LEVEL);
  *Lookaside = {};
  initialize(Lookaside->L, static_cast<POOL_TYPE>(static_cast<ULONG>(PagedPool) | Flags), Size, Tag);
  Lookaside->L.Allocate = Allocate;
  Lookaside->L.Free = Free;
}

// Page wdm/nf-wdm-exdeletepagedlookasidelist
VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside) {
  remove(Lookaside->L, "ExDeletePagedLookasideList");
}

// Page wdm/nf-wdm-exallocatefrompagedlookasidelist
PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside) {
  return allocate(*Lookaside, "ExAllocateFromPagedLookasideList");
}

// Page wdm/nf-wdm-exfreetopagedlookasidelist
VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  release(*Lookaside, Entry, "ExFreeToPagedLookasideList");
}

// Page wdm/nf-wdm-exinitializelookasidelistex
NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size,
                                     ULONG Tag, USHORT Depth) {
  const KernelCall call("ExInitializeLookasideListEx", DISPATCH_LEVEL);
  constexpr ULONG both = EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;
  if (Depth != 0) return STATUS_INVALID_PARAMETER_8;
  if ((Flags & ~both) != 0 || (Flags & both) == both) return STATUS_INVALID_PARAMETER_5;
  if (Size < LOOKASIDE_MINIMUM_BLOCK_SIZE) return STATUS_INVALID_PARAMETER_6;
  if (fault_point("ExInitializeLookasideListEx")) return STATUS_INSUFFICIENT_RESOURCES;
  *Lookaside = {};
  initialize(Lookaside->L, PoolType, Size, Tag);
  Lookaside->L.Future[1] = Flags;
  Lookaside->L.AllocateEx = Allocate;
  Lookaside->L.FreeEx = Free;
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-exdeletelookasidelistex
VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  remove(Lookaside->L, "ExDeleteLookasideListEx");
}

// Page wdm/nf-wdm-exflushlookasidelistex: there is nothing kept back to free.
VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  const KernelCall call("ExFlushLookasideListEx", highest(Lookaside->L.Type));
  check(Lookaside->L, call.name());
}

// Page wdm/nf-wdm-exallocatefromlookasidelistex
PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  auto& l = Lookaside->L;
  PVOID entry = nullptr;
  bool raise = false;
  {
    const KernelCall call("ExAllocateFromLookasideListEx", highest(l.Type));
    if (!check(l, call.name())) return nullptr;
    ++l.TotalAllocates;
    ++l.AllocateMisses;
    if (l.AllocateEx == nullptr) {
      entry = from_pool(call.name(), l.Type, l.Size, l.Tag);
      raise = entry == nullptr && (l.Future[1] & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL) != 0;
    } else {
      entry = call_driver(current_driver(), kAllocate, Lookaside, nullptr,
                          callback<PVOID(POOL_TYPE, SIZE_T, ULONG, PLOOKASIDE_LIST_EX)>(l.AllocateEx), l.Type,
                          l.Size, l.Tag, Lookaside);
    }
  }
  if (raise) ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
  return entry;
}

// Page wdm/nf-wdm-exfreetolookasidelistex
VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry) {
  auto& l = Lookaside->L;
  const KernelCall call("ExFreeToLookasideListEx", highest(l.Type));
  if (!check(l, call.name())) return;
  ++l.TotalFrees;
  ++l.FreeMisses;
  if (l.FreeEx == nullptr) return to_pool(call.name(), Entry, l.Tag);
  call_driver(current_driver(), kFree, Lookaside, Entry, callback<void(PVOID, PLOOKASIDE_LIST_EX)>(l.FreeEx),
              Entry, Lookaside);
}
