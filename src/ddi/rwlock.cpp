// SPDX-License-Identifier: MIT
//
// Read/write locks of NDIS 6.20 (NDIS' memory, looked up as a handle) and of NDIS 5.1 to 6.1 (the driver's
// memory, with a mark).
//
// Beyond  Which waiter comes next is the schedule's choice; writers can starve, as the page says.
#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "ndis/rw_lock.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;
using rw_lock::Access;

namespace {

void* const kMark = reinterpret_cast<void*>(std::uintptr_t{0x4B434F4C52445255});  // in NDIS_RW_LOCK::Context

volatile LONG* word_of(NDIS_RW_LOCK* lock) {
  return reinterpret_cast<volatile LONG*>(&lock->RefCount[0].RefCount);
}

bool check_initialized(const DdiCall& call, const NDIS_RW_LOCK* lock) {
  if (lock->Context == kMark) return true;
  report_misuse(Misuse::ObjectNotInitialized, call.name(), lock,
                "the lock was not initialised by NdisInitializeReadWriteLock, or was overwritten");
  return false;
}

KIRQL acquire(const DdiCall& call, volatile LONG* word, Access access, const void* return_address) {
  const KIRQL before = kernel::irql();
  if (before < DISPATCH_LEVEL) kernel::set_irql(DISPATCH_LEVEL);
  rw_lock::acquire(word, access, call.name(), return_address);
  return before;
}

/// `state`: what the acquire call left in the lock state, 0 when that is spent.
void release(const DdiCall& call, volatile LONG* word, UCHAR state, KIRQL before) {
  const bool valid = state == static_cast<UCHAR>(Access::Read) || state == static_cast<UCHAR>(Access::Write);
  if (!valid || !rw_lock::release(word, static_cast<Access>(state))) {
    report_misuse(
        Misuse::LockNotHeld, call.name(), const_cast<const LONG*>(word),
        valid ? "the lock is not held by this processor"
              : "the lock state is not that of a lock that is held: it was never used, or was used already");
    return;
  }
  if (before < kernel::irql()) kernel::set_irql(before);
}

void acquire_old(const DdiCall& call, NDIS_RW_LOCK* lock, BOOLEAN write, LOCK_STATE* state,
                 const void* return_address) {
  *state = {};
  if (!check_initialized(call, lock)) return;
  const Access access = write != FALSE ? Access::Write : Access::Read;
  state->OldIrql = acquire(call, word_of(lock), access, return_address);
  state->LockState = static_cast<USHORT>(access);
}

void release_old(const DdiCall& call, NDIS_RW_LOCK* lock, LOCK_STATE* state) {
  if (!check_initialized(call, lock)) return;
  release(call, word_of(lock), static_cast<UCHAR>(state->LockState), state->OldIrql);
  state->LockState = 0;
}

void acquire_new(const DdiCall& call, NDIS_RW_LOCK_EX* handle, LOCK_STATE_EX* state, UCHAR flags,
                 Access access, const void* return_address) {
  *state = {};
  const Ref<RwLock> lock = call.find<RwLock>("Lock", handle, HandleKind::RwLock);
  if (!lock) return;
  if ((flags & NDIS_RWL_AT_DISPATCH_LEVEL) != 0)
    kernel::check_irql(call.name(), DISPATCH_LEVEL, DISPATCH_LEVEL);
  state->OldIrql = acquire(call, &lock->word, access, return_address);
  state->LockState = static_cast<UCHAR>(access);
  state->Flags = flags;
}

}  // namespace

// Page    ndis/nf-ndis-ndisallocaterwlock                            IRQL  <= DISPATCH_LEVEL
PNDIS_RW_LOCK_EX NdisAllocateRWLock(NDIS_HANDLE NdisHandle) {
  const DdiCall call(Ddi::NdisAllocateRWLock);
  // NULL is for DriverEntry, where there is no handle yet.
  if (NdisHandle != nullptr || !call.driver().in_driver_entry())
    check_caller_handle(call, "NdisHandle", NdisHandle);
  if (call.fails()) return nullptr;
  const Ref<RwLock> lock(new RwLock(call.driver()));
  if (is_generic_object(NdisHandle)) lock->made_for(NdisHandle);
  return Library::current().services().open(*lock) ? static_cast<PNDIS_RW_LOCK_EX>(lock->handle()) : nullptr;
}

// Page    ndis/nf-ndis-ndisfreerwlock                                IRQL  <= DISPATCH_LEVEL
VOID NdisFreeRWLock(PNDIS_RW_LOCK_EX Lock) {
  const DdiCall call(Ddi::NdisFreeRWLock);
  const Ref<RwLock> lock = call.find<RwLock>("Lock", Lock, HandleKind::RwLock);
  if (!lock) return;
  if (lock->word != 0) {
    report_misuse(Misuse::BadParameter, call.name(), Lock, "the lock is freed while it is held",
                  lock->origin());
    return;  // who holds it will release it: the handle stays until then, and is told as left behind
  }
  Library::current().services().close(*lock);
}

// Page    ndis/nf-ndis-ndisacquirerwlockread                         IRQL  <= DISPATCH_LEVEL
VOID NdisAcquireRWLockRead(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags) {
  const DdiCall call(Ddi::NdisAcquireRWLockRead);
  acquire_new(call, Lock, LockState, Flags, Access::Read, __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisacquirerwlockwrite                        IRQL  <= DISPATCH_LEVEL
VOID NdisAcquireRWLockWrite(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags) {
  const DdiCall call(Ddi::NdisAcquireRWLockWrite);
  acquire_new(call, Lock, LockState, Flags, Access::Write, __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisreleaserwlock                             IRQL  DISPATCH_LEVEL
VOID NdisReleaseRWLock(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState) {
  const DdiCall call(Ddi::NdisReleaseRWLock);
  const Ref<RwLock> lock = call.find<RwLock>("Lock", Lock, HandleKind::RwLock);
  if (!lock) return;
  release(call, &lock->word, LockState->LockState, LockState->OldIrql);
  LockState->LockState = 0;
}

// Page    ndis/nf-ndis-ndisinitializereadwritelock                   IRQL  any
VOID NdisInitializeReadWriteLock(PNDIS_RW_LOCK Lock) {
  const DdiCall call(Ddi::NdisInitializeReadWriteLock);
  *Lock = {};
  Lock->Context = kMark;
}

// Page    ndis/nf-ndis-ndisacquirereadwritelock                      IRQL  <= DISPATCH_LEVEL
VOID NdisAcquireReadWriteLock(PNDIS_RW_LOCK Lock, BOOLEAN fWrite, PLOCK_STATE LockState) {
  const DdiCall call(Ddi::NdisAcquireReadWriteLock);
  acquire_old(call, Lock, fWrite, LockState, __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisreleasereadwritelock                      IRQL  DISPATCH_LEVEL
VOID NdisReleaseReadWriteLock(PNDIS_RW_LOCK Lock, PLOCK_STATE LockState) {
  const DdiCall call(Ddi::NdisReleaseReadWriteLock);
  release_old(call, Lock, LockState);
}

// Page    ndis/nf-ndis-ndisdpracquirereadwritelock                   IRQL  DISPATCH_LEVEL
VOID NdisDprAcquireReadWriteLock(PNDIS_RW_LOCK Lock, BOOLEAN fWrite, PLOCK_STATE LockState) {
  const DdiCall call(Ddi::NdisDprAcquireReadWriteLock);
  acquire_old(call, Lock, fWrite, LockState, __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisdprreleasereadwritelock                   IRQL  DISPATCH_LEVEL
VOID NdisDprReleaseReadWriteLock(PNDIS_RW_LOCK Lock, PLOCK_STATE LockState) {
  const DdiCall call(Ddi::NdisDprReleaseReadWriteLock);
  release_old(call, Lock, LockState);
}
