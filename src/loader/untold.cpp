// SPDX-License-Identifier: MIT
//
// The functions that may be called between two schedule points without anything unseen happening.
#include "loader/untold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace undis::loader {
namespace {

/// Of the kernel: they begin and end with a schedule point, so what they do is no part of what the driver
/// does itself (as each function of NDIS does).
constexpr std::array kWithPoints = {
    "ExAcquireFastMutex",
    "ExAllocatePool2",
    "ExAllocatePoolWithTag",
    "ExAllocatePoolZero",
    "ExFreePool",
    "ExFreePoolWithTag",
    "ExReleaseFastMutex",
    "IoAllocateMdl",
    "IoAllocateWorkItem",
    "IoFreeMdl",
    "IoFreeWorkItem",
    "IoQueueWorkItem",
    "KeAcquireSpinLock",
    "KeAcquireSpinLockAtDpcLevel",
    "KeAcquireSpinLockRaiseToDpc",
    "KeCancelTimer",
    "KeClearEvent",
    "KeDelayExecutionThread",
    "KeFlushQueuedDpcs",
    "KeInitializeTimer",
    "KeInitializeTimerEx",
    "KeInsertQueueDpc",
    "KeLowerIrql",
    "KeRaiseIrql",
    "KeRaiseIrqlToDpcLevel",
    "KeReleaseMutex",
    "KeReleaseSemaphore",
    "KeReleaseSpinLock",
    "KeReleaseSpinLockFromDpcLevel",
    "KeRemoveQueueDpc",
    "KeResetEvent",
    "KeSetEvent",
    "KeSetTimer",
    "KeSetTimerEx",
    "KeWaitForMultipleObjects",
    "KeWaitForSingleObject",
    "KfAcquireSpinLock",
    "KfLowerIrql",
    "KfRaiseIrql",
    "KfReleaseSpinLock",
    "MmBuildMdlForNonPagedPool",
    "ObReferenceObjectByHandle",
    "ObDereferenceObject",
    "ObReferenceObject",
    "ObfDereferenceObject",
    "ObfReferenceObject",
    "PsCreateSystemThread",
    "PsTerminateSystemThread",
    "ZwClose",
};

/// They tell what they touch, or touch nothing of the driver's.
constexpr std::array kHarmless = {
    "DbgPrint",
    "DbgPrintEx",
    "KeGetCurrentIrql",
    "KeGetCurrentProcessorNumberEx",
    "KeInitializeEvent",
    "KeInitializeSpinLock",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "undis_interlocked_point",
    "undis_memory_wanted",
    "undis_touched",
};

/// Of NDIS: behind them the driver reaches what no call of its own shows: a device that answers its reads and
/// writes, other functions.
constexpr std::array kUnseen = {
    "NdisGetRoutineAddress",
    "NdisMAllocateSharedMemory",
    "NdisMMapIoSpace",
    "NdisMRegisterIoPortRange",
};

bool is_among(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string why_untold(const std::vector<std::string>& undefined) {
  if (!is_among(undefined, "undis_touched")) return "it was not built with --memory";
  for (const std::string& name : undefined) {
    if (name.starts_with("Ndis") && !is_among(kUnseen, std::string_view(name))) continue;
    if (is_among(kWithPoints, std::string_view(name)) || is_among(kHarmless, std::string_view(name)))
      continue;
    return fmt::format("it calls {}, which does not tell what it reads and writes", name);
  }
  return {};
}

}  // namespace undis::loader
