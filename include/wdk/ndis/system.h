// SPDX-License-Identifier: MIT
// NDIS itself and the clock: version, optional functions, times.
//
// Pages  ndis/nf-ndis-ndisgetversion, ndis/nf-ndis-ndisgetroutineaddress, ndis/nf-ndis-ndisgetsystemuptimeex
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

NDISAPI UINT NdisGetVersion(VOID);
NDISAPI CCHAR NdisSystemProcessorCount(VOID);
NDISAPI PVOID NdisGetRoutineAddress(_In_ PNDIS_STRING NdisRoutineName);

NDISAPI VOID NdisGetCurrentSystemTime(_Out_ PLARGE_INTEGER pSystemTime);
NDISAPI VOID NdisGetSystemUpTime(_Out_ PULONG pSystemUpTime);
#if NDIS_SUPPORT_NDIS6
NDISAPI VOID NdisGetSystemUpTimeEx(_Out_ PLARGE_INTEGER pSystemUpTime);
#endif

UNDIS_EXTERN_C_END
