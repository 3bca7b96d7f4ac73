// SPDX-License-Identifier: MIT
//
// The way of a synchronous request: down through the filters to whoever completes it, and up again.
#include "ndis/oid_synchronous.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/call.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/library.h"
#include "ndis/oid_queue.h"

namespace undis {
namespace {

using kernel::call_driver;

bool takes(const FilterModule& module) {
  const auto& handlers = module.filter().handlers();
  return (handlers.SynchronousOidRequest || handlers.SynchronousOidRequestComplete) &&
         module.allows(FilterEvent::OidRequest) && !module.oids.closed();
}

/// A filter that let the request go on: it is entered until the request is back.
struct Passed {
  Ref<FilterModule> module;
  void* context;
};

NDIS_STATUS told(kernel::Driver& driver, const char* function, const void* object, std::string_view name,
                 NDIS_STATUS status, std::string allowed) {
  Library::current().observer().on(
      BadStatus{&driver, function, object, std::string(name), status, std::move(allowed), {}});
  return NDIS_STATUS_FAILURE;
}

/// SUCCESS: the request goes on downwards.
NDIS_STATUS ask(const FilterModule& module, NDIS_OID_REQUEST* request, void** context) {
  const auto& handler = module.filter().handlers().SynchronousOidRequest;
  if (!handler) return NDIS_STATUS_SUCCESS;
  const NDIS_STATUS status = call_driver(&module.driver(), callbacks::kFilterSynchronousOidRequest, &module,
                                         nullptr, handler, module.context(), request, context);
  if (status == NDIS_STATUS_PENDING)
    return told(module.driver(), "FilterSynchronousOidRequest", &module, module.name(), status,
                "any other status: a synchronous request cannot be pended");
  return status;
}

NDIS_STATUS ask_miniport(Adapter& adapter, NDIS_OID_REQUEST* request) {
  const MiniportDriver& driver = adapter.driver();
  if (!driver.is_version6() || !driver.handlers6().SynchronousOidRequest) return NDIS_STATUS_NOT_SUPPORTED;
  if (!kAdapterStates.allows(adapter.state(), AdapterEvent::OidRequest)) return NDIS_STATUS_CLOSING;
  const NDIS_STATUS status =
      call_driver(&driver.driver(), callbacks::kMiniportSynchronousOidRequest, &adapter, nullptr,
                  driver.handlers6().SynchronousOidRequest, adapter.context(), request);
  if (status == NDIS_STATUS_PENDING || status == NDIS_STATUS_REQUEST_ABORTED)
    return told(driver.driver(), "MiniportSynchronousOidRequest", &adapter, adapter.name(), status,
                "any final status: a synchronous request cannot be pended or cancelled");
  return status;
}

NDIS_STATUS pass_down(Adapter& adapter, const FilterModule* from, NDIS_OID_REQUEST* request) {
  std::vector<Passed> passed;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  const std::vector<Ref<FilterModule>> modules = adapter.filters.modules();  // from the miniport up
  for (auto at = std::ranges::find(modules, from, &Ref<FilterModule>::get);
       at != modules.begin() && status == NDIS_STATUS_SUCCESS;) {
    const Ref<FilterModule>& next = *--at;
    if (!takes(*next) || !next->oids.direct.enter()) continue;  // the second: it is being detached
    void* context = nullptr;
    status = ask(*next, request, &context);
    if (status == NDIS_STATUS_SUCCESS) {
      passed.push_back({next, context});
    } else {
      next->oids.direct.leave();
    }
  }
  if (status == NDIS_STATUS_ALREADY_COMPLETE) {
    status = NDIS_STATUS_SUCCESS;
  } else if (status == NDIS_STATUS_SUCCESS) {
    status = ask_miniport(adapter, request);
  }
  for (auto at = passed.rbegin(); at != passed.rend(); ++at) {
    FilterModule& module = *at->module;
    if (const auto& handler = module.filter().handlers().SynchronousOidRequestComplete; handler) {
      call_driver(&module.driver(), callbacks::kFilterSynchronousOidRequestComplete, &module, nullptr,
                  handler, module.context(), request, &status, at->context);
      if (status == NDIS_STATUS_PENDING || status == NDIS_STATUS_ALREADY_COMPLETE)
        status = told(module.driver(), "FilterSynchronousOidRequestComplete", &module, module.name(), status,
                      "any final status but NDIS_STATUS_ALREADY_COMPLETE");
    }
    module.oids.direct.leave();
  }
  return status;
}

}  // namespace

NDIS_STATUS synchronous_request(Binding& source, NDIS_OID_REQUEST* request) {
  if (!source.requests.enter()) return NDIS_STATUS_CLOSING;
  const Ref<OidJob> job(new OidJob(&source, request, nullptr));
  const NDIS_STATUS status = pass_down(source.adapter(), nullptr, &job->request());
  job->give_results();
  source.requests.leave();
  return status;
}

NDIS_STATUS synchronous_request(FilterModule& source, NDIS_OID_REQUEST* request) {
  source.oids.own.enter();
  const NDIS_STATUS status = pass_down(source.adapter(), &source, request);
  source.oids.own.leave();
  return status;
}

}  // namespace undis
