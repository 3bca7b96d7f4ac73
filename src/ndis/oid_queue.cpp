// SPDX-License-Identifier: MIT
//
// The queue of OID requests of one adapter. What NDIS answers itself is oid_answers.cpp.
//
// The miniport always gets a request structure of NDIS' own, filled from the source's: a protocol's structure
// is neither shown to the miniport nor changed before the request is complete, and merged filters can take
// the place of one protocol's.
#include "ndis/oid_queue.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/time.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/breach.h"
#include "ndis/callbacks.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"
#include "ndis/library.h"
#include "ndis/oids.h"

namespace undis {

using kernel::call_driver;

namespace {

constexpr std::uint64_t kTicksPerSecond = 1000 * kernel::kTicksPerMillisecond;
constexpr std::uint64_t kOidLimit = 12 * kTicksPerSecond;  // devtest/ndis-ndistimedoidcomplete

bool is_query(NDIS_REQUEST_TYPE type) {
  return type == NdisRequestQueryInformation || type == NdisRequestQueryStatistics;
}

}  // namespace

OidJob::OidJob(Binding* source, NDIS_OID_REQUEST* request, NDIS_REQUEST* request5)
    : OidJob(source, request, request5, nullptr, nullptr) {}

OidJob::OidJob(Binding* source, NDIS_OID_REQUEST* request, NDIS_REQUEST* request5, FilterModule* filter,
               OidJob* front)
    : source_(source), filter_(filter), front_(front), request6_(request), request5_(request5) {
  own_.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                 NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  if (request6_ != nullptr) {
    own_.RequestType = request6_->RequestType;
    own_.PortNumber = request6_->PortNumber;
    own_.Timeout = request6_->Timeout;
    own_.RequestId = request6_->RequestId;
    own_.RequestHandle = request6_->RequestHandle;
    own_.DATA = request6_->DATA;
  } else if (request5_ != nullptr) {
    own_.RequestType = request5_->RequestType;
    if (is_query(own_.RequestType)) {
      own_.DATA.QUERY_INFORMATION.Oid = request5_->DATA.QUERY_INFORMATION.Oid;
      own_.DATA.QUERY_INFORMATION.InformationBuffer = request5_->DATA.QUERY_INFORMATION.InformationBuffer;
      own_.DATA.QUERY_INFORMATION.InformationBufferLength =
          request5_->DATA.QUERY_INFORMATION.InformationBufferLength;
    } else {
      own_.DATA.SET_INFORMATION.Oid = request5_->DATA.SET_INFORMATION.Oid;
      own_.DATA.SET_INFORMATION.InformationBuffer = request5_->DATA.SET_INFORMATION.InformationBuffer;
      own_.DATA.SET_INFORMATION.InformationBufferLength =
          request5_->DATA.SET_INFORMATION.InformationBufferLength;
    }
  }
}

OidJob::OidJob(FilterModule* from, NDIS_OID_REQUEST* request, OidJob* front)
    : OidJob(nullptr, request, nullptr, from, front) {}

OidJob::~OidJob() = default;

void OidJob::give_results() {
  if (request6_ != nullptr) {
    void* const buffer = is_query(request6_->RequestType) || request6_->RequestType == NdisRequestMethod
                             ? request6_->DATA.QUERY_INFORMATION.InformationBuffer
                             : request6_->DATA.SET_INFORMATION.InformationBuffer;
    request6_->DATA = own_.DATA;
    request6_->DATA.QUERY_INFORMATION.InformationBuffer =
        buffer;  // the same place in each member of the union
  } else if (request5_ != nullptr && is_query(request5_->RequestType)) {
    request5_->DATA.QUERY_INFORMATION.BytesWritten = own_.DATA.QUERY_INFORMATION.BytesWritten;
    request5_->DATA.QUERY_INFORMATION.BytesNeeded = own_.DATA.QUERY_INFORMATION.BytesNeeded;
  } else if (request5_ != nullptr) {
    request5_->DATA.SET_INFORMATION.BytesRead = own_.DATA.SET_INFORMATION.BytesRead;
    request5_->DATA.SET_INFORMATION.BytesNeeded = own_.DATA.SET_INFORMATION.BytesNeeded;
  }
}

// ---- submitting ----

OidQueue::OidQueue(Adapter& adapter) : adapter_(adapter), overdue_([this] { overdue(); }) {
  idle_.set();
}

NDIS_STATUS OidQueue::submit(Binding& source, NDIS_OID_REQUEST* request) {
  return submit_job(source, Ref<OidJob>(new OidJob(&source, request, nullptr)));
}

NDIS_STATUS OidQueue::submit5(Binding& source, NDIS_REQUEST* request) {
  return submit_job(source, Ref<OidJob>(new OidJob(&source, nullptr, request)));
}

NDIS_STATUS OidQueue::submit_job(Binding& source, const Ref<OidJob>& job) {
  bool under_way = false;
  {
    const kernel::Hold hold(lock_);
    const auto is_same = [&job](const Ref<OidJob>& other) {
      return other && other->source() != nullptr && other->request6_ == job->request6_ &&
             other->request5_ == job->request5_;
    };
    under_way = is_same(current_) || is_same(front_current_) || std::ranges::any_of(waiting_, is_same) ||
                std::ranges::any_of(front_waiting_, is_same);
  }
  if (under_way) {
    tell_breach(
        "OidRequestReused", source.driver(), job->request6_ != nullptr ? "NdisOidRequest" : "NdisRequest",
        adapter_.name(),
        "the request structure is that of a request that is under way; it is NDIS' until that is complete");
    return NDIS_STATUS_FAILURE;
  }
  if (adapter_.is_low_power()) {
    tell_breach("LIFE-269", source.driver(), source.is_version6() ? "NdisOidRequest" : "NdisRequest",
                source.name(), "an OID request is made while the adapter is in a low-power state");
    return NDIS_STATUS_LOW_POWER_STATE;
  }
  if (adapter_.reset.in_progress()) {
    if (adapter_.reset.announced())
      tell_breach("LIFE-186", source.driver(), source.is_version6() ? "NdisOidRequest" : "NdisRequest",
                  source.name(),
                  "an OID request is made between NDIS_STATUS_RESET_START and NDIS_STATUS_RESET_END");
    return NDIS_STATUS_RESET_IN_PROGRESS;
  }
  if (!source.requests.enter()) return NDIS_STATUS_CLOSING;
  const NDIS_STATUS status = filters_take_requests(adapter_) ? enqueue_front(job) : enqueue(job);
  if (status != NDIS_STATUS_PENDING) source.requests.leave();
  return status;
}

NDIS_STATUS OidQueue::ask(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length, UINT* done) {
  return ask(Ref<OidJob>(new OidJob(static_cast<Binding*>(nullptr), nullptr, nullptr)), type, oid, buffer,
             length, done);
}

NDIS_STATUS OidQueue::ask_now(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) {
  const Ref<OidJob> job(new OidJob(static_cast<Binding*>(nullptr), nullptr, nullptr));
  job->bypass_ = true;
  return ask(job, type, oid, buffer, length, nullptr);
}

NDIS_STATUS OidQueue::ask(const Ref<OidJob>& job, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer,
                          UINT length, UINT* done) {
  NDIS_OID_REQUEST& own = job->request();
  own.RequestType = type;
  if (is_query(type)) {
    own.DATA.QUERY_INFORMATION.Oid = oid;
    own.DATA.QUERY_INFORMATION.InformationBuffer = buffer;
    own.DATA.QUERY_INFORMATION.InformationBufferLength = length;
  } else {
    own.DATA.SET_INFORMATION.Oid = oid;
    own.DATA.SET_INFORMATION.InformationBuffer = buffer;
    own.DATA.SET_INFORMATION.InformationBufferLength = length;
  }
  if ((filters_take_requests(adapter_) ? enqueue_front(job) : enqueue(job)) == NDIS_STATUS_PENDING)
    job->done_.wait();
  if (done != nullptr)
    *done = is_query(type) ? own.DATA.QUERY_INFORMATION.BytesWritten : own.DATA.SET_INFORMATION.BytesRead;
  return job->status_;
}

NDIS_STATUS OidQueue::enqueue(const Ref<OidJob>& job) {
  {
    const kernel::Hold hold(lock_);
    if (job->bypass_) {
      waiting_.insert(waiting_.begin(), job);
    } else {
      waiting_.push_back(job);
    }
    idle_.reset();
  }
  run();
  const kernel::Hold hold(lock_);
  if (job->completed_) return job->status_;
  job->returned_pending_ = true;
  return NDIS_STATUS_PENDING;
}

void OidQueue::run() {
  for (;;) {
    Ref<OidJob> job;
    {
      const kernel::Hold hold(lock_);
      if (current_) return;
      if (waiting_.empty()) {
        if (!front_current_ && front_waiting_.empty()) idle_.set();
        return;
      }
      job = current_ = waiting_.front();
      waiting_.erase(waiting_.begin());
    }
    bool held = false;
    const NDIS_STATUS status = deliver(*job, held);
    if (held) {
      {
        const kernel::Hold hold(lock_);
        waiting_.insert(waiting_.begin(), job);
        current_ = nullptr;
      }
      if (adapter_.suspend.must_wait()) return;  // resume() goes on with the queue
      continue;
    }
    if (status == NDIS_STATUS_PENDING) return;  // its completion goes on with the queue
    finish(job, status);
  }
}

void OidQueue::resume() {
  run();
}

bool OidQueue::survives_check() {
  const bool has_reset = adapter_.is_version6() ? static_cast<bool>(adapter_.driver().handlers6().Reset)
                                                : static_cast<bool>(adapter_.driver().handlers5().Reset);
  constexpr unsigned kPatience = 2;  // successive calls, the page
  const kernel::Hold hold(lock_);
  if (!has_reset || !current_ || !current_->delivered_) return false;
  return ++current_->checks_ >= kPatience;
}

bool OidQueue::at_miniport() const noexcept {
  const kernel::Hold hold(lock_);
  return current_ && current_->delivered_ && !current_->completed_;
}

/// At DISPATCH_LEVEL: the request's own time-out, or the limit that every request has, has passed.
void OidQueue::overdue() {
  Ref<OidJob> job;
  {
    const kernel::Hold hold(lock_);
    if (!current_ || !current_->delivered_ || current_->completed_) return;
    job = current_;
  }
  const std::uint64_t elapsed = kernel::now() - job->delivered_at_;
  MiniportDriver& driver = adapter_.driver();
  if (elapsed < kOidLimit) {
    overdue_.set(kOidLimit - elapsed);
    if (driver.is_version6())
      call_driver(&driver.driver(), callbacks::kMiniportCancelOidRequest, &adapter_, nullptr,
                  driver.handlers6().CancelOidRequest, adapter_.context(), job->own_.RequestId);
    return;
  }
  if (driver.is_version6())
    tell_breach("NdisTimedOidComplete", driver.driver(), "MiniportOidRequest", adapter_.name(),
                fmt::format("{} has been pended for {} seconds and is not completed",
                            oid_name(job->own_.DATA.Oid), elapsed / kTicksPerSecond));
}

// ---- to the miniport ----

NDIS_STATUS OidQueue::deliver(OidJob& job, bool& held) {
  if (!kAdapterStates.allows(adapter_.state(), AdapterEvent::OidRequest)) return NDIS_STATUS_CLOSING;
  // What NDIS knows itself does not wake an adapter; a set changes what NDIS keeps, so that it is looked at
  // only once.
  const bool query = job.own_.RequestType == NdisRequestQueryInformation;
  NDIS_STATUS answer = query ? answer_itself(job) : NDIS_STATUS_NOT_RECOGNIZED;
  if (answer != NDIS_STATUS_NOT_RECOGNIZED) return answer;
  if (!job.bypass_ && adapter_.suspend.must_wait()) {
    held = true;
    return NDIS_STATUS_PENDING;
  }
  if (!query) answer = answer_itself(job);
  if (answer != NDIS_STATUS_NOT_RECOGNIZED) return answer;
  {
    const kernel::Hold hold(lock_);
    job.delivered_ = true;
    job.delivered_at_ = kernel::now();
    job.after_surprise_ = adapter_.surprise_removed;
  }
  const std::uint64_t own_limit = job.own_.Timeout * kTicksPerSecond;
  overdue_.set(own_limit != 0 && own_limit < kOidLimit ? own_limit : kOidLimit);
  return adapter_.is_version6() ? deliver6(job) : deliver5(job);
}

NDIS_STATUS OidQueue::deliver6(OidJob& job) {
  const MiniportDriver& driver = adapter_.driver();
  return call_driver(&driver.driver(), callbacks::kMiniportOidRequest, &adapter_, nullptr,
                     driver.handlers6().OidRequest, adapter_.context(), &job.own_);
}

NDIS_STATUS OidQueue::deliver5(OidJob& job) {
  if (!adapter_.is_serialized()) return call5(job);
  if (!data_path::begin_turn(adapter_)) return NDIS_STATUS_PENDING;  // deliver_in_turn() goes on
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  const NDIS_STATUS status = call5(job);
  data_path::end_turn(adapter_);
  return status;
}

void OidQueue::deliver_in_turn() {
  Ref<OidJob> job;
  {
    const kernel::Hold hold(lock_);
    job = current_;
  }
  if (!job) return;
  const NDIS_STATUS status = call5(*job);
  if (status == NDIS_STATUS_PENDING) return;
  finish(job, status);
  run();
}

NDIS_STATUS OidQueue::call5(OidJob& job) {
  const MiniportDriver& driver = adapter_.driver();
  NDIS_STATUS status = NDIS_STATUS_NOT_SUPPORTED;
  if (is_query(job.own_.RequestType)) {
    auto& query = job.own_.DATA.QUERY_INFORMATION;
    status = call_driver(&driver.driver(), callbacks::kMiniportQueryInformation, &adapter_, nullptr,
                         driver.handlers5().QueryInformation, adapter_.context(), query.Oid,
                         query.InformationBuffer, query.InformationBufferLength, &job.bytes_done_,
                         &job.bytes_needed_);
  } else if (job.own_.RequestType == NdisRequestSetInformation) {
    auto& set = job.own_.DATA.SET_INFORMATION;
    status =
        call_driver(&driver.driver(), callbacks::kMiniportSetInformation, &adapter_, nullptr,
                    driver.handlers5().SetInformation, adapter_.context(), set.Oid, set.InformationBuffer,
                    set.InformationBufferLength, &job.bytes_done_, &job.bytes_needed_);
  }
  return status;
}

// ---- completion ----

bool OidQueue::complete(NDIS_OID_REQUEST* request, NDIS_STATUS status) {
  Ref<OidJob> job;
  {
    const kernel::Hold hold(lock_);
    if (!current_ || &current_->own_ != request || current_->completed_ || !adapter_.is_version6())
      return false;
    job = current_;
  }
  finish(job, status);
  run();
  return true;
}

bool OidQueue::complete5(NDIS_STATUS status, bool query) {
  Ref<OidJob> job;
  if (data_path::request_waits(adapter_)) return false;  // the driver has not seen it yet
  {
    const kernel::Hold hold(lock_);
    if (!current_ || current_->completed_ || adapter_.is_version6() ||
        is_query(current_->own_.RequestType) != query)
      return false;
    job = current_;
  }
  finish(job, status);
  run();
  return true;
}

void OidQueue::finish(const Ref<OidJob>& job, NDIS_STATUS status) {
  if (!adapter_.is_version6() && !job->answered_by_ndis_) {
    if (is_query(job->own_.RequestType)) {
      job->own_.DATA.QUERY_INFORMATION.BytesWritten = job->bytes_done_;
      job->own_.DATA.QUERY_INFORMATION.BytesNeeded = job->bytes_needed_;
    } else {
      job->own_.DATA.SET_INFORMATION.BytesRead = job->bytes_done_;
      job->own_.DATA.SET_INFORMATION.BytesNeeded = job->bytes_needed_;
    }
  }
  if (status != NDIS_STATUS_SUCCESS && job->undo_) job->undo_();  // before the next request is looked at
  if (job->delivered_) {
    overdue_.cancel();
    judge(*job, status);
  }
  bool tell = false;
  {
    const kernel::Hold hold(lock_);
    if (job->completed_) return;
    job->give_results();
    job->completed_ = true;
    job->status_ = status;
    if (current_ == job.get()) current_ = nullptr;
    if (front_current_ == job.get()) front_current_ = nullptr;
    tell = job->returned_pending_;
  }
  if (tell) tell_source(*job);
}

void OidQueue::tell_source(OidJob& job) {
  Binding* const source = job.source();
  if (job.filter_) {
    answer_filter(*job.filter_, job.request6_, job.status_);
    return;
  }
  if (job.front_) {
    front_done(job.front_, job.status_);
    return;
  }
  if (source == nullptr) {
    job.done_.set();
    return;
  }
  ProtocolDriver& protocol = source->protocol();
  ++source->answering;
  if (job.request6_ != nullptr) {
    call_driver(&protocol.driver(), callbacks::kProtocolOidRequestComplete, source, nullptr,
                protocol.handlers6().OidRequestComplete, source->context(), job.request6_, job.status_);
  } else {
    call_driver(&protocol.driver(), callbacks::kProtocolRequestComplete, source, nullptr,
                protocol.handlers5().RequestComplete, source->context(), job.request5_, job.status_);
  }
  source->requests.leave();
  --source->answering;
}

void OidQueue::cancel(Binding& source, void* request_id) {
  cancel_where([&source](const OidJob& job) { return job.source() == &source; }, request_id);
}

void OidQueue::cancel_where(const std::function<bool(const OidJob&)>& of_source, void* request_id) {
  // What has not been given to the miniport yet is completed here, in order.
  std::deque<Ref<OidJob>> cancelled;
  bool at_miniport = false;
  bool at_filters = false;
  {
    const kernel::Hold hold(lock_);
    const auto matches = [&](const Ref<OidJob>& job) {
      return of_source(*job) && job->own_.RequestId == request_id;
    };
    for (const std::vector<Ref<OidJob>>* queue : {&waiting_, &front_waiting_})
      for (const Ref<OidJob>& job : *queue)
        if (matches(job)) cancelled.push_back(job);
    std::erase_if(waiting_, matches);
    std::erase_if(front_waiting_, matches);
    at_miniport = current_ && matches(current_);
    at_filters = front_current_ && matches(front_current_);
  }
  for (const Ref<OidJob>& job : cancelled) finish(job, NDIS_STATUS_REQUEST_ABORTED);
  if (at_filters) cancel_oid_down(adapter_, nullptr, request_id);
  if (at_miniport && adapter_.is_version6()) {
    const MiniportDriver& driver = adapter_.driver();
    call_driver(&driver.driver(), callbacks::kMiniportCancelOidRequest, &adapter_, nullptr,
                driver.handlers6().CancelOidRequest, adapter_.context(), request_id);
  }
}

bool OidQueue::idle() const noexcept {
  const kernel::Hold hold(lock_);
  return !current_ && waiting_.empty() && !front_current_ && front_waiting_.empty();
}

void OidQueue::wait_idle() noexcept {
  while (!idle()) idle_.wait();
}

}  // namespace undis
