// SPDX-License-Identifier: MIT
//
// Provided interfaces, and looking up those of all kinds.
#include "ndis/interface_provider.h"

#include <algorithm>

#include "ndis/adapter.h"
#include "ndis/filter_module.h"
#include "ndis/interface.h"
#include "ndis/library.h"

namespace undis {
namespace {

constexpr kernel::CallbackInfo kProviderQueryObject{"ProviderQueryObject", PASSIVE_LEVEL, false};
constexpr kernel::CallbackInfo kProviderSetObject{"ProviderSetObject", PASSIVE_LEVEL, false};

/// Calls `visit` for each interface until it says true.
bool any_interface(const std::function<bool(NET_IFINDEX, NET_LUID)>& visit) {
  Library& library = Library::current();
  for (const Ref<Adapter>& adapter : library.adapters()) {
    if (visit(adapter->interface_index(), net_luid_of(*adapter))) return true;
    for (const Ref<FilterModule>& module : adapter->filters.modules())
      if (visit(module->interface_index(), module->net_luid())) return true;
  }
  for (const Ref<Service>& provider : library.services().all(HandleKind::IfProvider))
    for (const IfProvider::Interface& one : static_cast<IfProvider&>(*provider).interfaces())
      if (visit(one.index, one.luid)) return true;
  return false;
}

}  // namespace

IfProvider::IfProvider(kernel::Driver& driver, const NDIS_IF_PROVIDER_CHARACTERISTICS& c)
    : Service(HandleKind::IfProvider, driver, "the interface provider of " + driver.name()),
      query_(c.QueryObjectHandler), set_(c.SetObjectHandler) {}

NET_IFINDEX IfProvider::add(NET_LUID luid, NDIS_HANDLE context) {
  const NET_IFINDEX index = Library::current().next_interface_index();
  const kernel::Hold hold(lock_);
  interfaces_.push_back({index, luid, context});
  return index;
}

bool IfProvider::remove(NET_IFINDEX index) {
  {
    const kernel::Hold hold(lock_);
    if (std::erase_if(interfaces_, [index](const Interface& one) { return one.index == index; }) == 0)
      return false;
  }
  Library::current().interfaces().forget(index);
  return true;
}

std::vector<IfProvider::Interface> IfProvider::interfaces() const {
  const kernel::Hold hold(lock_);
  return interfaces_;
}

std::optional<IfProvider::Interface> IfProvider::find(NET_IFINDEX index) const {
  const kernel::Hold hold(lock_);
  const auto found = std::ranges::find(interfaces_, index, &Interface::index);
  return found == interfaces_.end() ? std::nullopt : std::optional(*found);
}

NDIS_STATUS IfProvider::query(NET_IFINDEX index, NDIS_OID oid, void* buffer, ULONG& length) {
  const std::optional<Interface> one = find(index);
  if (!one) return NDIS_STATUS_INTERFACE_NOT_FOUND;
  return kernel::call_driver(&driver(), kProviderQueryObject, this, nullptr, query_, one->context, oid,
                             &length, buffer);
}

NDIS_STATUS IfProvider::set(NET_IFINDEX index, NDIS_OID oid, void* buffer, ULONG length) {
  const std::optional<Interface> one = find(index);
  if (!one) return NDIS_STATUS_INTERFACE_NOT_FOUND;
  return kernel::call_driver(&driver(), kProviderSetObject, this, nullptr, set_, one->context, oid, length,
                             buffer);
}

Ref<IfProvider> provider_of(NET_IFINDEX index) {
  for (const Ref<Service>& service : Library::current().services().all(HandleKind::IfProvider)) {
    auto& provider = static_cast<IfProvider&>(*service);
    for (const IfProvider::Interface& one : provider.interfaces())
      if (one.index == index) return Ref<IfProvider>(provider);
  }
  return {};
}

std::optional<NET_LUID> luid_of_interface(NET_IFINDEX index) {
  std::optional<NET_LUID> found;
  any_interface([&](NET_IFINDEX one, NET_LUID luid) {
    if (one == index) found = luid;
    return found.has_value();
  });
  return found;
}

std::optional<NET_IFINDEX> interface_of_luid(NET_LUID luid) {
  std::optional<NET_IFINDEX> found;
  any_interface([&](NET_IFINDEX index, NET_LUID one) {
    if (one.Value == luid.Value) found = index;
    return found.has_value();
  });
  return found;
}

}  // namespace undis
