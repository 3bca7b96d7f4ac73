// SPDX-License-Identifier: MIT
//
// Reader-writer spin locks (EX_SPIN_LOCK). The word is the number of readers, or the sign bit for a writer.
//
// Pages   wdm/nf-wdm-exacquirespinlockshared, -exacquirespinlockexclusive, -exreleasespinlockshared,
// -extryconvertsharedspinlockexclusive IRQL    acquire <= DISPATCH_LEVEL; the ...AtDpcLevel ones >=
// DISPATCH_LEVEL; release at DISPATCH_LEVEL Beyond  A writer that waits does not keep new readers out: which
// of them comes first is the schedule's choice.
#include <atomic>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/thread.h"

using namespace undis::kernel;

namespace {

constexpr LONG kWriter = static_cast<LONG>(0x80000000U);
constexpr KIRQL kAny = HIGH_LEVEL;
using Kind = HeldLock::Kind;

void* plain(PEX_SPIN_LOCK lock) {
  return const_cast<LONG*>(lock);
}
std::atomic_ref<LONG> word_of(PEX_SPIN_LOCK lock) {
  return std::atomic_ref(*const_cast<LONG*>(lock));
}

bool try_acquire(PEX_SPIN_LOCK lock, Kind kind) {
  auto word = word_of(lock);
  LONG seen = word.load();
  if (kind == Kind::Exclusive) {
    LONG free = 0;
    return word.compare_exchange_strong(free, kWriter);
  }
  return seen >= 0 && word.compare_exchange_strong(seen, seen + 1);
}

void acquire(PEX_SPIN_LOCK lock, Kind kind, const char* function, const void* return_address) {
  Thread& self = Thread::current();
  undis::machine::Machine& machine = System::current().machine();
  if (const HeldLock* const held = self.held(plain(lock));
      held != nullptr && (kind == Kind::Exclusive || held->kind == Kind::Exclusive)) {
    Stack origin;
    origin.frames[0] = const_cast<void*>(held->return_address);
    origin.count = 1;
    report_misuse(Misuse::LockRecursion, function, plain(lock),
                  fmt::format("{} acquires a spin lock that this thread holds already, by {}", function,
                              held->function),
                  origin);
  }
  while (!try_acquire(lock, kind)) {
    self.blocked_frame = __builtin_frame_address(0);
    self.blocked_since = machine.now();
    machine.spin(plain(lock));
  }
  self.blocked_frame = nullptr;
  self.note_acquired({plain(lock), kind, function, return_address});
}

KIRQL acquire_raising(PEX_SPIN_LOCK lock, Kind kind, const char* function, const void* return_address) {
  const KIRQL before = irql();
  if (before < DISPATCH_LEVEL) set_irql(DISPATCH_LEVEL);
  acquire(lock, kind, function, return_address);
  return before;
}

void release(PEX_SPIN_LOCK lock, Kind kind, const char* function) {
  Thread& self = Thread::current();
  const HeldLock* const held = self.held(plain(lock));
  if (held == nullptr || held->kind != kind) {
    report_misuse(Misuse::LockNotHeld, function, plain(lock),
                  fmt::format("{} releases a spin lock that the calling thread does not hold for {} access",
                              function, kind == Kind::Exclusive ? "exclusive" : "shared"));
    return;
  }
  self.note_released(plain(lock));
  if (kind == Kind::Exclusive) {
    word_of(lock).store(0);
  } else {
    word_of(lock).fetch_sub(1);
  }
  System::current().machine().spun(plain(lock));
}

void release_restoring(PEX_SPIN_LOCK lock, Kind kind, KIRQL before, const char* function) {
  release(lock, kind, function);
  if (before <= irql()) {
    set_irql(before);
    return;
  }
  report_misuse(
      Misuse::WrongIrql, function, plain(lock),
      fmt::format("{} is told to restore IRQL {}, which is above the current {}", function, before, irql()));
}

}  // namespace

KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExAcquireSpinLockShared", DISPATCH_LEVEL);
  return acquire_raising(SpinLock, Kind::Shared, call.name(), __builtin_return_address(0));
}

VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExAcquireSpinLockSharedAtDpcLevel", kAny, DISPATCH_LEVEL);
  acquire(SpinLock, Kind::Shared, call.name(), __builtin_return_address(0));
}

VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql) {
  const KernelCall call("ExReleaseSpinLockShared", DISPATCH_LEVEL, DISPATCH_LEVEL);
  release_restoring(SpinLock, Kind::Shared, OldIrql, call.name());
}

VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExReleaseSpinLockSharedFromDpcLevel", kAny, DISPATCH_LEVEL);
  release(SpinLock, Kind::Shared, call.name());
}

KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExAcquireSpinLockExclusive", DISPATCH_LEVEL);
  return acquire_raising(SpinLock, Kind::Exclusive, call.name(), __builtin_return_address(0));
}

VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExAcquireSpinLockExclusiveAtDpcLevel", kAny, DISPATCH_LEVEL);
  acquire(SpinLock, Kind::Exclusive, call.name(), __builtin_return_address(0));
}

VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql) {
  const KernelCall call("ExReleaseSpinLockExclusive", DISPATCH_LEVEL, DISPATCH_LEVEL);
  release_restoring(SpinLock, Kind::Exclusive, OldIrql, call.name());
}

VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExReleaseSpinLockExclusiveFromDpcLevel", kAny, DISPATCH_LEVEL);
  release(SpinLock, Kind::Exclusive, call.name());
}

LOGICAL ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock) {
  const KernelCall call("ExTryConvertSharedSpinLockExclusive", kAny, DISPATCH_LEVEL);
  Thread& self = Thread::current();
  const HeldLock* const held = self.held(plain(SpinLock));
  LONG one_reader = 1;
  if (held == nullptr || held->kind != Kind::Shared ||
      !word_of(SpinLock).compare_exchange_strong(one_reader, kWriter))
    return FALSE;
  HeldLock converted = *held;
  converted.kind = Kind::Exclusive;
  self.note_released(plain(SpinLock));
  self.note_acquired(converted);
  return TRUE;
}
