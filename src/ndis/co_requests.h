// SPDX-License-Identifier: MIT
//
// OID requests of connection-oriented drivers: to the miniport, or to the other driver of an address family.
// Any number at a time. Pages: network/condis-protocol-driver-oid-requests,
// network/condis-miniport-driver-oid-requests, network/condis-mcm-oid-requests.
#pragma once

#include <vector>

#include <ndis.h>

#include "ndis/co_adapter.h"

namespace undis {

class Party;

/// What a request is about, as both sides know it. All of it may be missing.
struct CoSubject {
  Ref<AddressFamily> family;
  Ref<Vc> vc;
  Ref<Party> party;
};

class CoRequests {
 public:
  CoRequests();
  ~CoRequests();
  /// NdisCoOidRequest with no address family: to the miniport. `from`: the binding that asks, as `side`.
  NDIS_STATUS to_miniport(Adapter& adapter, Binding& from, CoSide side, const CoSubject& subject,
                          NDIS_OID_REQUEST* request) EXCLUDES(lock_);
  /// To the other side of the address family. `from` is the side that asks.
  NDIS_STATUS across(CoSide from, const CoSubject& subject, NDIS_OID_REQUEST* request) EXCLUDES(lock_);
  /// NdisMCoOidRequestComplete (`family` nullptr), NdisCoOidRequestComplete of the address family. False:
  /// nobody has that one.
  bool complete(const AddressFamily* family, const NDIS_OID_REQUEST* request, NDIS_STATUS status)
      EXCLUDES(lock_);

 private:
  struct Job;
  NDIS_STATUS settle(Job& job, NDIS_STATUS status, const char* function) EXCLUDES(lock_);

  mutable kernel::Lock lock_;
  std::vector<Ref<Job>> jobs_ GUARDED_BY(lock_);
};

}  // namespace undis
