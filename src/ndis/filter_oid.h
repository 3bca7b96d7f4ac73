// SPDX-License-Identifier: MIT
//
// OID requests on their way down through filter modules and back. Page: network/filter-module-oid-requests.
//
// A module sees one request at a time (LIFE-342 for filters); what comes meanwhile waits before it. A module
// without FilterOidRequest is passed by. A request that a filter sends is answered to that filter only:
// clones and requests of its own alike.
#pragma once

#include <list>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/system.h"
#include "ndis/gate.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class FilterModule;
class OidJob;

/// One request at one module.
class FilterOidJob final : public Object {
 public:
  FilterOidJob(NDIS_OID_REQUEST* request, FilterModule* from, OidJob* job);
  ~FilterOidJob() override;

 private:
  friend class FilterOids;
  NDIS_OID_REQUEST* const request_;
  const Ref<FilterModule>
      from_;  ///< the module above that sent it, or nullptr: `job_` of the bindings or of NDIS
  const Ref<OidJob> job_;
  NDIS_STATUS status_ = NDIS_STATUS_PENDING;
  bool given_ = false;  ///< FilterOidRequest was called with it
  bool completed_ = false;
  bool returned_pending_ = false;  ///< who submitted it was told PENDING: the answer goes by callback
};

class FilterOids {
 public:
  explicit FilterOids(FilterModule& module);
  ~FilterOids();

  /// For this module to handle. The status, PENDING included. <= DISPATCH_LEVEL.
  NDIS_STATUS submit(NDIS_OID_REQUEST* request, FilterModule* from, OidJob* job) EXCLUDES(lock_);
  /// NdisFOidRequestComplete. False: that request is not pended here.
  bool complete(NDIS_OID_REQUEST* request, NDIS_STATUS status) EXCLUDES(lock_);
  /// Requests of `from` (nullptr: of the bindings) with that id.
  void cancel(const FilterModule* from, void* request_id) EXCLUDES(lock_);
  /// The request that the filter has now is this one.
  bool has(const NDIS_OID_REQUEST* request) const noexcept EXCLUDES(lock_);

  /// From now on requests pass this module by; waits until it has none, and none of its own is under way.
  /// PASSIVE_LEVEL.
  void close() EXCLUDES(lock_);
  bool closed() const noexcept EXCLUDES(lock_);
  Gate own;     ///< requests that the filter sent and that are not answered
  Gate direct;  ///< direct and synchronous requests that the filter has

  // ---- clones, so that what is wrong with them can be told ----
  void add_clone(const NDIS_OID_REQUEST* clone, const NDIS_OID_REQUEST* original) EXCLUDES(lock_);
  /// False: it is no clone of this module.
  bool remove_clone(const NDIS_OID_REQUEST* clone) EXCLUDES(lock_);
  bool has_clone_of(const NDIS_OID_REQUEST* original) const noexcept EXCLUDES(lock_);
  std::size_t clones() const noexcept EXCLUDES(lock_);

 private:
  struct Clone {
    const NDIS_OID_REQUEST* clone;
    const NDIS_OID_REQUEST* original;
  };
  void run() EXCLUDES(lock_);
  void finish(const Ref<FilterOidJob>& job, NDIS_STATUS status) EXCLUDES(lock_);

  FilterModule& module_;
  mutable kernel::Lock lock_;
  std::list<Ref<FilterOidJob>> waiting_ GUARDED_BY(lock_);
  Ref<FilterOidJob> current_ GUARDED_BY(lock_);
  std::vector<Clone> clones_ GUARDED_BY(lock_);
  bool closed_ GUARDED_BY(lock_) = false;
  kernel::Event idle_;
};

/// From below `from` (nullptr: from the top, for `job`): to the next filter that takes requests, else to the
/// miniport.
NDIS_STATUS oid_down(Adapter& adapter, FilterModule* from, NDIS_OID_REQUEST* request, OidJob* job);
/// NdisFCancelOidRequest, and a cancel from above (`from` nullptr).
void cancel_oid_down(Adapter& adapter, FilterModule* from, void* request_id);
/// A request that `from` sent is answered: FilterOidRequestComplete.
void answer_filter(FilterModule& from, NDIS_OID_REQUEST* request, NDIS_STATUS status);
/// Whether any filter of the adapter takes requests now.
bool filters_take_requests(const Adapter& adapter);

}  // namespace undis
