// SPDX-License-Identifier: MIT
//
// Synchronous OID requests (NDIS 6.80): never pended, never cloned. On the way down each filter's
// FilterSynchronousOidRequest looks at the one structure, on the way up its
// FilterSynchronousOidRequestComplete. Pages: ndis/nf-ndis-ndissynchronousoidrequest,
// ndis/nf-ndis-filter_synchronous_oid_request, network/synchronous-oid-request-interface-in-ndis-6-80.
#pragma once

#include <ndis.h>

namespace undis {

class Adapter;
class Binding;
class FilterModule;

/// NdisSynchronousOidRequest. <= DISPATCH_LEVEL.
NDIS_STATUS synchronous_request(Binding& source, NDIS_OID_REQUEST* request);
/// NdisFSynchronousOidRequest: of the filters below, and the miniport. <= DISPATCH_LEVEL.
NDIS_STATUS synchronous_request(FilterModule& source, NDIS_OID_REQUEST* request);

}  // namespace undis
