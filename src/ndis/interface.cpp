// SPDX-License-Identifier: MIT
//
// The interface stack table, and the NET_LUID indexes of interface providers.
#include "ndis/interface.h"

#include "ndis/adapter.h"

namespace undis {
namespace {

constexpr UINT32 kFirstOfProviders = 0x8000;  // below are the adapters'
constexpr UINT32 kLast = 0xFFFFFF;            // 24 bits

}  // namespace

NET_LUID net_luid_of(const Adapter& adapter) noexcept {
  NET_LUID luid{};
  luid.Info.IfType = IF_TYPE_ETHERNET_CSMACD;
  luid.Info.NetLuidIndex = adapter.interface_index() & kLast;
  return luid;
}

void InterfaceTable::stack(NET_IFINDEX higher, NET_IFINDEX lower) {
  const kernel::Hold hold(lock_);
  stack_.emplace(higher, lower);
}

bool InterfaceTable::unstack(NET_IFINDEX higher, NET_IFINDEX lower) {
  const kernel::Hold hold(lock_);
  return stack_.erase({higher, lower}) != 0;
}

bool InterfaceTable::is_stacked(NET_IFINDEX higher, NET_IFINDEX lower) const {
  const kernel::Hold hold(lock_);
  return stack_.contains({higher, lower});
}

void InterfaceTable::forget(NET_IFINDEX index) {
  const kernel::Hold hold(lock_);
  std::erase_if(stack_, [index](const auto& entry) { return entry.first == index || entry.second == index; });
}

UINT32 InterfaceTable::allocate_luid_index(NET_IFTYPE type) {
  const kernel::Hold hold(lock_);
  for (UINT32 index = kFirstOfProviders; index <= kLast; ++index)
    if (luid_indexes_.emplace(type, index).second) return index;
  return 0;
}

bool InterfaceTable::free_luid_index(NET_IFTYPE type, UINT32 index) {
  const kernel::Hold hold(lock_);
  return luid_indexes_.erase({type, index}) != 0;
}

}  // namespace undis
