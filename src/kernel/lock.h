// SPDX-License-Identifier: MIT
//
// The lock of undis' own state: held for a few instructions, never over a call into a driver, never over a
// schedule point.
//
// In the simulated machine only one fiber runs at a time and none is switched away while it holds one, so
// taking it always succeeds at once; with real threads it spins, then yields. Drivers' locks are KSPIN_LOCK
// (spinlock.cpp), not this.
#pragma once

#include <atomic>

#include "kernel/annotations.h"

namespace undis::kernel {

namespace detail {
[[gnu::tls_model("initial-exec")]] extern thread_local constinit int locks_held;
}

/// The number of Locks that the calling OS thread holds: 0 whenever a driver is called (call_driver checks
/// it).
inline int& locks_of_ours() noexcept {
  return detail::locks_held;
}

class CAPABILITY("lock") Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() noexcept ACQUIRE() {
    while (held_.exchange(true, std::memory_order_acquire)) relax();
    ++locks_of_ours();
  }
  void unlock() noexcept RELEASE() {
    --locks_of_ours();
    held_.store(false, std::memory_order_release);
  }
  /// After a crash under the lock, when nothing that held it runs again.
  void force_open() noexcept { held_.store(false, std::memory_order_release); }

 private:
  static void relax() noexcept;
  std::atomic<bool> held_{false};
};

class SCOPED_CAPABILITY Hold {
 public:
  explicit Hold(Lock& lock) noexcept ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~Hold() RELEASE() { lock_.unlock(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  Lock& lock_;
};

}  // namespace undis::kernel
