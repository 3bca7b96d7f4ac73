// SPDX-License-Identifier: MIT
//
// Rundown protection. The word is the count of references times two; its lowest bit says that the rundown has
// begun.
//
// Pages   wdm/nf-wdm-exinitializerundownprotection, -exacquirerundownprotection(ex),
// -exreleaserundownprotection(ex),
//         -exwaitforrundownprotectionrelease, -exrundowncompleted, and the ...cacheaware ones
// IRQL    acquire, release: <= DISPATCH_LEVEL; the rest <= APC_LEVEL
// Beyond  A cache-aware reference has one count, not one a processor.
#include <new>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"

struct _EX_RUNDOWN_REF_CACHE_AWARE {
  EX_RUNDOWN_REF reference;
};

using namespace undis::kernel;

namespace {

constexpr ULONG_PTR kActive = EX_RUNDOWN_ACTIVE;
constexpr ULONG_PTR kOne = EX_RUNDOWN_COUNT_INC;

KeyedWaits& waits() {
  return System::current().scheduling().keyed;
}

bool acquire(PEX_RUNDOWN_REF reference, ULONG count) {
  return waits().attempt([&] {
    if ((reference->Count & kActive) != 0) return false;
    reference->Count = reference->Count + count * kOne;
    return true;
  });
}

void release(PEX_RUNDOWN_REF reference, ULONG count, const char* function) {
  const bool held = waits().change(reference, [&] {
    if (reference->Count / kOne < count) return false;
    reference->Count = reference->Count - count * kOne;
    return true;
  });
  if (held) return;
  report_misuse(Misuse::LockNotHeld, function, reference,
                fmt::format("{} releases {} more of a rundown protection than was acquired (now {})",
                            function, count, reference->Count / kOne));
}

void wait(PEX_RUNDOWN_REF reference, const char* function) {
  waits().attempt([&] {
    reference->Count = reference->Count | kActive;
    return true;
  });
  waits().wait_until(reference, function, "of a rundown protection, until the last reference is released",
                     [&] { return reference->Count == kActive; });
}

void reinitialize(PEX_RUNDOWN_REF reference, const char* function) {
  if (reference->Count != kActive) {
    report_misuse(
        Misuse::BadParameter, function, reference,
        fmt::format("{} is for a reference whose rundown has completed; this one has not", function));
  }
  reference->Count = 0;
}

}  // namespace

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExInitializeRundownProtection", APC_LEVEL);
  RunRef->Count = 0;
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExReInitializeRundownProtection", APC_LEVEL);
  reinitialize(RunRef, call.name());
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExAcquireRundownProtection", DISPATCH_LEVEL);
  return acquire(RunRef, 1) ? TRUE : FALSE;
}

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
  const KernelCall call("ExAcquireRundownProtectionEx", DISPATCH_LEVEL);
  return acquire(RunRef, Count) ? TRUE : FALSE;
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExReleaseRundownProtection", DISPATCH_LEVEL);
  release(RunRef, 1, call.name());
}

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
  const KernelCall call("ExReleaseRundownProtectionEx", DISPATCH_LEVEL);
  release(RunRef, Count, call.name());
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExWaitForRundownProtectionRelease", APC_LEVEL);
  wait(RunRef, call.name());
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
  const KernelCall call("ExRundownCompleted", APC_LEVEL);
  RunRef->Count = kActive;
}

// ---- cache aware ----

SIZE_T ExSizeOfRundownProtectionCacheAware() {
  return sizeof(_EX_RUNDOWN_REF_CACHE_AWARE);
}

PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag) {
  const KernelCall call("ExAllocateCacheAwareRundownProtection", APC_LEVEL);
  if (fault_point(call.name())) return nullptr;
  Pool::Request request;
  request.size = sizeof(_EX_RUNDOWN_REF_CACHE_AWARE);
  request.tag = PoolTag;
  request.kind = (static_cast<ULONG>(PoolType) & 1) != 0 ? PoolKind::Paged : PoolKind::NonPaged;
  request.owner = current_driver();
  void* const memory = System::current().pool().allocate(request);
  return memory != nullptr ? new (memory) _EX_RUNDOWN_REF_CACHE_AWARE{} : nullptr;
}

VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
  const KernelCall call("ExFreeCacheAwareRundownProtection", APC_LEVEL);
  System::current().pool().free(RunRefCacheAware, 0, call.name(), current_driver());
}

VOID ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, SIZE_T) {
  const KernelCall call("ExInitializeRundownProtectionCacheAware", APC_LEVEL);
  RunRefCacheAware->reference.Count = 0;
}

VOID ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
  const KernelCall call("ExReInitializeRundownProtectionCacheAware", APC_LEVEL);
  reinitialize(&RunRefCacheAware->reference, call.name());
}

BOOLEAN ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
  const KernelCall call("ExAcquireRundownProtectionCacheAware", DISPATCH_LEVEL);
  return acquire(&RunRefCacheAware->reference, 1) ? TRUE : FALSE;
}

BOOLEAN ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count) {
  const KernelCall call("ExAcquireRundownProtectionCacheAwareEx", DISPATCH_LEVEL);
  return acquire(&RunRefCacheAware->reference, Count) ? TRUE : FALSE;
}

VOID ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
  const KernelCall call("ExReleaseRundownProtectionCacheAware", DISPATCH_LEVEL);
  release(&RunRefCacheAware->reference, 1, call.name());
}

VOID ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count) {
  const KernelCall call("ExReleaseRundownProtectionCacheAwareEx", DISPATCH_LEVEL);
  release(&RunRef->reference, Count, call.name());
}

VOID ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef) {
  const KernelCall call("ExWaitForRundownProtectionReleaseCacheAware", APC_LEVEL);
  wait(&RunRef->reference, call.name());
}

VOID ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware) {
  const KernelCall call("ExRundownCompletedCacheAware", APC_LEVEL);
  RunRefCacheAware->reference.Count = kActive;
}
