// SPDX-License-Identifier: MIT
//
// Structured exceptions of drivers: raising one, and asking whether one would be caught. See
// include/wdk/seh.h.
#pragma once

#include <wdm.h>

namespace undis::kernel {

/// True if a __try of the callback that runs now is open on this thread: an exception would find its way
/// there. A __try further out, beyond a call of undis, does not count: an exception never passes through
/// undis.
bool exception_would_be_caught() noexcept;

/// Goes to the innermost guarded block or, if there is none, to the bug check KMODE_EXCEPTION_NOT_HANDLED. No
/// Lock may be held, and what stands on the stack up to that block is left without its destructors.
[[noreturn]] void raise_exception(const EXCEPTION_RECORD& record) noexcept;

}  // namespace undis::kernel
