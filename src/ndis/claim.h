// SPDX-License-Identifier: MIT
//
// The right to carry out a life-cycle operation on one object: operations on it never overlap, and the thread
// that carries one out may start another from inside it (a driver's callback that comes back to NDIS). It is
// no lock: callbacks run while it is held.
#pragma once

#include <cstdint>

#include "kernel/lock.h"
#include "kernel/system.h"

namespace undis {

class Claim {
 public:
  explicit Claim(kernel::WaitName name) : free_(name) { free_.set(); }

  /// Waits until no other thread has the claim, then takes it (again). PASSIVE_LEVEL.
  void take() noexcept EXCLUDES(lock_);
  void give_back() noexcept EXCLUDES(lock_);
  bool is_mine() const noexcept EXCLUDES(lock_);

 private:
  mutable kernel::Lock lock_;
  const void* owner_ GUARDED_BY(lock_) = nullptr;  ///< kernel::Thread::current_or_null()
  std::uint32_t depth_ GUARDED_BY(lock_) = 0;
  kernel::Event free_;
};

class Claimed {
 public:
  explicit Claimed(Claim& claim) noexcept : claim_(claim) { claim_.take(); }
  ~Claimed() { claim_.give_back(); }
  Claimed(const Claimed&) = delete;
  Claimed& operator=(const Claimed&) = delete;

 private:
  Claim& claim_;
};

}  // namespace undis
