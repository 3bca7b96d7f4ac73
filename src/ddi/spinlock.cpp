// SPDX-License-Identifier: MIT
//
// NDIS spin locks: a KSPIN_LOCK that remembers the IRQL, and whether it was allocated.
//
// Beyond  NdisAllocateSpinLock leaves a mark in the structure's padding, which NdisFreeSpinLock takes away: a
//         lock that is merely zeroed
//         works on Windows and is told here. docs/decisions.md#spin-lock-mark
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/spin.h"
#include "kernel/thread.h"
#include "machine/footprint.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr std::uint32_t kMark = 0x4B4C5053;
constexpr std::size_t kMarkAt = sizeof(NDIS_SPIN_LOCK) - sizeof kMark;
static_assert(kMarkAt > offsetof(NDIS_SPIN_LOCK, OldIrql), "the mark stands in the padding");

bool is_marked(const NDIS_SPIN_LOCK* lock) {
  std::uint32_t mark;
  std::memcpy(&mark, reinterpret_cast<const std::byte*>(lock) + kMarkAt, sizeof mark);
  return mark == kMark;
}

void put_mark(NDIS_SPIN_LOCK* lock) {
  std::memcpy(reinterpret_cast<std::byte*>(lock) + kMarkAt, &kMark, sizeof kMark);
}

/// Tells of a lock that is none, and makes it usable so that the run goes on.
void check_allocated(const DdiCall& call, NDIS_SPIN_LOCK* lock) {
  machine::tell_touched(lock, sizeof *lock, false);
  if (is_marked(lock)) return;
  report_misuse(
      Misuse::ObjectNotInitialized, call.name(), lock,
      fmt::format("{} was given a spin lock that NdisAllocateSpinLock has not initialised, or that was freed",
                  call.name()));
  if (kernel::spin::read(lock->SpinLock, nullptr) == kernel::spin::WordState::Garbage) lock->SpinLock = 0;
  put_mark(lock);
}

bool is_mine(const NDIS_SPIN_LOCK* lock) {
  kernel::spin::Owner owner{};
  return kernel::spin::read(lock->SpinLock, &owner) == kernel::spin::WordState::Held &&
         owner.strand == kernel::Thread::current().id();
}

/// Each form of release belongs to a form of acquire.
void check_pair(const DdiCall& call, NDIS_SPIN_LOCK* lock, bool dpr) {
  const kernel::HeldLock* const held = kernel::Thread::current().held(&lock->SpinLock);
  if (held == nullptr) return;
  const bool acquired_dpr = std::string_view(held->function) == "NdisDprAcquireSpinLock";
  if (acquired_dpr == dpr) return;
  report_misuse(Misuse::BadParameter, call.name(), lock,
                fmt::format("{} releases a spin lock that was acquired by {}; {} belongs to it", call.name(),
                            held->function, acquired_dpr ? "NdisDprReleaseSpinLock" : "NdisReleaseSpinLock"));
}

/// At DISPATCH_LEVEL whatever the caller's IRQL is: below, a DPC could come in and want the lock.
void acquire(NDIS_SPIN_LOCK* lock, const char* function, const void* return_address) {
  const KIRQL before = kernel::spin::acquire_raising(&lock->SpinLock, function, return_address);
  machine::tell_touched(lock, sizeof *lock, true);
  lock->OldIrql = before;  // only now is it ours to write
}

}  // namespace

// Page    ndis/nf-ndis-ndisallocatespinlock                          IRQL  any
VOID NdisAllocateSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisAllocateSpinLock);
  if (is_marked(SpinLock) && kernel::spin::read(SpinLock->SpinLock, nullptr) == kernel::spin::WordState::Held)
    report_misuse(Misuse::BadParameter, call.name(), SpinLock,
                  "the spin lock is initialised again while it is held");
  std::memset(SpinLock, 0, sizeof *SpinLock);
  kernel::spin::initialized(&SpinLock->SpinLock);
  put_mark(SpinLock);
}

// Page    ndis/nf-ndis-ndisfreespinlock                              IRQL  any
VOID NdisFreeSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisFreeSpinLock);
  check_allocated(call, SpinLock);
  if (kernel::spin::read(SpinLock->SpinLock, nullptr) == kernel::spin::WordState::Held) {
    report_misuse(Misuse::BadParameter, call.name(), SpinLock, "the spin lock is freed while it is held");
    return;
  }
  std::memset(SpinLock, 0, sizeof *SpinLock);
}

// Page    ndis/nf-ndis-ndisacquirespinlock                           IRQL  <= DISPATCH_LEVEL
VOID NdisAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisAcquireSpinLock, nullptr, DdiCall::Tells::All);
  check_allocated(call, SpinLock);
  acquire(SpinLock, call.name(), __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisreleasespinlock                           IRQL  DISPATCH_LEVEL
VOID NdisReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisReleaseSpinLock, nullptr, DdiCall::Tells::All);
  machine::tell_touched(SpinLock, sizeof *SpinLock, true);
  check_allocated(call, SpinLock);
  check_pair(call, SpinLock, false);
  if (!is_mine(SpinLock)) {
    kernel::spin::release(&SpinLock->SpinLock, call.name());  // tells who holds it, and releases nothing
    return;
  }
  const KIRQL before = SpinLock->OldIrql;
  kernel::spin::release_restoring(&SpinLock->SpinLock, before, call.name());
  if (before < DISPATCH_LEVEL && kernel::Thread::current().spin_locks() != 0)
    report_misuse(Misuse::WrongIrql, call.name(), SpinLock,
                  fmt::format("the release goes back to IRQL {} while the thread holds another spin lock; "
                              "locks are released in the reverse order",
                              before));
}

// Page    ndis/nf-ndis-ndisdpracquirespinlock                        IRQL  DISPATCH_LEVEL
// Beyond  Called below DISPATCH_LEVEL it is told, and the IRQL is raised for as long as the lock is held.
VOID NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisDprAcquireSpinLock, nullptr, DdiCall::Tells::All);
  check_allocated(call, SpinLock);
  acquire(SpinLock, call.name(), __builtin_return_address(0));
}

// Page    ndis/nf-ndis-ndisdprreleasespinlock                        IRQL  DISPATCH_LEVEL
VOID NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  const DdiCall call(Ddi::NdisDprReleaseSpinLock, nullptr, DdiCall::Tells::All);
  machine::tell_touched(SpinLock, sizeof *SpinLock, true);
  check_allocated(call, SpinLock);
  check_pair(call, SpinLock, true);
  const bool mine = is_mine(SpinLock);
  const KIRQL before = SpinLock->OldIrql;
  kernel::spin::release(&SpinLock->SpinLock, call.name());
  if (mine && before < kernel::irql()) kernel::set_irql(before);
}
