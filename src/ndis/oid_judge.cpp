// SPDX-License-Identifier: MIT
//
// What the outcome of a request says of the miniport that gave it, and what NDIS keeps of a set that
// succeeded. Pages: devtest/ndis-ndisoidcomplete, ndis/nc-ndis-miniport_oid_request,
// ndis/nc-ndis-miniport_device_pnp_event_notify.
#include <fmt/format.h>

#include "ndis/adapter.h"
#include "ndis/library.h"
#include "ndis/oid_queue.h"
#include "ndis/oids.h"

namespace undis {
namespace {

/// A request that NDIS itself makes of an old driver, or of one without the OID, may end as it likes.
constexpr NDIS_STATUS kUnknown[] = {NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_NOT_RECOGNIZED,
                                    NDIS_STATUS_INVALID_OID};

bool is_unknown(NDIS_STATUS status) {
  for (const NDIS_STATUS one : kUnknown)
    if (status == one) return true;
  return false;
}

}  // namespace

void OidQueue::judge(const OidJob& job, NDIS_STATUS status) const {
  MiniportDriver& driver = adapter_.driver();
  const NDIS_OID_REQUEST& request = job.own_;
  const NDIS_OID oid = request.DATA.Oid;
  const bool query =
      request.RequestType == NdisRequestQueryInformation || request.RequestType == NdisRequestQueryStatistics;
  const char* const function = driver.is_version6()
                                   ? "MiniportOidRequest"
                                   : (query ? "MiniportQueryInformation" : "MiniportSetInformation");

  if (driver.is_version6() && !query && !may_end_with(oid, status) && !is_unknown(status))
    tell_breach("NdisOidComplete", driver.driver(), function, adapter_.name(),
                fmt::format("{} ends with status {:#010x}; allowed: {}", oid_name(oid),
                            static_cast<std::uint32_t>(status), statuses_allowed(oid)));
  if (driver.is_version6() && job.after_surprise_ && status == NDIS_STATUS_SUCCESS)
    tell_breach(
        "LIFE-193", driver.driver(), function, adapter_.name(),
        fmt::format(
            "{} succeeds although the device was removed by surprise: NDIS_STATUS_NOT_ACCEPTED is due",
            oid_name(oid)));

  const OidInfo* const info = find_oid(oid);
  if (query && status == NDIS_STATUS_SUCCESS) {
    const UINT given = request.DATA.QUERY_INFORMATION.InformationBufferLength;
    const UINT written = driver.is_version6() ? request.DATA.QUERY_INFORMATION.BytesWritten : job.bytes_done_;
    if (written > given) {
      tell_breach(
          "OidLength", driver.driver(), function, adapter_.name(),
          fmt::format("{}: BytesWritten is {} and the buffer has {} bytes", oid_name(oid), written, given));
    } else if (info != nullptr && !fits(*info, written)) {
      tell_breach("OidLength", driver.driver(), function, adapter_.name(),
                  fmt::format("{}: BytesWritten is {}, the information has {} bytes", oid_name(oid), written,
                              expected_length(*info)));
    }
  }
  if (request.RequestType == NdisRequestSetInformation && status == NDIS_STATUS_SUCCESS)
    adapter_.settings.note(oid, request.DATA.SET_INFORMATION.InformationBuffer,
                           request.DATA.SET_INFORMATION.InformationBufferLength);
}

}  // namespace undis
