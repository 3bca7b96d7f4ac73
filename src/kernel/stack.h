// SPDX-License-Identifier: MIT
//
// Walking stacks other than the caller's own (that is Stack::capture).
#pragma once

#include <cstdint>

#include "kernel/observer.h"

namespace undis::kernel {

class Thread;

/// The return addresses above `frame`, a frame pointer within [low, high); the first `skip` are left out.
Stack walk_frames(const void* frame, std::uintptr_t low, std::uintptr_t high, std::uint32_t skip) noexcept;

/// The stack of a thread that does not run now: from the function in which it waits or spins, else from where
/// it was switched away.
Stack stack_of(const Thread& thread) noexcept;

}  // namespace undis::kernel
