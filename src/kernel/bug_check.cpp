// SPDX-License-Identifier: MIT
//
// KeBugCheckEx and KeBugCheck.
//
// Pages   wdm/nf-wdm-kebugcheckex, ntddk/nf-ntddk-kebugcheck
// IRQL    any
#include "kernel/bug_check.h"

#include <cstdio>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/misuse.h"
#include "kernel/notify.h"
#include "kernel/observer.h"
#include "kernel/system.h"
#include "machine/machine.h"

namespace undis::kernel {

void bug_check(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) noexcept {
  System& system = System::current();
  call_bug_check_callbacks();
  const BugCheckEvent event{code, {p1, p2, p3, p4}, current_driver(), Stack::capture(1)};
  system.observer().on(event);
  if (!system.machine().can_abandon()) {
    std::fputs(fmt::format("undis: bug check {:#x} ({:#x}, {:#x}, {:#x}, {:#x}) by {}\n", code, p1, p2, p3,
                           p4, name_of(event.driver))
                   .c_str(),
               stderr);
  }
  system.abandon(Outcome::BugCheck);
}

}  // namespace undis::kernel

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                  ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4) {
  undis::kernel::bug_check(BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3,
                           BugCheckParameter4);
}

VOID KeBugCheck(ULONG BugCheckCode) {
  undis::kernel::bug_check(BugCheckCode, 0, 0, 0, 0);
}
