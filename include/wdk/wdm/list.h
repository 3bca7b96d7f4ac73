// SPDX-License-Identifier: MIT
// Doubly linked, singly linked and interlocked sequenced lists.
#pragma once
#pragma GCC system_header

#include <wdm/types.h>

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
  struct _SLIST_ENTRY* Next;
} SLIST_ENTRY, *PSLIST_ENTRY;

typedef union DECLSPEC_ALIGN(16) _SLIST_HEADER {
  struct {
    ULONGLONG Alignment;
    ULONGLONG Region;
  } DUMMYSTRUCTNAME;
  struct {
    ULONGLONG Depth : 16;
    ULONGLONG Sequence : 48;
    ULONGLONG Reserved : 4;
    ULONGLONG NextEntry : 60;
  } HeaderX64;
} SLIST_HEADER, *PSLIST_HEADER;

UNDIS_EXTERN_C_START

// ---- LIST_ENTRY: a ring whose head is an entry too
// -----------------------------------------------------------------
UNDIS_INLINE VOID InitializeListHead(PLIST_ENTRY ListHead) {
  ListHead->Flink = ListHead->Blink = ListHead;
}

UNDIS_INLINE BOOLEAN IsListEmpty(const LIST_ENTRY* ListHead) {
  return (BOOLEAN)(ListHead->Flink == ListHead);
}

// A broken ring is memory corruption; Windows stops here too (fail fast, FAST_FAIL_CORRUPT_LIST_ENTRY).
NTKERNELAPI DECLSPEC_NORETURN VOID undis_corrupt_list_entry(const LIST_ENTRY* Entry);

UNDIS_INLINE BOOLEAN RemoveEntryListUnsafe(PLIST_ENTRY Entry) {
  PLIST_ENTRY const next = Entry->Flink;
  PLIST_ENTRY const previous = Entry->Blink;
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}

UNDIS_INLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) {
  if (Entry->Flink->Blink != Entry || Entry->Blink->Flink != Entry) undis_corrupt_list_entry(Entry);
  return RemoveEntryListUnsafe(Entry);
}

UNDIS_INLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY const entry = ListHead->Flink;
  RemoveEntryList(entry);
  return entry;
}

UNDIS_INLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY const entry = ListHead->Blink;
  RemoveEntryList(entry);
  return entry;
}

UNDIS_INLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY const last = ListHead->Blink;
  if (last->Flink != ListHead) undis_corrupt_list_entry(ListHead);
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}

UNDIS_INLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY const first = ListHead->Flink;
  if (first->Blink != ListHead) undis_corrupt_list_entry(ListHead);
  Entry->Flink = first;
  Entry->Blink = ListHead;
  first->Blink = Entry;
  ListHead->Flink = Entry;
}

UNDIS_INLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY const last = ListHead->Blink;
  ListHead->Blink->Flink = ListToAppend;
  ListHead->Blink = ListToAppend->Blink;
  ListToAppend->Blink->Flink = ListHead;
  ListToAppend->Blink = last;
}

UNDIS_INLINE VOID InitializeListEntry(PLIST_ENTRY Entry) {
  Entry->Flink = Entry->Blink = NULL;
}

// ---- SINGLE_LIST_ENTRY: a stack
// --------------------------------------------------------------------------------
UNDIS_INLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY const first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}

UNDIS_INLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

// ---- Lists under a spin lock, any IRQL. The lock must be used for these calls only.
// ---------------------------------
NTKERNELAPI PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock);
NTKERNELAPI PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock);
NTKERNELAPI PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock);
NTKERNELAPI PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock);
NTKERNELAPI PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead,
                                                          PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock);
NTKERNELAPI LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                                       PKSPIN_LOCK Lock);
NTKERNELAPI ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock);
NTKERNELAPI VOID ExInterlockedAddLargeStatistic(PLARGE_INTEGER Addend, ULONG Increment);
NTKERNELAPI LONGLONG ExInterlockedCompareExchange64(LONGLONG volatile* Destination, PLONGLONG Exchange,
                                                    PLONGLONG Comparand, PKSPIN_LOCK Lock);

// ---- SLIST: interlocked without a lock, any IRQL
// ---------------------------------------------------------------------
NTKERNELAPI VOID InitializeSListHead(PSLIST_HEADER SListHead);
NTKERNELAPI VOID ExInitializeSListHead(PSLIST_HEADER SListHead);
NTKERNELAPI USHORT ExQueryDepthSList(PSLIST_HEADER SListHead);
NTKERNELAPI USHORT QueryDepthSList(PSLIST_HEADER SListHead);
NTKERNELAPI PSLIST_ENTRY FirstEntrySList(const SLIST_HEADER* SListHead);
NTKERNELAPI PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
NTKERNELAPI PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead);
NTKERNELAPI PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead);
NTKERNELAPI PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
NTKERNELAPI PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead);
NTKERNELAPI PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER ListHead);
NTKERNELAPI PSLIST_ENTRY ExInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry,
                                                     PKSPIN_LOCK Lock);
NTKERNELAPI PSLIST_ENTRY ExInterlockedPopEntrySList(PSLIST_HEADER ListHead, PKSPIN_LOCK Lock);
NTKERNELAPI PSLIST_ENTRY ExInterlockedFlushSList(PSLIST_HEADER ListHead);

UNDIS_EXTERN_C_END
