// SPDX-License-Identifier: MIT
//
// Direct OID requests (NDIS 6.1): any number at a time, beside the queue, through the filters that take them.
// Pages: ndis/nf-ndis-ndisdirectoidrequest, ndis/nf-ndis-ndisfdirectoidrequest,
// ndis/nc-ndis-filter_direct_oid_request.
//
// A filter without FilterDirectOidRequest is passed by. What a filter sends is answered to that filter only:
// clones and requests of its own alike.
#pragma once

#include <functional>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class Binding;
class DirectJob;
class FilterModule;

class DirectOids {
 public:
  explicit DirectOids(Adapter& adapter);
  ~DirectOids();

  /// NdisDirectOidRequest, NdisFDirectOidRequest: SUCCESS, PENDING or a failure. <= DISPATCH_LEVEL.
  NDIS_STATUS submit(Binding& source, NDIS_OID_REQUEST* request) EXCLUDES(lock_);
  NDIS_STATUS submit(FilterModule& source, NDIS_OID_REQUEST* request) EXCLUDES(lock_);
  /// NdisFDirectOidRequestComplete of the module, NdisMDirectOidRequestComplete (nullptr). False: it does not
  /// have this one.
  bool complete(const FilterModule* at, NDIS_OID_REQUEST* request, NDIS_STATUS status) EXCLUDES(lock_);
  /// NdisCancelDirectOidRequest, NdisFCancelDirectOidRequest.
  void cancel(const Binding& source, void* request_id) EXCLUDES(lock_);
  void cancel(const FilterModule& source, void* request_id) EXCLUDES(lock_);
  /// The module was given this one and has not completed it.
  bool has(const FilterModule& at, const NDIS_OID_REQUEST* request) const EXCLUDES(lock_);
  /// How many the miniport and the filters have.
  std::size_t pending() const EXCLUDES(lock_);

 private:
  NDIS_STATUS pass_on(const Ref<DirectJob>& job) EXCLUDES(lock_);
  NDIS_STATUS call(DirectJob& job);
  void answer(DirectJob& job);
  void cancel_where(const std::function<bool(const DirectJob&)>& matches) EXCLUDES(lock_);

  Adapter& adapter_;
  mutable kernel::Lock lock_;
  std::vector<Ref<DirectJob>>
      jobs_ GUARDED_BY(lock_);  ///< at the miniport or a filter, in order of submission
};

}  // namespace undis
