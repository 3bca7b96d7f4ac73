// SPDX-License-Identifier: MIT
//
// KSPIN_LOCKs for the code above the kernel (NDIS spin locks, locked lists): acquire and release by the
// rules, without a KernelCall.
//
// The lock word is 0 while free. While held it says by whom: a mark, the strand's number, the processor. A
// word that is neither was never initialised (or was overwritten).
#pragma once

#include <cstdint>

#include <wdm.h>

namespace undis::kernel {
class Thread;
struct HeldLock;
}  // namespace undis::kernel

namespace undis::kernel::spin {

/// Who holds a lock, as its word says.
struct Owner {
  std::uint32_t strand;
  std::uint32_t processor;
};
enum class WordState : std::uint8_t { Free, Held, Garbage };
WordState read(ULONG_PTR word, Owner* owner) noexcept;

/// Acquires at the current IRQL, which the caller has raised to DISPATCH_LEVEL. A recursion is reported, then
/// hangs, as it would.
void acquire(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept;
bool try_acquire(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept;
/// Releases; Misuse::LockNotHeld unless the current thread holds it. The IRQL is the caller's.
void release(KSPIN_LOCK* lock, const char* function) noexcept;

/// The lock is new, whatever was known of its address.
void initialized(KSPIN_LOCK* lock) noexcept;

/// The usual pair: raises to DISPATCH_LEVEL and acquires; returns the IRQL before. Releases and restores.
KIRQL acquire_raising(KSPIN_LOCK* lock, const char* function, const void* return_address) noexcept;
void release_restoring(KSPIN_LOCK* lock, KIRQL before, const char* function) noexcept;

/// Takes a lock of any kind away from the thread that kept it.
void release_kept(Thread& thread, const HeldLock& held) noexcept;

}  // namespace undis::kernel::spin
