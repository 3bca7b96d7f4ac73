// SPDX-License-Identifier: MIT
//
// Direct requests: from a binding or a filter to the next filter that takes them, or to the miniport.
#include "ndis/oid_direct.h"

#include <algorithm>

#include "kernel/call.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/oid_queue.h"

namespace undis {

using kernel::call_driver;

namespace {

bool takes_direct_requests(const FilterModule& module) {
  return module.filter().handlers().DirectOidRequest && module.allows(FilterEvent::OidRequest) &&
         !module.oids.closed();
}

}  // namespace

/// One request at one driver.
class DirectJob final : public Object {
 public:
  DirectJob(OidJob& of_binding) : request(&of_binding.request()), binding_job(of_binding) {}
  DirectJob(FilterModule& sender, NDIS_OID_REQUEST* sent) : request(sent), from(sender) {}

  NDIS_OID_REQUEST* const request;
  const Ref<OidJob> binding_job;  ///< of a binding
  const Ref<FilterModule> from;   ///< of a filter
  Ref<FilterModule> at;           ///< who has it; nothing: the miniport
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  bool completed = false;
  bool returned_pending = false;  ///< the answer goes by callback
};

DirectOids::DirectOids(Adapter& adapter) : adapter_(adapter) {}
DirectOids::~DirectOids() = default;

// ---- down ----

NDIS_STATUS DirectOids::submit(Binding& source, NDIS_OID_REQUEST* request) {
  if (!source.requests.enter()) return NDIS_STATUS_CLOSING;
  const Ref<OidJob> job(new OidJob(&source, request, nullptr));
  const NDIS_STATUS status = pass_on(Ref<DirectJob>(new DirectJob(*job)));
  if (status != NDIS_STATUS_PENDING) {
    job->give_results();
    source.requests.leave();
  }
  return status;
}

NDIS_STATUS DirectOids::submit(FilterModule& source, NDIS_OID_REQUEST* request) {
  source.oids.own.enter();
  const NDIS_STATUS status = pass_on(Ref<DirectJob>(new DirectJob(source, request)));
  if (status != NDIS_STATUS_PENDING) source.oids.own.leave();
  return status;
}

NDIS_STATUS DirectOids::pass_on(const Ref<DirectJob>& job) {
  do {
    job->at = adapter_.filters.next_below(job->from.get(), takes_direct_requests);
  } while (job->at && !job->at->oids.direct.enter());  // it is being detached: the next one
  const MiniportDriver& driver = adapter_.driver();
  if (!job->at) {
    if (!driver.is_version6() || !driver.handlers6().DirectOidRequest) return NDIS_STATUS_NOT_SUPPORTED;
    if (!kAdapterStates.allows(adapter_.state(), AdapterEvent::OidRequest)) return NDIS_STATUS_CLOSING;
  }
  {
    const kernel::Hold hold(lock_);
    jobs_.push_back(job);
  }
  const NDIS_STATUS status = call(*job);
  {
    const kernel::Hold hold(lock_);
    if (status == NDIS_STATUS_PENDING) {
      if (job->completed) return job->status;  // from inside the call
      job->returned_pending = true;
      return NDIS_STATUS_PENDING;
    }
    std::erase(jobs_, job);
    job->completed = true;
  }
  if (job->at) job->at->oids.direct.leave();
  return status;
}

NDIS_STATUS DirectOids::call(DirectJob& job) {
  const MiniportDriver& driver = adapter_.driver();
  if (!job.at)
    return call_driver(&driver.driver(), callbacks::kMiniportDirectOidRequest, &adapter_, nullptr,
                       driver.handlers6().DirectOidRequest, adapter_.context(), job.request);
  FilterModule& module = *job.at;
  return call_driver(&module.driver(), callbacks::kFilterDirectOidRequest, &module, nullptr,
                     module.filter().handlers().DirectOidRequest, module.context(), job.request);
}

// ---- back ----

bool DirectOids::complete(const FilterModule* at, NDIS_OID_REQUEST* request, NDIS_STATUS status) {
  Ref<DirectJob> job;
  bool tell = false;
  {
    const kernel::Hold hold(lock_);
    const auto found = std::ranges::find_if(
        jobs_, [&](const Ref<DirectJob>& one) { return one->at.get() == at && one->request == request; });
    if (found == jobs_.end()) return false;
    job = *found;
    jobs_.erase(found);
    job->completed = true;
    job->status = status;
    tell = job->returned_pending;
  }
  const Ref<FilterModule> was_at = job->at;
  if (tell) answer(*job);
  if (was_at) was_at->oids.direct.leave();
  return true;
}

void DirectOids::answer(DirectJob& job) {
  if (job.from) {
    FilterModule& from = *job.from;
    if (const auto& handler = from.filter().handlers().DirectOidRequestComplete; handler)
      call_driver(&from.driver(), callbacks::kFilterDirectOidRequestComplete, &from, nullptr, handler,
                  from.context(), job.request, job.status);
    from.oids.own.leave();
    return;
  }
  OidJob& own = *job.binding_job;
  own.give_results();
  Binding& source = *own.source();
  ++source.answering;
  call_driver(&source.driver(), callbacks::kProtocolDirectOidRequestComplete, &source, nullptr,
              source.protocol().handlers6().DirectOidRequestComplete, source.context(), own.request6_,
              job.status);
  source.requests.leave();
  --source.answering;
}

// ---- cancelling ----

void DirectOids::cancel(const Binding& source, void* request_id) {
  cancel_where([&](const DirectJob& job) {
    return job.binding_job && job.binding_job->source() == &source && job.request->RequestId == request_id;
  });
}

void DirectOids::cancel(const FilterModule& source, void* request_id) {
  cancel_where([&](const DirectJob& job) {
    return job.from.get() == &source && job.request->RequestId == request_id;
  });
}

/// Each driver that has such requests is called once.
void DirectOids::cancel_where(const std::function<bool(const DirectJob&)>& matches) {
  std::vector<Ref<FilterModule>> at;
  void* request_id = nullptr;
  {
    const kernel::Hold hold(lock_);
    for (const Ref<DirectJob>& job : jobs_) {
      if (!matches(*job)) continue;
      request_id = job->request->RequestId;
      if (std::ranges::find(at, job->at) == at.end()) at.push_back(job->at);
    }
  }
  for (const Ref<FilterModule>& module : at) {
    if (module) {
      if (const auto& handler = module->filter().handlers().CancelDirectOidRequest; handler)
        call_driver(&module->driver(), callbacks::kFilterCancelDirectOidRequest, module.get(), nullptr,
                    handler, module->context(), request_id);
    } else if (const MiniportDriver& driver = adapter_.driver(); driver.handlers6().CancelDirectOidRequest) {
      call_driver(&driver.driver(), callbacks::kMiniportCancelDirectOidRequest, &adapter_, nullptr,
                  driver.handlers6().CancelDirectOidRequest, adapter_.context(), request_id);
    }
  }
}

bool DirectOids::has(const FilterModule& at, const NDIS_OID_REQUEST* request) const {
  const kernel::Hold hold(lock_);
  return std::ranges::any_of(
      jobs_, [&](const Ref<DirectJob>& job) { return job->at.get() == &at && job->request == request; });
}

std::size_t DirectOids::pending() const {
  const kernel::Hold hold(lock_);
  return jobs_.size();
}

}  // namespace undis
