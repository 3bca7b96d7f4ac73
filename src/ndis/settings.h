// SPDX-License-Identifier: MIT
//
// What protocols have set in an adapter by OIDs, beside packet filter and multicast list (which are merged
// over bindings): offloads and wake-up patterns. NDIS sets it again when a reset or a halt has lost it. Page:
// ndis/nc-ndis-miniport_reset (AddressingReset).
#pragma once

#include <cstdint>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"

namespace undis {

class SettingsMemory {
 public:
  struct Setting {
    NDIS_OID oid;
    std::vector<std::uint8_t> data;
  };

  /// A set that succeeded. OIDs that need no restoring are not kept.
  void note(NDIS_OID oid, const void* data, std::size_t length) EXCLUDES(lock_);
  /// In the order in which they were set.
  std::vector<Setting> all() const EXCLUDES(lock_);
  void clear() EXCLUDES(lock_);

 private:
  mutable kernel::Lock lock_;
  std::vector<Setting> settings_ GUARDED_BY(lock_);
};

}  // namespace undis
