// SPDX-License-Identifier: MIT
//
// Critical and guarded regions, as the locks that need one ask for them.
#pragma once

namespace undis::kernel {

/// True if normal kernel APCs cannot reach the current thread: it is in a region, or at APC_LEVEL or above.
bool apcs_disabled() noexcept;

/// Reports Misuse::BadParameter if they can: `function` on `lock` needs KeEnterCriticalRegion before it.
void check_apcs_disabled(const char* function, const void* lock) noexcept;

}  // namespace undis::kernel
