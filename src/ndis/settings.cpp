// SPDX-License-Identifier: MIT
//
// Which sets are kept, and which one takes the place of which.
#include "ndis/settings.h"

#include <algorithm>
#include <cstring>

namespace undis {
namespace {

/// A setting of which only the last counts.
bool replaces(NDIS_OID oid) {
  switch (oid) {
  case OID_TCP_OFFLOAD_PARAMETERS:
  case OID_OFFLOAD_ENCAPSULATION:
  case OID_TCP_TASK_OFFLOAD:
  case OID_PNP_ENABLE_WAKE_UP:
  case OID_PM_PARAMETERS:
  case OID_GEN_RECEIVE_SCALE_PARAMETERS:
    return true;
  default:
    return false;
  }
}

bool adds(NDIS_OID oid) {
  return oid == OID_PNP_ADD_WAKE_UP_PATTERN || oid == OID_PM_ADD_WOL_PATTERN ||
         oid == OID_PM_ADD_PROTOCOL_OFFLOAD;
}

/// The OID whose settings `oid` takes back; 0: none.
NDIS_OID taken_back_by(NDIS_OID oid) {
  switch (oid) {
  case OID_PNP_REMOVE_WAKE_UP_PATTERN:
    return OID_PNP_ADD_WAKE_UP_PATTERN;
  case OID_PM_REMOVE_WOL_PATTERN:
    return OID_PM_ADD_WOL_PATTERN;
  case OID_PM_REMOVE_PROTOCOL_OFFLOAD:
    return OID_PM_ADD_PROTOCOL_OFFLOAD;
  default:
    return 0;
  }
}

/// Patterns of the older interface are named by their bytes, those of NDIS 6.20 by an identifier in the
/// structure.
bool is_same(const SettingsMemory::Setting& kept, NDIS_OID by, const std::uint8_t* data, std::size_t length) {
  if (by == OID_PNP_REMOVE_WAKE_UP_PATTERN)
    return kept.data.size() == length && std::memcmp(kept.data.data(), data, length) == 0;
  const std::size_t offset = by == OID_PM_REMOVE_WOL_PATTERN
                                 ? offsetof(NDIS_PM_WOL_PATTERN, PatternId)
                                 : offsetof(NDIS_PM_PROTOCOL_OFFLOAD, ProtocolOffloadId);
  return length >= sizeof(ULONG) && kept.data.size() >= offset + sizeof(ULONG) &&
         std::memcmp(kept.data.data() + offset, data, sizeof(ULONG)) == 0;
}

}  // namespace

void SettingsMemory::note(NDIS_OID oid, const void* data, std::size_t length) {
  const auto* const bytes = static_cast<const std::uint8_t*>(data);
  const kernel::Hold hold(lock_);
  if (const NDIS_OID added_by = taken_back_by(oid); added_by != 0) {
    std::erase_if(settings_, [&](const Setting& kept) {
      return kept.oid == added_by && is_same(kept, oid, bytes, length);
    });
    return;
  }
  if (!replaces(oid) && !adds(oid)) return;
  if (replaces(oid)) std::erase_if(settings_, [&](const Setting& kept) { return kept.oid == oid; });
  settings_.push_back({oid, {bytes, bytes + length}});
}

std::vector<SettingsMemory::Setting> SettingsMemory::all() const {
  const kernel::Hold hold(lock_);
  return settings_;
}

void SettingsMemory::clear() {
  const kernel::Hold hold(lock_);
  settings_.clear();
}

}  // namespace undis
