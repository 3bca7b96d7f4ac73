// SPDX-License-Identifier: MIT
//
// Requests of bindings and of NDIS while filters take requests: one at a time in front of the uppermost of
// them; and requests of filters, in line with all others, to the miniport.
//
// What NDIS merges over bindings is merged before the filters see it; what it answers for the miniport is
// answered below them.
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/filter_module.h"
#include "ndis/oid_queue.h"

namespace undis {

NDIS_STATUS OidQueue::enqueue_front(const Ref<OidJob>& job) {
  {
    const kernel::Hold hold(lock_);
    front_waiting_.push_back(job);
    idle_.reset();
  }
  run_front();
  const kernel::Hold hold(lock_);
  if (job->completed_) return job->status_;
  job->returned_pending_ = true;
  return NDIS_STATUS_PENDING;
}

void OidQueue::run_front() {
  for (;;) {
    Ref<OidJob> job;
    {
      const kernel::Hold hold(lock_);
      if (front_current_) return;
      if (front_waiting_.empty()) {
        if (!current_ && waiting_.empty()) idle_.set();
        return;
      }
      job = front_current_ = front_waiting_.front();
      front_waiting_.erase(front_waiting_.begin());
    }
    NDIS_STATUS status = answer_itself(*job, false);
    if (status == NDIS_STATUS_NOT_RECOGNIZED) {
      job->answered_by_ndis_ =
          true;  // what the miniport writes comes back in the request, through the filters
      status = oid_down(adapter_, nullptr, &job->own_, job.get());
      if (status == NDIS_STATUS_PENDING) return;  // front_done() goes on
    }
    finish(job, status);
  }
}

void OidQueue::front_done(const Ref<OidJob>& job, NDIS_STATUS status) {
  finish(job, status);
  run_front();
}

NDIS_STATUS OidQueue::submit_to_miniport(FilterModule* from, NDIS_OID_REQUEST* request, OidJob* job) {
  // A request of a binding comes here if the filters that took requests when it was submitted are gone
  // meanwhile: it goes on as one of NDIS' own structures, which front_done() ends.
  const Ref<OidJob> below(new OidJob(from, request, job));
  return enqueue(below);
}

void OidQueue::cancel_of_filter(const FilterModule& source, void* request_id) {
  cancel_where([&source](const OidJob& job) { return job.filter() == &source; }, request_id);
}

}  // namespace undis
