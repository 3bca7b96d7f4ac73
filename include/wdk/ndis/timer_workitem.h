// SPDX-License-Identifier: MIT
// Timer objects and I/O work items of NDIS 6. The 5.x ones are in timer5.h.
//
// Pages  ndis/nf-ndis-ndisallocatetimerobject, ndis/nf-ndis-ndisallocateioworkitem
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

typedef VOID(NDIS_TIMER_FUNCTION)(_In_ PVOID SystemSpecific1, _In_ PVOID FunctionContext,
                                  _In_ PVOID SystemSpecific2, _In_ PVOID SystemSpecific3);
typedef NDIS_TIMER_FUNCTION* PNDIS_TIMER_FUNCTION;

#if NDIS_SUPPORT_NDIS6

typedef struct _NDIS_TIMER_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG AllocationTag;
  PNDIS_TIMER_FUNCTION TimerFunction;
  PVOID FunctionContext;
} NDIS_TIMER_CHARACTERISTICS, *PNDIS_TIMER_CHARACTERISTICS;

#define NDIS_TIMER_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_TIMER_CHARACTERISTICS, FunctionContext)

NDISAPI NDIS_STATUS NdisAllocateTimerObject(_In_ NDIS_HANDLE NdisHandle,
                                            _In_ PNDIS_TIMER_CHARACTERISTICS TimerCharacteristics,
                                            _Out_ PNDIS_HANDLE pTimerObject);
NDISAPI VOID NdisFreeTimerObject(_In_ NDIS_HANDLE TimerObject);
NDISAPI BOOLEAN NdisSetTimerObject(_In_ NDIS_HANDLE TimerObject, _In_ LARGE_INTEGER DueTime,
                                   _In_opt_ LONG MillisecondsPeriod, _In_opt_ PVOID FunctionContext);
#if NDIS_SUPPORT_NDIS620
NDISAPI BOOLEAN NdisSetCoalescableTimerObject(_In_ NDIS_HANDLE TimerObject, _In_ LARGE_INTEGER DueTime,
                                              _In_opt_ LONG MillisecondsPeriod,
                                              _In_opt_ PVOID FunctionContext, _In_opt_ ULONG Tolerance);
#endif
NDISAPI BOOLEAN NdisCancelTimerObject(_In_ NDIS_HANDLE TimerObject);

typedef VOID(NDIS_IO_WORKITEM)(_In_opt_ PVOID WorkItemContext, _In_ NDIS_HANDLE NdisIoWorkItemHandle);
typedef NDIS_IO_WORKITEM(*NDIS_IO_WORKITEM_ROUTINE);
typedef NDIS_IO_WORKITEM NDIS_IO_WORKITEM_FUNCTION;

NDISAPI NDIS_HANDLE NdisAllocateIoWorkItem(_In_ NDIS_HANDLE NdisObjectHandle);
NDISAPI VOID NdisQueueIoWorkItem(_In_ NDIS_HANDLE NdisIoWorkItemHandle, _In_ NDIS_IO_WORKITEM_ROUTINE Routine,
                                 _In_opt_ PVOID WorkItemContext);
NDISAPI VOID NdisFreeIoWorkItem(_In_ NDIS_HANDLE NdisIoWorkItemHandle);

#endif

UNDIS_EXTERN_C_END
