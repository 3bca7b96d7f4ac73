// SPDX-License-Identifier: MIT
//
// Who wants to hear of bug checks and of processes.
#pragma once

#include <wdm.h>

namespace undis::kernel {

/// Calls the bug-check callbacks, last registered first, at HIGH_LEVEL. From bug_check() only.
void call_bug_check_callbacks() noexcept;

/// For a host: a process begins or ends; PASSIVE_LEVEL.
void notify_process(HANDLE parent, HANDLE process, bool created);

}  // namespace undis::kernel
