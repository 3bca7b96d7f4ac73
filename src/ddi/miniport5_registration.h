// SPDX-License-Identifier: MIT
//
// What NdisMRegisterMiniport and NdisIMRegisterLayeredMiniport have in common.
#pragma once

#include <cstring>

#include "ddi/ddi_call.h"

namespace undis {

/// Checks and copies the characteristics and lists the registration: SUCCESS, BAD_VERSION,
/// BAD_CHARACTERISTICS, RESOURCES or FAILURE (no wrapper handle). `handle_out` may be nullptr.
NDIS_STATUS register_miniport5(const DdiCall& call, NDIS_HANDLE wrapper_handle,
                               const NDIS_MINIPORT_CHARACTERISTICS* given, UINT length, bool layered,
                               NDIS_HANDLE* handle_out);

}  // namespace undis
