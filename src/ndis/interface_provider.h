// SPDX-License-Identifier: MIT
//
// Network interfaces that drivers provide beside their adapters and filter modules, and who answers for them.
// Pages: ndis/nf-ndis-ndisifregisterprovider, ndis/nf-ndis-ndisifregisterinterface,
// ndis/nc-ndis-if_query_object.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "ndis/service.h"

namespace undis {

/// One that a driver registered: its handle is the provider handle.
class IfProvider final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::IfProvider};
  struct Interface {
    NET_IFINDEX index;
    NET_LUID luid;
    NDIS_HANDLE context;
  };

  IfProvider(kernel::Driver& driver, const NDIS_IF_PROVIDER_CHARACTERISTICS& characteristics);

  NET_IFINDEX add(NET_LUID luid, NDIS_HANDLE context) EXCLUDES(lock_);
  /// False: it is none of this provider's.
  bool remove(NET_IFINDEX index) EXCLUDES(lock_);
  std::vector<Interface> interfaces() const EXCLUDES(lock_);

  /// What the IP helper asks and sets: ProviderQueryObject, ProviderSetObject. PASSIVE_LEVEL.
  NDIS_STATUS query(NET_IFINDEX index, NDIS_OID oid, void* buffer, ULONG& length);
  NDIS_STATUS set(NET_IFINDEX index, NDIS_OID oid, void* buffer, ULONG length);

 private:
  std::optional<Interface> find(NET_IFINDEX index) const EXCLUDES(lock_);

  const kernel::callback<IF_QUERY_OBJECT> query_;
  const kernel::callback<IF_SET_OBJECT> set_;
  mutable kernel::Lock lock_;
  std::vector<Interface> interfaces_ GUARDED_BY(lock_);
};

/// The provider of this interface; nothing: it is an adapter's, a filter module's, or there is none.
Ref<IfProvider> provider_of(NET_IFINDEX index);
/// Of every interface there is: adapters, filter modules, provided ones.
std::optional<NET_LUID> luid_of_interface(NET_IFINDEX index);
std::optional<NET_IFINDEX> interface_of_luid(NET_LUID luid);

}  // namespace undis
