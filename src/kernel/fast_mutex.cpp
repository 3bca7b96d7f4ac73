// SPDX-License-Identifier: MIT
//
// Fast mutexes and guarded mutexes: one structure, one implementation.
//
// Pages   wdm/nf-wdm-exacquirefastmutex, -exreleasefastmutex, -extrytoacquirefastmutex,
// -keacquireguardedmutex IRQL    fast: acquire <= APC_LEVEL, then APC_LEVEL until released; the Unsafe ones:
// APC_LEVEL or in a critical region; guarded: <= APC_LEVEL
#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

using namespace undis::kernel;

namespace {

constexpr LONG kFree = 1;
constexpr LONG kTaken = 0;

bool check(const FAST_MUTEX* mutex, const char* function) {
  return check_header(mutex->Event.Header, DispatcherType::SynchronizationEvent,
                      DispatcherType::SynchronizationEvent, function, "a fast mutex");
}

void initialize(PFAST_MUTEX mutex) {
  *mutex = {};
  mutex->Count = kFree;
  initialize_event(mutex->Event, DispatcherType::SynchronizationEvent, false);
}

/// False: it is taken.
bool try_take(PFAST_MUTEX mutex) {
  const Hold hold(dispatcher_lock);
  if (mutex->Count != kFree) return false;
  mutex->Count = kTaken;
  mutex->Owner = Thread::current().object();
  return true;
}

void take(PFAST_MUTEX mutex, const char* function) {
  if (try_take(mutex)) return;
  if (mutex->Owner == Thread::current().object()) {
    report_misuse(
        Misuse::LockRecursion, function, mutex,
        fmt::format("{} acquires a fast mutex that this thread holds already; fast mutexes are not recursive",
                    function));
  }
  ++mutex->Contention;
  const Thread* const owner = Thread::from_object(mutex->Owner);
  const std::string name =
      fmt::format("of a fast mutex, held by thread {}", owner != nullptr ? owner->name() : "that is gone");
  while (!try_take(mutex)) {
    DISPATCHER_HEADER* const event = &mutex->Event.Header;
    wait_for(function, {&event, 1}, false, {}, name.c_str());
  }
}

void give(PFAST_MUTEX mutex, const char* function) {
  if (mutex->Count == kFree || mutex->Owner != Thread::current().object()) {
    report_misuse(Misuse::LockNotHeld, function, mutex,
                  fmt::format("{} releases a fast mutex that the calling thread does not hold", function));
    return;
  }
  {
    const Hold hold(dispatcher_lock);
    mutex->Owner = nullptr;
    mutex->Count = kFree;
  }
  set_event(mutex->Event);
}

void acquire_raising(PFAST_MUTEX mutex, const char* function) {
  const KIRQL before = irql();
  if (before < APC_LEVEL) set_irql(APC_LEVEL);
  take(mutex, function);
  mutex->OldIrql = before;
}

}  // namespace

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExInitializeFastMutex", DISPATCH_LEVEL);
  initialize(FastMutex);
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExAcquireFastMutex", APC_LEVEL);
  if (check(FastMutex, call.name())) acquire_raising(FastMutex, call.name());
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExTryToAcquireFastMutex", APC_LEVEL);
  if (!check(FastMutex, call.name()) || !try_take(FastMutex)) return FALSE;
  FastMutex->OldIrql = irql();
  if (irql() < APC_LEVEL) set_irql(APC_LEVEL);
  return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExReleaseFastMutex", APC_LEVEL, APC_LEVEL);
  if (!check(FastMutex, call.name())) return;
  const auto before = static_cast<KIRQL>(FastMutex->OldIrql);
  give(FastMutex, call.name());
  if (before < irql()) set_irql(before);
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExAcquireFastMutexUnsafe", APC_LEVEL);
  if (check(FastMutex, call.name())) take(FastMutex, call.name());
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex) {
  const KernelCall call("ExReleaseFastMutexUnsafe", APC_LEVEL);
  if (check(FastMutex, call.name())) give(FastMutex, call.name());
}

VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex) {
  const KernelCall call("KeInitializeGuardedMutex", APC_LEVEL);
  initialize(Mutex);
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  const KernelCall call("KeAcquireGuardedMutex", APC_LEVEL);
  if (!check(Mutex, call.name())) return;
  ++Thread::current().guarded_regions;
  take(Mutex, call.name());
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex) {
  const KernelCall call("KeReleaseGuardedMutex", APC_LEVEL);
  if (!check(Mutex, call.name())) return;
  give(Mutex, call.name());
  if (Thread::current().guarded_regions != 0) --Thread::current().guarded_regions;
}

BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  const KernelCall call("KeTryToAcquireGuardedMutex", APC_LEVEL);
  if (!check(Mutex, call.name()) || !try_take(Mutex)) return FALSE;
  ++Thread::current().guarded_regions;
  return TRUE;
}

VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX FastMutex) {
  const KernelCall call("KeAcquireGuardedMutexUnsafe", APC_LEVEL);
  if (check(FastMutex, call.name())) take(FastMutex, call.name());
}

VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX FastMutex) {
  const KernelCall call("KeReleaseGuardedMutexUnsafe", APC_LEVEL);
  if (check(FastMutex, call.name())) give(FastMutex, call.name());
}
