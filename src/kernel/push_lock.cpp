// SPDX-License-Identifier: MIT
//
// Push locks. The word is 0 while free; twice the number of readers; or, for a writer, its thread's number
// with the lowest bit set.
//
// Pages   wdm/nf-wdm-exinitializepushlock, -exacquirepushlockexclusive, -exacquirepushlockshared,
// -exreleasepushlockexclusive IRQL    <= APC_LEVEL, with normal kernel APCs disabled
#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/region.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr ULONG_PTR kReader = 2;

ULONG_PTR writer_word() {
  return ULONG_PTR{Thread::current().id()} << 1 | 1;
}

KeyedWaits& waits() {
  return System::current().scheduling().keyed;
}

void acquire_exclusive(PEX_PUSH_LOCK lock, const char* function) {
  check_apcs_disabled(function, lock);
  if (*lock == writer_word()) {
    report_misuse(
        Misuse::LockRecursion, function, lock,
        fmt::format("{} acquires a push lock that this thread holds already; push locks are not recursive",
                    function));
  }
  waits().wait_until(lock, function, "of a push lock", [&] {
    if (*lock != 0) return false;
    *lock = writer_word();
    return true;
  });
}

void acquire_shared(PEX_PUSH_LOCK lock, const char* function) {
  check_apcs_disabled(function, lock);
  if (*lock == writer_word()) {
    report_misuse(
        Misuse::LockRecursion, function, lock,
        fmt::format("{} acquires a push lock that this thread holds already; push locks are not recursive",
                    function));
  }
  waits().wait_until(lock, function, "of a push lock", [&] {
    if ((*lock & 1) != 0) return false;
    *lock += kReader;
    return true;
  });
}

void release(PEX_PUSH_LOCK lock, bool exclusive, const char* function) {
  const bool held = waits().change(lock, [&] {
    if (exclusive ? *lock != writer_word() : ((*lock & 1) != 0 || *lock == 0)) return false;
    *lock = exclusive ? 0 : *lock - kReader;
    return true;
  });
  if (held) return;
  report_misuse(Misuse::LockNotHeld, function, lock,
                fmt::format("{} releases a push lock that is not held for {} access{}", function,
                            exclusive ? "exclusive" : "shared", exclusive ? " by the calling thread" : ""));
}

}  // namespace

VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock) {
  *PushLock = 0;
}

VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock) {
  const KernelCall call("ExAcquirePushLockExclusive", APC_LEVEL);
  acquire_exclusive(PushLock, call.name());
}

VOID ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG) {
  const KernelCall call("ExAcquirePushLockExclusiveEx", APC_LEVEL);
  acquire_exclusive(PushLock, call.name());
}

VOID ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock) {
  const KernelCall call("ExAcquirePushLockShared", APC_LEVEL);
  acquire_shared(PushLock, call.name());
}

VOID ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG) {
  const KernelCall call("ExAcquirePushLockSharedEx", APC_LEVEL);
  acquire_shared(PushLock, call.name());
}

VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock) {
  const KernelCall call("ExReleasePushLockExclusive", APC_LEVEL);
  release(PushLock, true, call.name());
}

VOID ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG) {
  const KernelCall call("ExReleasePushLockExclusiveEx", APC_LEVEL);
  release(PushLock, true, call.name());
}

VOID ExReleasePushLockShared(PEX_PUSH_LOCK PushLock) {
  const KernelCall call("ExReleasePushLockShared", APC_LEVEL);
  release(PushLock, false, call.name());
}

VOID ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG) {
  const KernelCall call("ExReleasePushLockSharedEx", APC_LEVEL);
  release(PushLock, false, call.name());
}
