// SPDX-License-Identifier: MIT
//
// Mutex objects and semaphores.
//
// Pages   wdm/nf-wdm-keinitializemutex, -kereleasemutex, -kereadstatemutex, -keinitializesemaphore,
// -kereleasesemaphore IRQL    <= DISPATCH_LEVEL; a release with Wait TRUE: <= APC_LEVEL
#include <limits>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/bug_check.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/wait.h"

using namespace undis::kernel;

namespace {

bool check_mutex(const KMUTEX* mutex, const char* function) {
  return check_header(mutex->Header, DispatcherType::Mutant, DispatcherType::Mutant, function, "a mutex");
}

bool check_semaphore(const KSEMAPHORE* semaphore, const char* function) {
  return check_header(semaphore->Header, DispatcherType::Semaphore, DispatcherType::Semaphore, function,
                      "a semaphore");
}

}  // namespace

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG) {
  initialize_header(Mutex->Header, DispatcherType::Mutant, sizeof *Mutex, 1);
  InitializeListHead(&Mutex->MutantListEntry);
  Mutex->OwnerThread = nullptr;
  Mutex->MutantFlags = 0;
  Mutex->ApcDisable = 1;
}

LONG KeReadStateMutex(PRKMUTEX Mutex) {
  const KernelCall call("KeReadStateMutex", DISPATCH_LEVEL);
  return check_mutex(Mutex, call.name()) ? Mutex->Header.SignalState : 0;
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait) {
  const KernelCall call("KeReleaseMutex", Wait != FALSE ? APC_LEVEL : DISPATCH_LEVEL);
  if (!check_mutex(Mutex, call.name())) return 0;
  Thread& self = Thread::current();
  dispatcher_lock.lock();
  const LONG before = Mutex->Header.SignalState;
  const bool owns = Mutex->OwnerThread == self.object();
  if (owns && ++Mutex->Header.SignalState == 1) {
    Mutex->OwnerThread = nullptr;
    if (Mutex->ApcDisable != 0 && self.critical_regions != 0) --self.critical_regions;
    wake_waiters(Mutex->Header);
  }
  dispatcher_lock.unlock();
  if (!owns) {
    report_misuse(Misuse::LockNotHeld, call.name(), Mutex,
                  "KeReleaseMutex releases a mutex that the calling thread does not own");
  }
  return before;
}

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit) {
  initialize_header(Semaphore->Header, DispatcherType::Semaphore, sizeof *Semaphore, Count);
  Semaphore->Limit = Limit;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore) {
  const KernelCall call("KeReadStateSemaphore", HIGH_LEVEL);
  return check_semaphore(Semaphore, call.name()) ? Semaphore->Header.SignalState : 0;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY, LONG Adjustment, BOOLEAN Wait) {
  const KernelCall call("KeReleaseSemaphore", Wait != FALSE ? APC_LEVEL : DISPATCH_LEVEL);
  if (!check_semaphore(Semaphore, call.name())) return 0;
  dispatcher_lock.lock();
  const LONG before = Semaphore->Header.SignalState;
  const bool fits = Adjustment > 0 && before <= Semaphore->Limit - Adjustment;
  if (fits) {
    Semaphore->Header.SignalState = before + Adjustment;
    wake_waiters(Semaphore->Header);
  }
  dispatcher_lock.unlock();
  if (!fits) {
    report_misuse(
        Misuse::BadParameter, call.name(), Semaphore,
        fmt::format("a semaphore with count {} and limit {} cannot be released by {}; Windows raises "
                    "STATUS_SEMAPHORE_LIMIT_EXCEEDED",
                    before, Semaphore->Limit, Adjustment));
  }
  return before;
}
