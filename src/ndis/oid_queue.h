// SPDX-License-Identifier: MIT
//
// OID requests to one adapter: one at a time, in order (LIFE-342); from 5.x and 6.x protocols and from NDIS
// itself to 5.x and 6.x miniports.
#pragma once

#include <functional>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/lock.h"
#include "kernel/system.h"
#include "kernel/timer.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class Binding;
class FilterModule;

/// One request on its way. Canonical form is NDIS_OID_REQUEST; a 5.x protocol's NDIS_REQUEST is carried
/// beside it.
class OidJob final : public Object {
 public:
  OidJob(Binding* source, NDIS_OID_REQUEST* request, NDIS_REQUEST* request5);
  /// What a filter sends down to the miniport; or, `from` nullptr, what goes on to it for `front`.
  OidJob(FilterModule* from, NDIS_OID_REQUEST* request, OidJob* front);
  ~OidJob() override;

  NDIS_OID_REQUEST& request() noexcept { return own_; }
  Binding* source() const noexcept { return source_.get(); }  ///< nullptr: NDIS itself
  FilterModule* filter() const noexcept { return filter_.get(); }
  /// Writes the outcome into the source's own structure.
  void give_results();

 private:
  friend class OidQueue;
  OidJob(Binding* source, NDIS_OID_REQUEST* request, NDIS_REQUEST* request5, FilterModule* filter,
         OidJob* front);
  friend class DirectOids;

  const Ref<Binding> source_;
  const Ref<FilterModule> filter_;
  const Ref<OidJob> front_;
  NDIS_OID_REQUEST* const request6_;  ///< the 6.x source's request
  NDIS_REQUEST* const request5_;      ///< the 5.x source's request
  NDIS_OID_REQUEST own_{};            ///< what the miniport sees
  ULONG merged_filter_ = 0;           ///< all bindings' filter while it is being set
  ULONG merged_lookahead_ = 0;        ///< the same of the lookahead: the largest
  std::vector<std::uint8_t> merged_multicast_;
  NDIS_STATUS status_ = NDIS_STATUS_PENDING;
  bool returned_pending_ = false;  ///< the submitter was told PENDING: completion goes by callback
  bool completed_ = false;
  bool answered_by_ndis_ = false;
  bool bypass_ = false;             ///< goes on while requests are held back
  bool delivered_ = false;          ///< the miniport has seen it
  bool after_surprise_ = false;     ///< and knew by then that its device was gone
  unsigned checks_ = 0;             ///< calls of check-for-hang that found it pended
  std::uint64_t delivered_at_ = 0;  ///< virtual time
  std::function<void()> undo_;      ///< takes back what NDIS noted for a set that the miniport then refused
  UINT bytes_done_ = 0;             ///< 5.x miniport: BytesWritten or BytesRead
  UINT bytes_needed_ = 0;
  kernel::Event done_{"OID request done"};
};

class OidQueue {
 public:
  explicit OidQueue(Adapter& adapter);

  /// NdisOidRequest: SUCCESS, PENDING or a failure. <= DISPATCH_LEVEL.
  NDIS_STATUS submit(Binding& source, NDIS_OID_REQUEST* request) EXCLUDES(lock_);
  /// NdisRequest.
  NDIS_STATUS submit5(Binding& source, NDIS_REQUEST* request) EXCLUDES(lock_);
  /// A request of NDIS itself; waits. PASSIVE_LEVEL. `done`: bytes written (query) or read (set).
  NDIS_STATUS ask(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length, UINT* done = nullptr)
      EXCLUDES(lock_);
  /// NdisMOidRequestComplete, NdisMQueryInformationComplete, NdisMSetInformationComplete. False: nothing of
  /// that kind is pended.
  bool complete(NDIS_OID_REQUEST* request, NDIS_STATUS status) EXCLUDES(lock_);
  bool complete5(NDIS_STATUS status, bool query) EXCLUDES(lock_);
  /// Of a filter, or (`from` nullptr) of a request that has passed the filters, whose owner is front_done()
  /// to be told.
  NDIS_STATUS submit_to_miniport(FilterModule* from, NDIS_OID_REQUEST* request, OidJob* job) EXCLUDES(lock_);
  /// A request that was given to the filters has come back from them.
  void front_done(const Ref<OidJob>& job, NDIS_STATUS status) EXCLUDES(lock_);
  void cancel_of_filter(const FilterModule& source, void* request_id) EXCLUDES(lock_);
  /// ask(), in front of what waits and also while requests are held back (SelectiveSuspend).
  NDIS_STATUS ask_now(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) EXCLUDES(lock_);
  /// Requests that were held back go on.
  void resume() EXCLUDES(lock_);
  /// One more call of check-for-hang has found the current request pended. True: that is reason for a reset.
  bool survives_check() EXCLUDES(lock_);
  /// The miniport has a request that it has not completed.
  bool at_miniport() const noexcept EXCLUDES(lock_);
  /// NdisCancelOidRequest.
  void cancel(Binding& source, void* request_id) EXCLUDES(lock_);
  /// A serialized 5.x driver is free for the request that waits for it. Called by the data path, whose turn
  /// it is.
  void deliver_in_turn() EXCLUDES(lock_);
  bool idle() const noexcept EXCLUDES(lock_);
  /// Waits until no request is waiting or under way (LIFE-149). PASSIVE_LEVEL.
  void wait_idle() noexcept EXCLUDES(lock_);

 private:
  NDIS_STATUS submit_job(Binding& source, const Ref<OidJob>& job) EXCLUDES(lock_);
  NDIS_STATUS enqueue(const Ref<OidJob>& job) EXCLUDES(lock_);
  NDIS_STATUS ask(const Ref<OidJob>& job, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length,
                  UINT* done) EXCLUDES(lock_);
  void run() EXCLUDES(lock_);
  /// `held`: the request has to wait until the adapter is awake.
  NDIS_STATUS deliver(OidJob& job, bool& held);
  void overdue() EXCLUDES(lock_);
  void judge(const OidJob& job, NDIS_STATUS status) const;
  NDIS_STATUS deliver6(OidJob& job);
  NDIS_STATUS deliver5(OidJob& job);
  NDIS_STATUS call5(OidJob& job);
  /// Answers what NDIS keeps itself; NDIS_STATUS_NOT_RECOGNIZED: the miniport is to be asked.
  /// `for_miniport`: also what the miniport said in its attributes.
  NDIS_STATUS answer_itself(OidJob& job, bool for_miniport = true);
  NDIS_STATUS enqueue_front(const Ref<OidJob>& job) EXCLUDES(lock_);
  void run_front() EXCLUDES(lock_);
  void cancel_where(const std::function<bool(const OidJob&)>& of_source, void* request_id) EXCLUDES(lock_);
  void finish(const Ref<OidJob>& job, NDIS_STATUS status) EXCLUDES(lock_);
  void tell_source(OidJob& job);

  Adapter& adapter_;
  mutable kernel::Lock lock_;
  std::vector<Ref<OidJob>> waiting_ GUARDED_BY(lock_);
  Ref<OidJob> current_ GUARDED_BY(lock_);
  std::vector<Ref<OidJob>>
      front_waiting_ GUARDED_BY(lock_);          ///< before the uppermost filter that takes requests
  Ref<OidJob> front_current_ GUARDED_BY(lock_);  ///< among the filters
  kernel::Event idle_{"OID requests under way"};
  kernel::OwnTimer overdue_;  ///< set while the miniport has a request pended
};

}  // namespace undis
