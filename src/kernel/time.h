// SPDX-License-Identifier: MIT
//
// The two clocks of the kernel: time since start (the machine's), and system time, which began at a fixed
// moment.
#pragma once

#include <wdm.h>

#include "machine/machine.h"

namespace undis::kernel {

/// System time at the start of every machine: 2024-01-01 00:00 UTC, in units of 100 ns since 1601. Fixed, so
/// that runs are the same.
inline constexpr LONGLONG kSystemTimeAtStart = 133'485'408'000'000'000;
inline constexpr machine::Ticks kTicksPerMillisecond = 10'000;
/// The clock interval: KeQueryTimeIncrement, and what one tick of KeQueryTickCount is.
inline constexpr machine::Ticks kClockInterval = 156'250;

/// When a driver's due time is, in time since start: negative is relative to now, else absolute system time.
/// Never before now.
machine::Ticks due_time(const LARGE_INTEGER& time) noexcept;

}  // namespace undis::kernel
