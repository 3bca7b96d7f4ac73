// SPDX-License-Identifier: MIT
//
// Spin locks: KeAcquireSpinLock and its relatives, queued ones included.
//
// Pages   wdm/nf-wdm-keacquirespinlock, -kereleasespinlock, -keacquirespinlockatdpclevel,
// -kereleasespinlockfromdpclevel,
//         -keacquireinstackqueuedspinlock, -ketrytoacquirespinlockatdpclevel, -keacquirespinlockfordpc
// IRQL    acquire <= DISPATCH_LEVEL, the ...DpcLevel ones >= DISPATCH_LEVEL; release at DISPATCH_LEVEL
// Beyond  Queued spin locks are not served in the order of arrival: which waiter is next is the schedule's
// choice.
#include "kernel/spin.h"

#include <atomic>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "machine/footprint.h"

namespace undis::kernel::spin {
namespace {

constexpr ULONG_PTR kMark = ULONG_PTR{0x5D1C} << 48;
constexpr ULONG_PTR kMarkMask = ULONG_PTR{0xFFFF} << 48;

ULONG_PTR word_of(const Thread& thread, const machine::Processor& processor) noexcept {
  return kMark | ULONG_PTR{thread.id()} << 8 | ULONG_PTR{processor.index} << 1 | 1;
}

/// Reports why the current thread can never get this lock, if that is so.
void report_if_recursive(const KSPIN_LOCK* lock, const Owner& owner, const Thread& self,
                         const char* function) {
  const machine::Processor& here = *machine::processor_here;
  const bool by_self = owner.strand == self.id();
  const bool by_interrupted = here.interrupted != nullptr && here.interrupted->id() == owner.strand;
  if (!by_self && !by_interrupted) return;
  Stack origin;
  if (const HeldLock* const held =
          (by_self ? self : static_cast<const Thread&>(*here.interrupted)).held(lock)) {
    origin.frames[0] = const_cast<void*>(held->return_address);
    origin.count = 1;
  }
  report_misuse(
      Misuse::LockRecursion, function, lock,
      by_self ? fmt::format(
                    "{} acquires a spin lock that this thread holds already; spin locks are not recursive",
                    function)
              : fmt::format("{} acquires, in a DPC, a spin lock that the interrupted thread of the same "
                            "processor holds; it was "
                            "acquired below DISPATCH_LEVEL",
                            function),
      origin);
}

/// Reports locks that are acquired in both orders, though nobody waits for ever this time.
void check_order(const Thread& self, const KSPIN_LOCK* lock, const char* function) {
  const auto conflict = System::current().scheduling().lock_order.acquired(self);
  if (!conflict) return;
  Stack origin;
  origin.frames[0] = const_cast<void*>(conflict->other_address);
  origin.count = 1;
  report_misuse(Misuse::LockOrder, function, lock,
                fmt::format("{} acquires the spin lock at {} while that at {} is held; elsewhere they are "
                            "acquired the other way round, so "
                            "two threads can wait for each other for ever",
                            function, place_of(lock), place_of(conflict->held)),
                origin);
}

}  // namespace

WordState read(ULONG_PTR word, Owner* owner) noexcept {
  if (word == 0) return WordState::Free;
  if ((word & kMarkMask) != kMark || (word & 1) == 0) return WordState::Garbage;
  if (owner != nullptr) {
    owner->strand = static_cast<std::uint32_t>(word >> 8);
    owner->processor = static_cast<std::uint32_t>(word >> 1 & 0x7F);
  }
  return WordState::Held;
}

bool try_acquire(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept {
  Thread& self = Thread::current();
  machine::tell_touched(lock, sizeof *lock, true);
  const std::atomic_ref word(*lock);
  ULONG_PTR seen = word.load(std::memory_order_relaxed);
  if (read(seen, nullptr) == WordState::Garbage) {
    report_misuse(
        Misuse::ObjectNotInitialized, function, lock,
        fmt::format(
            "{} was given a spin lock that KeInitializeSpinLock has not initialised, or that was overwritten",
            function));
  } else if (seen != 0) {
    return false;
  }
  if (!word.compare_exchange_strong(seen, word_of(self, *machine::processor_here), std::memory_order_acquire))
    return false;
  self.note_acquired({lock, HeldLock::Kind::Plain, function, return_address});
  return true;
}

void acquire(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept {
  Thread& self = Thread::current();
  machine::Machine& machine = System::current().machine();
  bool first = true;
  while (!try_acquire(lock, function, return_address)) {
    Owner owner{};
    if (first && read(std::atomic_ref(*lock).load(), &owner) == WordState::Held) {
      first = false;
      report_if_recursive(lock, owner, self, function);
      self.blocked_since = machine.now();
    }
    self.blocked_frame = __builtin_frame_address(0);
    machine.spin(lock);
  }
  self.blocked_frame = nullptr;
  if (self.spin_locks() > 1) check_order(self, lock, function);
}

void initialized(KSPIN_LOCK* lock) noexcept {
  machine::tell_touched(lock, sizeof *lock, true);
  std::atomic_ref(*lock).store(0, std::memory_order_relaxed);
  if (System* const system = System::current_or_null()) system->scheduling().lock_order.initialized(lock);
}

void release(KSPIN_LOCK* lock, const char* function) noexcept {
  Thread& self = Thread::current();
  machine::tell_touched(lock, sizeof *lock, true);
  const std::atomic_ref word(*lock);
  Owner owner{};
  const WordState state = read(word.load(std::memory_order_relaxed), &owner);
  if (state == WordState::Held && owner.strand == self.id()) {
    self.note_released(lock);
    word.store(0, std::memory_order_release);
    System::current().machine().spun(lock);
    return;
  }
  report_misuse(
      state == WordState::Garbage ? Misuse::ObjectNotInitialized : Misuse::LockNotHeld, function, lock,
      state == WordState::Free ? fmt::format("{} releases a spin lock that nobody holds", function)
      : state == WordState::Garbage
          ? fmt::format("{} was given a spin lock that was never initialised, or was overwritten", function)
          : fmt::format("{} releases a spin lock that another thread holds, on processor {}", function,
                        owner.processor));
}

KIRQL acquire_raising(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept {
  const KIRQL before = irql();
  if (before < DISPATCH_LEVEL) set_irql(DISPATCH_LEVEL);
  acquire(lock, function, return_address);
  return before;
}

void release_restoring(KSPIN_LOCK* lock, KIRQL before, const char* function) noexcept {
  release(lock, function);
  if (before > irql()) {
    report_misuse(Misuse::WrongIrql, function, lock,
                  fmt::format("{} is told to restore IRQL {}, which is above the current {}; it must be the "
                              "value that the acquire call gave",
                              function, before, irql()));
    return;
  }
  set_irql(before);
}

void release_kept(Thread& thread, const HeldLock& held) noexcept {
  const HeldLock lock = held;
  machine::tell_touched(lock.lock, sizeof(KSPIN_LOCK), true);
  thread.note_released(lock.lock);
  auto* const address = const_cast<void*>(lock.lock);
  switch (lock.kind) {
  case HeldLock::Kind::Plain:
    std::atomic_ref(*static_cast<KSPIN_LOCK*>(address)).store(0);
    break;
  case HeldLock::Kind::Shared:
    std::atomic_ref(*static_cast<EX_SPIN_LOCK*>(address)).fetch_sub(1);
    break;
  case HeldLock::Kind::Exclusive:
    std::atomic_ref(*static_cast<EX_SPIN_LOCK*>(address)).store(0);
    break;
  }
  System::current().machine().spun(lock.lock);
}

}  // namespace undis::kernel::spin

using namespace undis::kernel;

namespace {

/// The entry points that need DISPATCH_LEVEL or above but are called below it would let a DPC in: reported,
/// then done all the same.
constexpr KIRQL kAny = HIGH_LEVEL;

}  // namespace

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) {
  spin::initialized(SpinLock);
}

VOID KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql) {
  const KernelCall call("KeAcquireSpinLock", DISPATCH_LEVEL, KernelCall::Tells::All);
  undis::machine::tell_touched(OldIrql, sizeof *OldIrql, true);
  *OldIrql = spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeAcquireSpinLockRaiseToDpc", DISPATCH_LEVEL, KernelCall::Tells::All);
  return spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

KIRQL KeAcquireSpinLockRaiseToSynch(PKSPIN_LOCK SpinLock) {
  constexpr KIRQL kSynchLevel = 12;  // SYNCH_LEVEL of x64
  const KernelCall call("KeAcquireSpinLockRaiseToSynch", kSynchLevel);
  const KIRQL before = irql();
  if (before < kSynchLevel) set_irql(kSynchLevel);
  spin::acquire(SpinLock, call.name(), __builtin_return_address(0));
  return before;
}

KIRQL KfAcquireSpinLock(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KfAcquireSpinLock", DISPATCH_LEVEL, KernelCall::Tells::All);
  return spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  const KernelCall call("KeReleaseSpinLock", DISPATCH_LEVEL, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::release_restoring(SpinLock, NewIrql, call.name());
}

VOID KfReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  const KernelCall call("KfReleaseSpinLock", DISPATCH_LEVEL, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::release_restoring(SpinLock, NewIrql, call.name());
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeAcquireSpinLockAtDpcLevel", kAny, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::acquire(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KefAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KefAcquireSpinLockAtDpcLevel", kAny, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::acquire(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeReleaseSpinLockFromDpcLevel", kAny, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::release(SpinLock, call.name());
}

VOID KefReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KefReleaseSpinLockFromDpcLevel", kAny, DISPATCH_LEVEL, KernelCall::Points::Both,
                        KernelCall::Tells::All);
  spin::release(SpinLock, call.name());
}

KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeAcquireSpinLockForDpc", DISPATCH_LEVEL);
  return spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql) {
  const KernelCall call("KeReleaseSpinLockForDpc", DISPATCH_LEVEL, DISPATCH_LEVEL);
  spin::release_restoring(SpinLock, OldIrql, call.name());
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeTryToAcquireSpinLockAtDpcLevel", kAny, DISPATCH_LEVEL);
  return spin::try_acquire(SpinLock, call.name(), __builtin_return_address(0)) ? TRUE : FALSE;
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock) {
  const KernelCall call("KeTestSpinLock", kAny);
  return std::atomic_ref(*SpinLock).load() == 0 ? TRUE : FALSE;
}

// ---- queued: the handle remembers the lock and the IRQL ----

namespace {

void enter_queue(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle) {
  handle->LockQueue.Next = nullptr;
  handle->LockQueue.Lock = lock;
}

/// The lock of a handle that was used for an acquire; nullptr after the report that it was not.
PKSPIN_LOCK leave_queue(PKLOCK_QUEUE_HANDLE handle, const char* function) {
  PKSPIN_LOCK const lock = handle->LockQueue.Lock;
  if (lock == nullptr) {
    report_misuse(Misuse::LockNotHeld, function, handle,
                  fmt::format("{} was given a handle that holds no lock", function));
    return nullptr;
  }
  handle->LockQueue.Lock = nullptr;
  return lock;
}

}  // namespace

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeAcquireInStackQueuedSpinLock", DISPATCH_LEVEL);
  enter_queue(SpinLock, LockHandle);
  LockHandle->OldIrql = spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeReleaseInStackQueuedSpinLock", DISPATCH_LEVEL, DISPATCH_LEVEL);
  if (PKSPIN_LOCK const lock = leave_queue(LockHandle, call.name())) {
    spin::release_restoring(lock, LockHandle->OldIrql, call.name());
  }
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeAcquireInStackQueuedSpinLockAtDpcLevel", kAny, DISPATCH_LEVEL);
  enter_queue(SpinLock, LockHandle);
  spin::acquire(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeReleaseInStackQueuedSpinLockFromDpcLevel", kAny, DISPATCH_LEVEL);
  if (PKSPIN_LOCK const lock = leave_queue(LockHandle, call.name())) spin::release(lock, call.name());
}

VOID KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeAcquireInStackQueuedSpinLockForDpc", DISPATCH_LEVEL);
  enter_queue(SpinLock, LockHandle);
  LockHandle->OldIrql = spin::acquire_raising(SpinLock, call.name(), __builtin_return_address(0));
}

VOID KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle) {
  const KernelCall call("KeReleaseInStackQueuedSpinLockForDpc", DISPATCH_LEVEL, DISPATCH_LEVEL);
  if (PKSPIN_LOCK const lock = leave_queue(LockHandle, call.name())) {
    spin::release_restoring(lock, LockHandle->OldIrql, call.name());
  }
}
