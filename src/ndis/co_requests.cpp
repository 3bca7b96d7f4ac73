// SPDX-License-Identifier: MIT
//
// Requests of connection-oriented drivers, there and back.
#include "ndis/co_requests.h"

#include <algorithm>

#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_vc.h"
#include "ndis/library.h"

namespace undis {

using kernel::call_driver;

/// A request that a driver has.
struct CoRequests::Job final : Object {
  CoSubject subject;
  Ref<Binding> source;           ///< nullptr: an integrated call manager
  CoSide side = CoSide::Client;  ///< as which it asks
  kernel::Driver* target = nullptr;
  bool to_miniport = false;
  NDIS_OID_REQUEST* request = nullptr;
  bool completed = false;  ///< guarded by the lock of the requests
};

namespace {

void* af_context(const CoSubject& subject, CoSide side) {
  return subject.family ? subject.family->context(side) : nullptr;
}
void* vc_context(const CoSubject& subject, CoSide side) {
  return subject.vc ? subject.vc->context(side) : nullptr;
}
void* party_context(const CoSubject& subject, CoSide side) {
  return subject.party ? subject.party->context(side) : nullptr;
}

}  // namespace

CoRequests::CoRequests() = default;
CoRequests::~CoRequests() = default;

NDIS_STATUS CoRequests::to_miniport(Adapter& adapter, Binding& from, CoSide side, const CoSubject& subject,
                                    NDIS_OID_REQUEST* request) {
  const CoMiniportHandlers& handlers = adapter.driver().optional6.connection_oriented;
  if (!handlers.OidRequest) return NDIS_STATUS_NOT_SUPPORTED;
  if (!kAdapterStates.allows(adapter.state(), AdapterEvent::OidRequest) || !from.requests.enter())
    return NDIS_STATUS_CLOSING;
  const Ref<Job> job(new Job);
  job->subject = subject;
  job->source = Ref<Binding>(&from);
  job->side = side;
  job->target = &adapter.driver().driver();
  job->to_miniport = true;
  job->request = request;
  {
    const kernel::Hold hold(lock_);
    jobs_.push_back(job);
  }
  const NDIS_STATUS status =
      call_driver(job->target, callbacks::kMiniportCoOidRequest, &adapter, nullptr, handlers.OidRequest,
                  adapter.context(), subject.vc ? subject.vc->miniport_context() : nullptr, request);
  return settle(*job, status, callbacks::kMiniportCoOidRequest.name);
}

NDIS_STATUS CoRequests::across(CoSide from, const CoSubject& subject, NDIS_OID_REQUEST* request) {
  AddressFamily& family = *subject.family;
  const CoSide to = from == CoSide::Client ? CoSide::CallManager : CoSide::Client;
  if (family.gone(to)) return NDIS_STATUS_CLOSING;
  Binding* const source = from == CoSide::Client ? &family.client() : family.manager().binding();
  if (source != nullptr && !source->requests.enter()) return NDIS_STATUS_CLOSING;
  const Ref<Job> job(new Job);
  job->subject = subject;
  job->source = Ref<Binding>(source);
  job->side = from;
  job->target = &family.driver(to);
  job->request = request;
  {
    const kernel::Hold hold(lock_);
    jobs_.push_back(job);
  }
  const auto& handler =
      to == CoSide::Client ? family.client_handlers().OidRequest : family.manager().handlers().OidRequest;
  const NDIS_STATUS status =
      call_driver(job->target, callbacks::kProtocolCoOidRequest,
                  to == CoSide::Client ? &family.client() : family.manager().binding(), nullptr, handler,
                  family.context(to), vc_context(subject, to), party_context(subject, to), request);
  return settle(*job, status, callbacks::kProtocolCoOidRequest.name);
}

/// The target's function has returned.
NDIS_STATUS CoRequests::settle(Job& job, NDIS_STATUS status, const char* function) {
  if (status == NDIS_STATUS_PENDING) return status;
  const Ref<Job> alive(&job);
  bool completed = false;
  {
    const kernel::Hold hold(lock_);
    completed = job.completed;
    std::erase(jobs_, alive);
  }
  if (completed) {
    Library::current().observer().on(UnexpectedCompletion{
        job.target,
        function,
        &job,
        "the OID request",
        "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
        {}});
    return NDIS_STATUS_PENDING;
  }
  if (job.source) job.source->requests.leave();
  return status;
}

bool CoRequests::complete(const AddressFamily* family, const NDIS_OID_REQUEST* request, NDIS_STATUS status) {
  Ref<Job> job;
  {
    const kernel::Hold hold(lock_);
    const auto found = std::ranges::find_if(jobs_, [&](const Ref<Job>& one) {
      return one->request == request &&
             (family == nullptr ? one->to_miniport : !one->to_miniport && one->subject.family == family);
    });
    if (found == jobs_.end()) return false;
    job = *found;
    jobs_.erase(found);
    job->completed = true;
  }
  const CoSubject& subject = job->subject;
  const CoSide side = job->side;
  kernel::Driver* const driver = job->source ? &job->source->driver() : &subject.family->driver(side);
  const CoCallManagerHandlers* const manager = side == CoSide::Client ? nullptr
                                               : job->source          ? &job->source->protocol().call_manager
                                                                      : &subject.family->manager().handlers();
  const auto& handler =
      manager == nullptr ? job->source->protocol().client.OidRequestComplete : manager->OidRequestComplete;
  const void* const object = job->source.get();
  if (job->source) job->source->requests.leave();
  call_driver(driver, callbacks::kProtocolCoOidRequestComplete, object, nullptr, handler,
              af_context(subject, side), vc_context(subject, side), party_context(subject, side),
              job->request, status);
  return true;
}

}  // namespace undis
