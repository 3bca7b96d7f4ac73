// SPDX-License-Identifier: MIT
//
// NDIS 5.x timers (NDIS_TIMER for protocols, NDIS_MINIPORT_TIMER for miniports) and work items.
//
// Page    ndis/nf-ndis-ndisscheduleworkitem
#pragma once
#pragma GCC system_header

#include "legacy_types.h"

UNDIS_EXTERN_C_START

typedef VOID(NTAPI NDIS_TIMER_FUNCTION)(_In_ PVOID SystemSpecific1, _In_ PVOID FunctionContext,
                                        _In_ PVOID SystemSpecific2, _In_ PVOID SystemSpecific3);
typedef NDIS_TIMER_FUNCTION* PNDIS_TIMER_FUNCTION;

typedef struct _NDIS_TIMER {
  KTIMER Timer;
  KDPC Dpc;
} NDIS_TIMER, *PNDIS_TIMER;

typedef struct _NDIS_MINIPORT_TIMER {
  KTIMER Timer;
  KDPC Dpc;
  PNDIS_TIMER_FUNCTION MiniportTimerFunction;
  PVOID MiniportTimerContext;
  PNDIS_MINIPORT_BLOCK Miniport;
  struct _NDIS_MINIPORT_TIMER* NextTimer;
} NDIS_MINIPORT_TIMER, *PNDIS_MINIPORT_TIMER;

NDISAPI VOID NTAPI NdisInitializeTimer(_Inout_ PNDIS_TIMER Timer, _In_ PNDIS_TIMER_FUNCTION TimerFunction,
                                       _In_opt_ PVOID FunctionContext);

NDISAPI VOID NTAPI NdisSetTimer(_In_ PNDIS_TIMER Timer, _In_ UINT MillisecondsToDelay);

NDISAPI VOID NTAPI NdisSetTimerEx(_In_ PNDIS_TIMER NdisTimer, _In_ UINT MillisecondsToDelay,
                                  _In_ PVOID FunctionContext);

NDISAPI VOID NTAPI NdisCancelTimer(_In_ PNDIS_TIMER Timer, _Out_ PBOOLEAN TimerCancelled);

NDISAPI VOID NTAPI NdisMInitializeTimer(_Inout_ PNDIS_MINIPORT_TIMER Timer,
                                        _In_ NDIS_HANDLE MiniportAdapterHandle,
                                        _In_ PNDIS_TIMER_FUNCTION TimerFunction,
                                        _In_opt_ PVOID FunctionContext);

NDISAPI VOID NTAPI NdisMSetTimer(_In_ PNDIS_MINIPORT_TIMER Timer, _In_ UINT MillisecondsToDelay);

NDISAPI VOID NTAPI NdisMSetPeriodicTimer(_In_ PNDIS_MINIPORT_TIMER Timer, _In_ UINT MillisecondsPeriod);

NDISAPI VOID NTAPI NdisMCancelTimer(_In_ PNDIS_MINIPORT_TIMER Timer, _Out_ PBOOLEAN TimerCancelled);

struct _NDIS_WORK_ITEM;

typedef VOID(NTAPI* NDIS_PROC)(struct _NDIS_WORK_ITEM* WorkItem, PVOID Context);

typedef struct _NDIS_WORK_ITEM {
  PVOID Context;
  NDIS_PROC Routine;
  UCHAR WrapperReserved[8 * sizeof(PVOID)];
} NDIS_WORK_ITEM, *PNDIS_WORK_ITEM;

NDISAPI VOID NTAPI NdisInitializeWorkItem(_Inout_ PNDIS_WORK_ITEM WorkItem, _In_ NDIS_PROC Routine,
                                          _In_opt_ PVOID Context);

NDISAPI NDIS_STATUS NTAPI NdisScheduleWorkItem(_In_ PNDIS_WORK_ITEM WorkItem);

UNDIS_EXTERN_C_END
