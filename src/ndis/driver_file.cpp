// SPDX-License-Identifier: MIT
//
// The ring of a miniport's log.
#include "ndis/driver_file.h"

#include <algorithm>

namespace undis {

bool MiniportLog::write(const void* data, std::size_t size) {
  const kernel::Hold hold(lock_);
  if (size > ring_.size()) return false;
  const auto* const bytes = static_cast<const std::byte*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    ring_[at_] = bytes[i];
    at_ = (at_ + 1) % ring_.size();
  }
  used_ = std::min(ring_.size(), used_ + size);
  return true;
}

void MiniportLog::flush() {
  const kernel::Hold hold(lock_);
  at_ = used_ = 0;
}

std::vector<std::byte> MiniportLog::contents() const {
  const kernel::Hold hold(lock_);
  std::vector<std::byte> found;
  for (std::size_t i = 0; i < used_; ++i)
    found.push_back(ring_[(at_ + ring_.size() - used_ + i) % ring_.size()]);
  return found;
}

}  // namespace undis
