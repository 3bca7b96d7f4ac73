// SPDX-License-Identifier: MIT
//
// Acquiring and releasing read/write locks.
#include "ndis/rw_lock.h"

#include <atomic>

#include <fmt/format.h>

#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/thread.h"

namespace undis::rw_lock {
namespace {

using kernel::HeldLock;
using kernel::Thread;

const void* key(volatile LONG* word) noexcept {
  return const_cast<const LONG*>(word);
}

bool try_acquire(std::atomic_ref<LONG> word, Access access, const HeldLock* held) noexcept {
  const bool writes = held != nullptr && held->kind == HeldLock::Kind::Exclusive;
  if (writes) return true;  // nested: only the note is added
  LONG seen = word.load(std::memory_order_relaxed);
  if (access == Access::Write)
    return seen == 0 && word.compare_exchange_strong(seen, kWriter, std::memory_order_acquire);
  while (seen >= 0)
    if (word.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) return true;
  return false;
}

}  // namespace

void acquire(volatile LONG* lock, Access access, const char* function, const void* return_address) noexcept {
  Thread& self = Thread::current();
  machine::Machine& machine = kernel::System::current().machine();
  const std::atomic_ref<LONG> word(*const_cast<LONG*>(lock));
  const HeldLock* const held = self.held(key(lock));
  if (access == Access::Write && held != nullptr && held->kind == HeldLock::Kind::Shared)
    kernel::report_misuse(kernel::Misuse::LockRecursion, function, key(lock),
                          fmt::format("{} wants to write under a lock that this processor has acquired for "
                                      "reading; a read lock cannot be promoted",
                                      function));
  bool first = true;
  while (!try_acquire(word, access, held)) {
    if (first) self.blocked_since = machine.now();
    first = false;
    self.blocked_frame = __builtin_frame_address(0);
    machine.spin(key(lock));
  }
  self.blocked_frame = nullptr;
  // A read inside a write is part of the write: it must not be counted back by who clears up after the
  // thread.
  const bool exclusive =
      access == Access::Write || (held != nullptr && held->kind == HeldLock::Kind::Exclusive);
  self.note_acquired(
      {key(lock), exclusive ? HeldLock::Kind::Exclusive : HeldLock::Kind::Shared, function, return_address});
}

bool release(volatile LONG* lock, Access access) noexcept {
  Thread& self = Thread::current();
  const HeldLock* held = self.held(key(lock));
  const bool exclusive = held != nullptr && held->kind == HeldLock::Kind::Exclusive;
  if (held == nullptr || (access == Access::Write && !exclusive)) return false;
  const std::atomic_ref<LONG> word(*const_cast<LONG*>(lock));
  self.note_released(key(lock));
  if (exclusive) {
    if (self.held(key(lock)) != nullptr) return true;  // one level of several
    word.store(0, std::memory_order_release);
  } else {
    word.fetch_sub(1, std::memory_order_release);
  }
  kernel::System::current().machine().spun(key(lock));
  return true;
}

}  // namespace undis::rw_lock
