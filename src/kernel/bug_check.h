// SPDX-License-Identifier: MIT
//
// Bug checks: the end of a run by the kernel's or a driver's own decision.
#pragma once

#include <wdm.h>

namespace undis::kernel {

/// Tells the observer (BugCheckEvent) and ends the run with Outcome::BugCheck; outside a run it prints and
/// aborts.
[[noreturn]] void bug_check(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) noexcept;

}  // namespace undis::kernel
