// SPDX-License-Identifier: MIT
//
// The queue of requests before each filter module, and their way through the stack.
#include "ndis/filter_oid.h"

#include <algorithm>

#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/library.h"

namespace undis {
namespace {

using kernel::call_driver;

bool takes_requests(const FilterModule& module) {
  return module.filter().handlers().OidRequest && module.allows(FilterEvent::OidRequest) &&
         !module.oids.closed();
}

}  // namespace

FilterOidJob::FilterOidJob(NDIS_OID_REQUEST* request, FilterModule* from, OidJob* job)
    : request_(request), from_(from), job_(job) {}
FilterOidJob::~FilterOidJob() = default;

FilterOids::FilterOids(FilterModule& module)
    : own("requests of the filter's own not answered"), direct("direct OID requests at the filter"),
      module_(module), idle_("OID requests at the filter") {
  idle_.set();
}
FilterOids::~FilterOids() = default;

// ---- to the filter ----

NDIS_STATUS FilterOids::submit(NDIS_OID_REQUEST* request, FilterModule* from, OidJob* job) {
  const Ref<FilterOidJob> one(new FilterOidJob(request, from, job));
  {
    const kernel::Hold hold(lock_);
    waiting_.push_back(one);
    idle_.reset();
  }
  run();
  const kernel::Hold hold(lock_);
  if (one->completed_) return one->status_;
  one->returned_pending_ = true;
  return NDIS_STATUS_PENDING;
}

void FilterOids::run() {
  for (;;) {
    Ref<FilterOidJob> job;
    {
      const kernel::Hold hold(lock_);
      if (current_) return;
      if (waiting_.empty()) {
        idle_.set();
        return;
      }
      job = current_ = waiting_.front();
      waiting_.pop_front();
      job->given_ = true;
    }
    const NDIS_STATUS status =
        call_driver(&module_.driver(), callbacks::kFilterOidRequest, &module_, nullptr,
                    module_.filter().handlers().OidRequest, module_.context(), job->request_);
    if (status == NDIS_STATUS_PENDING) return;  // its completion goes on with the queue
    finish(job, status);
  }
}

bool FilterOids::has(const NDIS_OID_REQUEST* request) const noexcept {
  const kernel::Hold hold(lock_);
  return current_ && current_->request_ == request;
}

// ---- back ----

bool FilterOids::complete(NDIS_OID_REQUEST* request, NDIS_STATUS status) {
  Ref<FilterOidJob> job;
  {
    const kernel::Hold hold(lock_);
    if (!current_ || current_->request_ != request || current_->completed_) return false;
    job = current_;
  }
  finish(job, status);
  run();
  return true;
}

void FilterOids::finish(const Ref<FilterOidJob>& job, NDIS_STATUS status) {
  bool tell = false;
  {
    const kernel::Hold hold(lock_);
    if (job->completed_) return;
    job->completed_ = true;
    job->status_ = status;
    if (current_ == job.get()) current_ = nullptr;
    tell = job->returned_pending_;
  }
  if (!tell) return;
  if (job->from_) {
    answer_filter(*job->from_, job->request_, status);
  } else {
    module_.adapter().oids.front_done(job->job_, status);
  }
}

void answer_filter(FilterModule& from, NDIS_OID_REQUEST* request, NDIS_STATUS status) {
  const auto& handler = from.filter().handlers().OidRequestComplete;
  if (handler)
    call_driver(&from.driver(), callbacks::kFilterOidRequestComplete, &from, nullptr, handler, from.context(),
                request, status);
  from.oids.own.leave();
}

// ---- the way down ----

bool filters_take_requests(const Adapter& adapter) {
  return static_cast<bool>(adapter.filters.next_below(nullptr, takes_requests));
}

NDIS_STATUS oid_down(Adapter& adapter, FilterModule* from, NDIS_OID_REQUEST* request, OidJob* job) {
  if (from != nullptr) from->oids.own.enter();
  const Ref<FilterModule> next = adapter.filters.next_below(from, takes_requests);
  const NDIS_STATUS status =
      next ? next->oids.submit(request, from, job) : adapter.oids.submit_to_miniport(from, request, job);
  if (from != nullptr && status != NDIS_STATUS_PENDING) from->oids.own.leave();
  return status;
}

void cancel_oid_down(Adapter& adapter, FilterModule* from, void* request_id) {
  const Ref<FilterModule> next = adapter.filters.next_below(from, takes_requests);
  if (next) {
    next->oids.cancel(from, request_id);
  } else if (from != nullptr) {
    adapter.oids.cancel_of_filter(*from, request_id);
  }
}

void FilterOids::cancel(const FilterModule* from, void* request_id) {
  std::deque<Ref<FilterOidJob>> cancelled;
  bool at_filter = false;
  {
    const kernel::Hold hold(lock_);
    const auto matches = [&](const Ref<FilterOidJob>& job) {
      return job->from_ == from && job->request_->RequestId == request_id;
    };
    for (const Ref<FilterOidJob>& job : waiting_)
      if (matches(job)) cancelled.push_back(job);
    std::erase_if(waiting_, matches);
    at_filter = current_ && matches(current_);
  }
  for (const Ref<FilterOidJob>& job : cancelled) finish(job, NDIS_STATUS_REQUEST_ABORTED);
  const auto& handler = module_.filter().handlers().CancelOidRequest;
  if (at_filter && handler)
    call_driver(&module_.driver(), callbacks::kFilterCancelOidRequest, &module_, nullptr, handler,
                module_.context(), request_id);
}

// ---- the end ----

void FilterOids::close() {
  {
    const kernel::Hold hold(lock_);
    closed_ = true;
  }
  for (;;) {
    {
      const kernel::Hold hold(lock_);
      if (!current_ && waiting_.empty()) break;
    }
    idle_.wait();
  }
  direct.close();
  direct.wait_empty();
  own.wait_empty();
}

bool FilterOids::closed() const noexcept {
  const kernel::Hold hold(lock_);
  return closed_;
}

// ---- clones ----

void FilterOids::add_clone(const NDIS_OID_REQUEST* clone, const NDIS_OID_REQUEST* original) {
  const kernel::Hold hold(lock_);
  clones_.push_back({clone, original});
}

bool FilterOids::remove_clone(const NDIS_OID_REQUEST* clone) {
  const kernel::Hold hold(lock_);
  return std::erase_if(clones_, [clone](const Clone& c) { return c.clone == clone; }) != 0;
}

bool FilterOids::has_clone_of(const NDIS_OID_REQUEST* original) const noexcept {
  const kernel::Hold hold(lock_);
  return std::ranges::any_of(clones_, [original](const Clone& c) { return c.original == original; });
}

std::size_t FilterOids::clones() const noexcept {
  const kernel::Hold hold(lock_);
  return clones_.size();
}

}  // namespace undis
