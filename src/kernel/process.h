// SPDX-License-Identifier: MIT
//
// The one process, and the ids that threads are known by.
#pragma once

#include <cstdint>

#include <wdm.h>

namespace undis::kernel {

class Thread;

inline const HANDLE kSystemProcessId = reinterpret_cast<HANDLE>(std::uintptr_t{4});

/// The PEPROCESS of System.
void* system_process_object() noexcept;
/// Ids of Windows are multiples of four; 4 is the process.
HANDLE id_of(const Thread& thread) noexcept;

}  // namespace undis::kernel
