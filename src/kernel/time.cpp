// SPDX-License-Identifier: MIT
//
// Clocks and delays. All time is the machine's: virtual in the simulated one, so it passes only when nothing
// can run or somebody stalls.
//
// Pages   wdm/nf-wdm-kequerysystemtime~r1, -kequerytickcount, -kequeryinterrupttime,
// -kequeryperformancecounter,
//         -kestallexecutionprocessor
// IRQL    any
// Beyond  The performance counter runs at 10 MHz, the frequency of current Windows. Local time is UTC.
#include "kernel/time.h"

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/system.h"

namespace undis::kernel {

machine::Ticks due_time(const LARGE_INTEGER& time) noexcept {
  const machine::Ticks current = now();
  if (time.QuadPart < 0) {
    // The most negative value has no positive counterpart.
    const auto ticks = ~static_cast<machine::Ticks>(time.QuadPart) + 1;
    return ticks > machine::kNever - 1 - current ? machine::kNever - 1 : current + ticks;
  }
  if (time.QuadPart <= kSystemTimeAtStart) return current;
  const auto at = static_cast<machine::Ticks>(time.QuadPart - kSystemTimeAtStart);
  return at < current ? current : at;
}

namespace {

constexpr LONGLONG kFrequency = 10'000'000;
constexpr machine::Ticks kTicksPerMicrosecond = 10;

LONGLONG system_time() noexcept {
  return kSystemTimeAtStart + static_cast<LONGLONG>(now());
}

/// Reading a clock is a schedule point: code that polls a clock must not keep everybody else away.
constexpr KIRQL kAny = HIGH_LEVEL;

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime) {
  const KernelCall call("KeQuerySystemTime", kAny);
  CurrentTime->QuadPart = system_time();
}

VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime) {
  const KernelCall call("KeQuerySystemTimePrecise", kAny);
  CurrentTime->QuadPart = system_time();
}

VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount) {
  const KernelCall call("KeQueryTickCount", kAny);
  CurrentCount->QuadPart = static_cast<LONGLONG>(now() / kClockInterval);
}

ULONG KeQueryTimeIncrement() {
  return kClockInterval;
}

ULONGLONG KeQueryInterruptTime() {
  const KernelCall call("KeQueryInterruptTime", kAny);
  return now();
}

ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp) {
  const KernelCall call("KeQueryInterruptTimePrecise", kAny);
  *QpcTimeStamp = now();
  return now();
}

ULONGLONG KeQueryUnbiasedInterruptTime() {
  const KernelCall call("KeQueryUnbiasedInterruptTime", kAny);
  return now();
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) {
  const KernelCall call("KeQueryPerformanceCounter", kAny);
  if (PerformanceFrequency != nullptr) PerformanceFrequency->QuadPart = kFrequency;
  LARGE_INTEGER counter;
  counter.QuadPart = static_cast<LONGLONG>(now());
  return counter;
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds) {
  const KernelCall call("KeStallExecutionProcessor", kAny);
  System::current().machine().stall(MicroSeconds * kTicksPerMicrosecond);
}

VOID ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime) {
  *LocalTime = *SystemTime;
}

VOID ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime) {
  *SystemTime = *LocalTime;
}
