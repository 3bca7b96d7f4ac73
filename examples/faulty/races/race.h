// SPDX-License-Identifier: MIT
//
// What the drivers of this folder share: memory, timers and work items of a protocol, and the slot of a
// binding.
#pragma once

#include "common/proto6.h"

#define RACE_TAG 'ecaR'
#define RACE_FILTER (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST)

#define RACE_SLOT(Binding) ((ptrdiff_t)((Binding)-Proto6Bindings))

static inline PVOID RaceAllocate(ULONG Size) {
  PVOID memory = NdisAllocateMemoryWithTagPriority(Proto6Handle, Size, RACE_TAG, NormalPoolPriority);

  if (memory != NULL) NdisZeroMemory(memory, Size);
  return memory;
}

// A timer object, or NULL.
static inline NDIS_HANDLE RaceTimer(PNDIS_TIMER_FUNCTION Function, PVOID Context) {
  NDIS_TIMER_CHARACTERISTICS timer;
  NDIS_HANDLE handle;

  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = RACE_TAG;
  timer.TimerFunction = Function;
  timer.FunctionContext = Context;
  return NdisAllocateTimerObject(Proto6Handle, &timer, &handle) == NDIS_STATUS_SUCCESS ? handle : NULL;
}

static inline BOOLEAN RaceSetTimer(NDIS_HANDLE Timer, ULONG Milliseconds) {
  LARGE_INTEGER due;

  due.QuadPart = -10000LL * (LONGLONG)Milliseconds;
  return NdisSetTimerObject(Timer, due, 0, NULL);
}

static inline BOOLEAN RaceSetPeriodicTimer(NDIS_HANDLE Timer, ULONG Milliseconds) {
  LARGE_INTEGER due;

  due.QuadPart = -10000LL * (LONGLONG)Milliseconds;
  return NdisSetTimerObject(Timer, due, (LONG)Milliseconds, NULL);
}

// ---- work items, freed when their routine has returned ----

typedef struct _RACE_WORK {
  WORK_QUEUE_ITEM Item;
  VOID (*Routine)(PVOID Context);
  PVOID Context;
} RACE_WORK, *PRACE_WORK;

static inline VOID RaceWork(PVOID Context) {
  PRACE_WORK work = Context;

  work->Routine(work->Context);
  NdisFreeMemory(work, 0, 0);
}

static inline BOOLEAN RaceQueue(VOID (*Routine)(PVOID Context), PVOID Context) {
  PRACE_WORK work = RaceAllocate(sizeof(*work));

  if (work == NULL) return FALSE;
  work->Routine = Routine;
  work->Context = Context;
  ExInitializeWorkItem(&work->Item, RaceWork, work);
  ExQueueWorkItem(&work->Item, DelayedWorkQueue);
  return TRUE;
}

// ---- frames that the driver sends itself ----

#define RACE_FRAME 60

typedef struct _RACE_FRAME_DATA {
  PMDL Mdl;
  UCHAR Data[RACE_FRAME];
} RACE_FRAME_DATA, *PRACE_FRAME_DATA;

static inline NDIS_HANDLE RacePool(VOID) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = RACE_TAG;
  return NdisAllocateNetBufferListPool(Proto6Handle, &parameters);
}

static inline VOID RaceFreeFrame(PNET_BUFFER_LIST List) {
  PRACE_FRAME_DATA frame = NET_BUFFER_LIST_PROTOCOL_RESERVED(List)[0];

  NdisFreeNetBufferList(List);
  NdisFreeMdl(frame->Mdl);
  NdisFreeMemory(frame, 0, 0);
}

// A broadcast of a local experiment, or NULL.
static inline PNET_BUFFER_LIST RaceMakeFrame(NDIS_HANDLE Pool, NDIS_HANDLE Source) {
  PRACE_FRAME_DATA frame = RaceAllocate(sizeof(*frame));
  PNET_BUFFER_LIST list = NULL;

  if (frame == NULL) return NULL;
  NdisFillMemory(frame->Data, ETH_LENGTH_OF_ADDRESS, 0xFF);
  frame->Data[6] = 0x02;
  frame->Data[12] = 0x88;
  frame->Data[13] = 0xB6;
  frame->Mdl = NdisAllocateMdl(Proto6Handle, frame->Data, RACE_FRAME);
  if (frame->Mdl != NULL) list = NdisAllocateNetBufferAndNetBufferList(Pool, 0, 0, frame->Mdl, 0, RACE_FRAME);
  if (list == NULL) {
    if (frame->Mdl != NULL) NdisFreeMdl(frame->Mdl);
    NdisFreeMemory(frame, 0, 0);
    return NULL;
  }
  list->SourceHandle = Source;
  NET_BUFFER_LIST_PROTOCOL_RESERVED(list)[0] = frame;
  return list;
}
