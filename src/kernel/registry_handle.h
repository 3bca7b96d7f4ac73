// SPDX-License-Identifier: MIT
//
// Handles to registry keys: what NdisOpenConfiguration and the Rtl registry routines share with the Zw entry
// points.
#pragma once

#include <wdm.h>

#include "kernel/registry.h"

namespace undis::kernel {

/// A handle for ZwQueryValueKey and its like; the current driver is its opener.
HANDLE open_registry_handle(Registry::Key key);
/// STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_KEY_DELETED: no key.
NTSTATUS registry_key_of(HANDLE handle, Registry::Key& key);

}  // namespace undis::kernel
