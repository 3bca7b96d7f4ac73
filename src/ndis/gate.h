// SPDX-License-Identifier: MIT
//
// Rundown of one kind of use of an object: entered and left by each user, closed by whoever must wait until nobody is inside.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/lock.h"
#include "kernel/system.h"

namespace undis {

class Gate {
 public:
  /// `name` says in hang reports what is waited for: "nic: sends outstanding".
  explicit Gate(std::string name) : empty_(std::move(name)) { empty_.set(); }

  /// False once the gate is closed.
  bool enter(std::uint32_t users = 1) noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    if (closed_) return false;
    if (inside_ == 0) empty_.reset();
    inside_ += users;
    return true;
  }
  /// More users, let in by one that is inside: also when the gate is closed.
  void add(std::uint32_t users) noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    inside_ += users;
  }
  void leave(std::uint32_t users = 1) noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    inside_ -= users;
    if (inside_ == 0) empty_.set();
  }
  void close() noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    closed_ = true;
  }
  void open() noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    closed_ = false;
  }
  /// Waits until nobody is inside. PASSIVE_LEVEL.
  void wait_empty() noexcept EXCLUDES(lock_) {
    while (inside() != 0) empty_.wait();
  }
  /// The same for at most `ticks`; false: somebody is still inside.
  bool wait_empty_for(std::uint64_t ticks) noexcept EXCLUDES(lock_) {
    return inside() == 0 || (empty_.wait_for(ticks) && inside() == 0);
  }
  std::uint32_t inside() const noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    return inside_;
  }

 private:
  mutable kernel::Lock lock_;
  std::uint32_t inside_ GUARDED_BY(lock_) = 0;
  bool closed_ GUARDED_BY(lock_) = false;
  kernel::Event empty_;
};

}  // namespace undis
