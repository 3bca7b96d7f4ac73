// SPDX-License-Identifier: MIT
//
// The IRQL of the current processor, and the regions that hold back APCs (of which undis has none: they are
// counted and checked).
//
// Pages   wdm/nf-wdm-kegetcurrentirql, -keraiseirql, -kelowerirql, -keraiseirqltodpclevel;
// ntddk/nf-ntddk-keentercriticalregion IRQL    any; raising never lowers, lowering never raises
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/region.h"
#include "kernel/system.h"
#include "kernel/thread.h"

namespace undis::kernel {
namespace {

constexpr KIRQL kSynchLevel = 12;  // SYNCH_LEVEL of x64

KIRQL raise(const char* name, KIRQL to) {
  const KIRQL before = irql();
  if (to < before) {
    report_misuse(
        Misuse::WrongIrql, name, nullptr,
        fmt::format("{} is asked for IRQL {} at IRQL {}; it must not lower the IRQL", name, to, before));
    return before;
  }
  set_irql(to);
  return before;
}

void lower(const char* name, KIRQL to) {
  if (to > irql()) {
    report_misuse(
        Misuse::WrongIrql, name, nullptr,
        fmt::format("{} is asked for IRQL {} at IRQL {}; it must not raise the IRQL", name, to, irql()));
    return;
  }
  if (const Thread* const thread = Thread::current_or_null();
      thread != nullptr && to < DISPATCH_LEVEL && thread->spin_locks() != 0) {
    report_misuse(Misuse::WrongIrql, name, nullptr,
                  fmt::format("{} lowers the IRQL to {} while the thread holds a spin lock", name, to));
  }
  set_irql(to);
}

}  // namespace

bool apcs_disabled() noexcept {
  const Thread& self = Thread::current();
  return self.critical_regions != 0 || self.guarded_regions != 0 || irql() >= APC_LEVEL;
}

void check_apcs_disabled(const char* function, const void* lock) noexcept {
  if (apcs_disabled()) return;
  report_misuse(
      Misuse::BadParameter, function, lock,
      fmt::format("{} is called with normal kernel APCs enabled; KeEnterCriticalRegion must be called first",
                  function));
}

}  // namespace undis::kernel

using namespace undis::kernel;

KIRQL KeGetCurrentIrql() {
  return irql();
}

VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql) {
  const KernelCall call("KeRaiseIrql", HIGH_LEVEL);
  *OldIrql = raise(call.name(), NewIrql);
}

KIRQL KfRaiseIrql(KIRQL NewIrql) {
  const KernelCall call("KfRaiseIrql", HIGH_LEVEL);
  return raise(call.name(), NewIrql);
}

KIRQL KeRaiseIrqlToDpcLevel() {
  const KernelCall call("KeRaiseIrqlToDpcLevel", HIGH_LEVEL);
  return raise(call.name(), DISPATCH_LEVEL);
}

KIRQL KeRaiseIrqlToSynchLevel() {
  const KernelCall call("KeRaiseIrqlToSynchLevel", HIGH_LEVEL);
  return raise(call.name(), kSynchLevel);
}

VOID KeLowerIrql(KIRQL NewIrql) {
  const KernelCall call("KeLowerIrql", HIGH_LEVEL);
  lower(call.name(), NewIrql);
}

VOID KfLowerIrql(KIRQL NewIrql) {
  const KernelCall call("KfLowerIrql", HIGH_LEVEL);
  lower(call.name(), NewIrql);
}

// ---- regions ----

namespace {

void leave_region(const char* name, std::uint32_t Thread::*count) {
  std::uint32_t& entered = Thread::current().*count;
  if (entered == 0) {
    report_misuse(Misuse::BadParameter, name, nullptr,
                  fmt::format("{} without a call that entered the region", name));
    return;
  }
  --entered;
}

}  // namespace

VOID KeEnterCriticalRegion() {
  const KernelCall call("KeEnterCriticalRegion", APC_LEVEL);
  ++Thread::current().critical_regions;
}

VOID KeLeaveCriticalRegion() {
  const KernelCall call("KeLeaveCriticalRegion", APC_LEVEL);
  leave_region(call.name(), &Thread::critical_regions);
}

VOID KeEnterGuardedRegion() {
  const KernelCall call("KeEnterGuardedRegion", APC_LEVEL);
  ++Thread::current().guarded_regions;
}

VOID KeLeaveGuardedRegion() {
  const KernelCall call("KeLeaveGuardedRegion", APC_LEVEL);
  leave_region(call.name(), &Thread::guarded_regions);
}

BOOLEAN KeAreApcsDisabled() {
  const KernelCall call("KeAreApcsDisabled", HIGH_LEVEL);
  return apcs_disabled() ? TRUE : FALSE;
}

BOOLEAN KeAreAllApcsDisabled() {
  const KernelCall call("KeAreAllApcsDisabled", HIGH_LEVEL);
  return Thread::current().guarded_regions != 0 || irql() >= APC_LEVEL ? TRUE : FALSE;
}
