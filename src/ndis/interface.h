// SPDX-License-Identifier: MIT
//
// Network interfaces as the IP helper knows them: indexes, NET_LUIDs, and which lies on which. Page:
// network/ndis-network-interfaces.
#pragma once

#include <set>
#include <utility>

#include <ndis.h>

#include "kernel/lock.h"

namespace undis {

class Adapter;

/// Every adapter is an Ethernet interface whose NET_LUID index is its interface index.
NET_LUID net_luid_of(const Adapter& adapter) noexcept;

/// What drivers have said of interfaces. A member of Library.
class InterfaceTable {
 public:
  /// The order of two interfaces (ifStackTable). Adding it again changes nothing.
  void stack(NET_IFINDEX higher, NET_IFINDEX lower) EXCLUDES(lock_);
  /// False: there is no such entry.
  bool unstack(NET_IFINDEX higher, NET_IFINDEX lower) EXCLUDES(lock_);
  bool is_stacked(NET_IFINDEX higher, NET_IFINDEX lower) const EXCLUDES(lock_);
  /// The interface is gone, and every entry about it.
  void forget(NET_IFINDEX index) EXCLUDES(lock_);

  /// A NET_LUID index of this type that nobody has; 0: none is left.
  UINT32 allocate_luid_index(NET_IFTYPE type) EXCLUDES(lock_);
  /// False: it was not allocated for this type.
  bool free_luid_index(NET_IFTYPE type, UINT32 index) EXCLUDES(lock_);

 private:
  mutable kernel::Lock lock_;
  std::set<std::pair<NET_IFINDEX, NET_IFINDEX>> stack_ GUARDED_BY(lock_);  // higher, lower
  std::set<std::pair<NET_IFTYPE, UINT32>> luid_indexes_ GUARDED_BY(lock_);
};

}  // namespace undis
