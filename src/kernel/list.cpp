// SPDX-License-Identifier: MIT
//
// Lists under a spin lock (ExInterlocked...), and sequenced singly linked lists.
//
// Pages   wdm/nf-wdm-exinterlockedinserttaillist and its like, wdm/nf-wdm-exinterlockedpushentryslist,
// -initializeslisthead IRQL    any Beyond  An SLIST is kept under a lock of undis, not by compare-and-swap:
// the sequence number then has nothing to guard against, but it
//         counts as on Windows.
#include <ntddk.h>

#include "kernel/bug_check.h"
#include "kernel/kernel_call.h"
#include "kernel/lock.h"
#include "kernel/spin.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

/// The driver's spin lock, at DISPATCH_LEVEL or the higher level of the caller.
class Locked {
 public:
  Locked(PKSPIN_LOCK lock, const char* function, const void* caller) noexcept
      : raised_(DISPATCH_LEVEL), lock_(lock), function_(function) {
    spin::acquire(lock_, function_, caller);
  }
  ~Locked() { spin::release(lock_, function_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  RaiseIrql raised_;
  PKSPIN_LOCK lock_;
  const char* function_;
};

PLIST_ENTRY unless_empty(PLIST_ENTRY head, PLIST_ENTRY entry) noexcept {
  return entry == head ? nullptr : entry;
}

Lock slist_lock;

PSLIST_ENTRY first_of(const SLIST_HEADER* head) noexcept {
  return reinterpret_cast<PSLIST_ENTRY>(head->Region & ~ULONGLONG{15});
}
void set_first(PSLIST_HEADER head, PSLIST_ENTRY entry) noexcept {
  head->Region = reinterpret_cast<ULONG_PTR>(entry);  // entries are aligned: the four reserved bits are zero
}
void count(PSLIST_HEADER head, int change) noexcept {
  head->HeaderX64.Depth =
      static_cast<ULONGLONG>(head->HeaderX64.Depth + static_cast<unsigned>(change)) & 0xFFFFu;
}

PSLIST_ENTRY push(PSLIST_HEADER head, PSLIST_ENTRY entry) noexcept {
  const Hold hold(slist_lock);
  const PSLIST_ENTRY before = first_of(head);
  entry->Next = before;
  set_first(head, entry);
  count(head, 1);
  head->HeaderX64.Sequence = (head->HeaderX64.Sequence + 1) & 0xFFFFFFFFFFFFu;
  return before;
}

PSLIST_ENTRY pop(PSLIST_HEADER head) noexcept {
  const Hold hold(slist_lock);
  const PSLIST_ENTRY entry = first_of(head);
  if (entry == nullptr) return nullptr;
  set_first(head, entry->Next);
  count(head, -1);
  return entry;
}

PSLIST_ENTRY flush(PSLIST_HEADER head) noexcept {
  const Hold hold(slist_lock);
  const PSLIST_ENTRY entry = first_of(head);
  set_first(head, nullptr);
  head->HeaderX64.Depth = 0;
  return entry;
}

}  // namespace

// What the list routines of the headers call when a ring's links contradict each other: fail fast, as Windows
// does.
VOID undis_corrupt_list_entry(const LIST_ENTRY* Entry) {
  bug_check(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_CORRUPT_LIST_ENTRY, reinterpret_cast<ULONG_PTR>(Entry),
            0, 0);
}

// What __fastfail does.
VOID RtlFailFast(ULONG Code) {
  bug_check(KERNEL_SECURITY_CHECK_FAILURE, Code, 0, 0, 0);
}

// Page wdm/nf-wdm-exinterlockedinsertheadlist. The first entry before, NULL if there was none.
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedInsertHeadList", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  const PLIST_ENTRY before = unless_empty(ListHead, ListHead->Flink);
  InsertHeadList(ListHead, ListEntry);
  return before;
}

// Page wdm/nf-wdm-exinterlockedinserttaillist
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedInsertTailList", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  const PLIST_ENTRY before = unless_empty(ListHead, ListHead->Blink);
  InsertTailList(ListHead, ListEntry);
  return before;
}

// Page wdm/nf-wdm-exinterlockedremoveheadlist
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedRemoveHeadList", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  return IsListEmpty(ListHead) ? nullptr : RemoveHeadList(ListHead);
}

// Page wdm/nf-wdm-exinterlockedpopentrylist
PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedPopEntryList", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  return PopEntryList(ListHead);
}

// Page wdm/nf-wdm-exinterlockedpushentrylist
PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                              PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedPushEntryList", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  const PSINGLE_LIST_ENTRY before = ListHead->Next;
  PushEntryList(ListHead, ListEntry);
  return before;
}

// Page wdm/nf-wdm-exinterlockedaddlargeinteger. The value before.
LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedAddLargeInteger", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  const LARGE_INTEGER before = *Addend;
  Addend->QuadPart = static_cast<LONGLONG>(static_cast<ULONGLONG>(before.QuadPart) +
                                           static_cast<ULONGLONG>(Increment.QuadPart));
  return before;
}

// Page wdm/nf-wdm-exinterlockedaddulong
ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock) {
  const KernelCall call("ExInterlockedAddUlong", HIGH_LEVEL);
  const Locked locked(Lock, call.name(), __builtin_return_address(0));
  const ULONG before = *Addend;
  *Addend += Increment;
  return before;
}

// Page ntddk/nf-ntddk-exinterlockedaddlargestatistic
VOID ExInterlockedAddLargeStatistic(PLARGE_INTEGER Addend, ULONG Increment) {
  __atomic_fetch_add(&Addend->QuadPart, static_cast<LONGLONG>(Increment), __ATOMIC_SEQ_CST);
}

// Page ntddk/nf-ntddk-exinterlockedcompareexchange64. The lock is not needed and not taken.
LONGLONG ExInterlockedCompareExchange64(LONGLONG volatile* Destination, PLONGLONG Exchange,
                                        PLONGLONG Comparand, PKSPIN_LOCK) {
  LONGLONG seen = *Comparand;
  __atomic_compare_exchange_n(Destination, &seen, *Exchange, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return seen;
}

// Page wdm/nf-wdm-initializeslisthead
VOID InitializeSListHead(PSLIST_HEADER SListHead) {
  *SListHead = {};
}
VOID ExInitializeSListHead(PSLIST_HEADER SListHead) {
  *SListHead = {};
}

// Page wdm/nf-wdm-exquerydepthslist
USHORT ExQueryDepthSList(PSLIST_HEADER SListHead) {
  return static_cast<USHORT>(SListHead->HeaderX64.Depth);
}
USHORT QueryDepthSList(PSLIST_HEADER SListHead) {
  return static_cast<USHORT>(SListHead->HeaderX64.Depth);
}
PSLIST_ENTRY FirstEntrySList(const SLIST_HEADER* SListHead) {
  return first_of(SListHead);
}

// Page wdm/nf-wdm-exinterlockedpushentryslist
PSLIST_ENTRY ExInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry, PKSPIN_LOCK) {
  return push(ListHead, ListEntry);
}
PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry) {
  return push(ListHead, ListEntry);
}
PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry) {
  return push(ListHead, ListEntry);
}

// Page wdm/nf-wdm-exinterlockedpopentryslist
PSLIST_ENTRY ExInterlockedPopEntrySList(PSLIST_HEADER ListHead, PKSPIN_LOCK) {
  return pop(ListHead);
}
PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead) {
  return pop(ListHead);
}
PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead) {
  return pop(ListHead);
}

// Page wdm/nf-wdm-exinterlockedflushslist
PSLIST_ENTRY ExInterlockedFlushSList(PSLIST_HEADER ListHead) {
  return flush(ListHead);
}
PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead) {
  return flush(ListHead);
}
PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER ListHead) {
  return flush(ListHead);
}
