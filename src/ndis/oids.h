// SPDX-License-Identifier: MIT
//
// What is documented of OIDs (spec/oids.csv): names, kinds, lengths; and which may not fail.
#pragma once

#include <string>

#include <ndis.h>

#include "undis/oid_table.h"

namespace undis {

/// nullptr: the table says no more of it than its number, or does not have it.
const OidInfo* find_oid(NDIS_OID oid) noexcept;
/// "OID_GEN_LINK_SPEED", or "OID 0x...".
std::string oid_name(NDIS_OID oid);
bool fits(const OidInfo& info, UINT bytes) noexcept;
/// "4", "4 or 8", "a multiple of 6", "at least 16".
std::string expected_length(const OidInfo& info);

/// The statuses with which a request of this OID may end; nullptr: any (devtest/ndis-ndisoidcomplete).
const char* statuses_allowed(NDIS_OID oid) noexcept;
bool may_end_with(NDIS_OID oid, NDIS_STATUS status) noexcept;

}  // namespace undis
