// SPDX-License-Identifier: MIT
//
// What another entry point needs of lookaside lists: without a KernelCall, so that a wrong IRQL is told once.
#pragma once

#include <wdm.h>

namespace undis::kernel {

void initialize_npaged_list(NPAGED_LOOKASIDE_LIST& list, PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free,
                            ULONG flags, SIZE_T size, ULONG tag) noexcept;

}  // namespace undis::kernel
