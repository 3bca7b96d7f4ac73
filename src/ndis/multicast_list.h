// SPDX-License-Identifier: MIT
//
// The multicast addresses that a binding wants: set by its OID requests, read by whoever delivers a frame.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "kernel/lock.h"

namespace undis {

class MulticastList {
 public:
  static constexpr std::size_t kAddress = 6;

  bool contains(const void* address) const noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    for (std::size_t at = 0; at + kAddress <= addresses_.size(); at += kAddress)
      if (std::memcmp(&addresses_[at], address, kAddress) == 0) return true;
    return false;
  }
  bool empty() const noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    return addresses_.empty();
  }
  /// One address after the other.
  std::vector<std::uint8_t> addresses() const EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    return addresses_;
  }
  void set(std::vector<std::uint8_t> addresses) noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    addresses_.swap(addresses);
  }

 private:
  mutable kernel::Lock lock_;
  std::vector<std::uint8_t> addresses_ GUARDED_BY(lock_);
};

}  // namespace undis
