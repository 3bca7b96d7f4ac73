// SPDX-License-Identifier: MIT
//
// Looking OIDs up.
#include "ndis/oids.h"

#include <algorithm>

#include <fmt/format.h>

namespace undis {
namespace {

/// Requests that take something back: one that fails would leave it behind.
bool takes_back(NDIS_OID oid) noexcept {
  switch (oid) {
  case OID_RECEIVE_FILTER_CLEAR_FILTER:
  case OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA:
  case OID_RECEIVE_FILTER_FREE_QUEUE:
  case OID_NIC_SWITCH_FREE_VF:
  case OID_NIC_SWITCH_DELETE_SWITCH:
  case OID_802_3_DELETE_MULTICAST_ADDRESS:
  case OID_PM_REMOVE_WOL_PATTERN:
  case OID_PM_REMOVE_PROTOCOL_OFFLOAD:
  case OID_TUNNEL_INTERFACE_RELEASE_OID:
    return true;
  default:
    return false;
  }
}

}  // namespace

const OidInfo* find_oid(NDIS_OID oid) noexcept {
  const auto rows = all_oids();
  const auto at = std::ranges::lower_bound(rows, oid, {}, &OidInfo::oid);
  return at == rows.end() || at->oid != oid ? nullptr : &*at;
}

std::string oid_name(NDIS_OID oid) {
  const OidInfo* const info = find_oid(oid);
  return info != nullptr ? info->name : fmt::format("OID {:#010x}", oid);
}

bool fits(const OidInfo& info, UINT bytes) noexcept {
  switch (info.length) {
  case OidInfo::Length::Exactly:
    return bytes == info.bytes || (info.other_bytes != 0 && bytes == info.other_bytes);
  case OidInfo::Length::AtLeast:
    return bytes >= info.bytes;
  case OidInfo::Length::MultipleOf:
    return bytes % info.bytes == 0;
  }
  return true;
}

std::string expected_length(const OidInfo& info) {
  switch (info.length) {
  case OidInfo::Length::Exactly:
    return info.other_bytes == 0 ? fmt::format("{}", info.bytes)
                                 : fmt::format("{} or {}", info.bytes, info.other_bytes);
  case OidInfo::Length::AtLeast:
    return fmt::format("at least {}", info.bytes);
  case OidInfo::Length::MultipleOf:
    return fmt::format("a multiple of {}", info.bytes);
  }
  return {};
}

const char* statuses_allowed(NDIS_OID oid) noexcept {
  if (oid == OID_PNP_SET_POWER) return "NDIS_STATUS_SUCCESS or NDIS_STATUS_NOT_ACCEPTED";
  return takes_back(oid) ? "NDIS_STATUS_SUCCESS, NDIS_STATUS_NOT_ACCEPTED or NDIS_STATUS_REQUEST_ABORTED"
                         : nullptr;
}

bool may_end_with(NDIS_OID oid, NDIS_STATUS status) noexcept {
  if (status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_NOT_ACCEPTED || statuses_allowed(oid) == nullptr)
    return true;
  return takes_back(oid) && status == NDIS_STATUS_REQUEST_ABORTED;
}

}  // namespace undis
