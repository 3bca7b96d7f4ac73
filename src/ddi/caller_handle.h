// SPDX-License-Identifier: MIT
//
// The NdisHandle by which a driver says who it is when it asks for memory, a lock, a timer: of a driver, an
// adapter, a binding, or a generic object.
#pragma once

#include "ddi/ddi_call.h"

namespace undis {

/// Tells a HandleMisuse, and answers false, unless `handle` is one that a caller may give. Nothing is refused
/// because of it.
bool check_caller_handle(const DdiCall& call, const char* argument, NDIS_HANDLE handle);

/// How a generic object comes and goes, and whether this is one that is there.
NDIS_GENERIC_OBJECT* allocate_generic_object(kernel::Driver& owner, DRIVER_OBJECT* object, ULONG tag,
                                             USHORT size) noexcept;
bool free_generic_object(NDIS_GENERIC_OBJECT* object, const char* function, kernel::Driver& by) noexcept;
bool is_generic_object(const void* handle) noexcept;

}  // namespace undis
