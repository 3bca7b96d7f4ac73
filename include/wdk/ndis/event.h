// SPDX-License-Identifier: MIT
// NDIS_EVENT, sleeping and stalling.
//
// Page  ndis/nf-ndis-ndisinitializeevent
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

typedef struct _NDIS_EVENT {
  KEVENT Event;
} NDIS_EVENT, *PNDIS_EVENT;

NDISAPI VOID NdisInitializeEvent(_Out_ PNDIS_EVENT Event);
NDISAPI VOID NdisSetEvent(_In_ PNDIS_EVENT Event);
NDISAPI VOID NdisResetEvent(_In_ PNDIS_EVENT Event);
NDISAPI BOOLEAN NdisWaitEvent(_In_ PNDIS_EVENT Event, _In_ UINT MsToWait);
NDISAPI VOID NdisMSleep(_In_ ULONG MicrosecondsToSleep);

#define NdisStallExecution(MicroSecondsToStall) KeStallExecutionProcessor(MicroSecondsToStall)

UNDIS_EXTERN_C_END
