// SPDX-License-Identifier: MIT
//
// Rule    PauseAllBack: a pause is complete when every send is completed.
// Page    ndis/nc-ndis-miniport_pause
// Broken  sends are completed a millisecond later, by a timer; MiniportPause does not wait for it. Seen where
//         a pause comes in that millisecond: lifecycle.pause, lifecycle.remove.
// See     undis verify kept_send.so
#include "common/mini6.h"

#define KEPT_TAG 'tpeK'

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

typedef struct _KEPT {
  PMINI6_ADAPTER Adapter;
  NDIS_HANDLE Timer;
  NDIS_SPIN_LOCK Lock;
  PNET_BUFFER_LIST First;
} KEPT, *PKEPT;

static VOID Complete(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                     PVOID SystemSpecific3) {
  PKEPT kept = FunctionContext;
  PNET_BUFFER_LIST lists;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisDprAcquireSpinLock(&kept->Lock);
  lists = kept->First;
  kept->First = NULL;
  NdisDprReleaseSpinLock(&kept->Lock);
  if (lists != NULL)
    Oid6CompleteSends(kept->Adapter->Handle, lists, NDIS_STATUS_SUCCESS, NDIS_SEND_FLAGS_DISPATCH_LEVEL);
}

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_TIMER_CHARACTERISTICS timer;
  NDIS_STATUS status;
  PKEPT kept;

  kept = NdisAllocateMemoryWithTagPriority(Adapter->Handle, sizeof(*kept), KEPT_TAG, NormalPoolPriority);
  if (kept == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(kept, sizeof(*kept));
  kept->Adapter = Adapter;
  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = KEPT_TAG;
  timer.TimerFunction = Complete;
  timer.FunctionContext = kept;
  status = NdisAllocateTimerObject(Adapter->Handle, &timer, &kept->Timer);
  if (status != NDIS_STATUS_SUCCESS) {
    NdisFreeMemory(kept, 0, 0);
    return status;
  }
  NdisAllocateSpinLock(&kept->Lock);
  Adapter->Extra = kept;
  return NDIS_STATUS_SUCCESS;
}

static VOID Halt(PMINI6_ADAPTER Adapter) {
  PKEPT kept = Adapter->Extra;

  NdisCancelTimerObject(kept->Timer);
  KeFlushQueuedDpcs();
  NdisFreeTimerObject(kept->Timer);
  NdisFreeSpinLock(&kept->Lock);
  NdisFreeMemory(kept, 0, 0);
}

// wrong: the MiniportPause that goes with this (common/mini6.h) is right only for sends that are completed
// inside the call
static VOID Send(PMINI6_ADAPTER Adapter, PNET_BUFFER_LIST Lists, ULONG SendFlags) {
  PKEPT kept = Adapter->Extra;
  PNET_BUFFER_LIST last = Lists;
  LARGE_INTEGER due;

  UNREFERENCED_PARAMETER(SendFlags);
  while (NET_BUFFER_LIST_NEXT_NBL(last) != NULL) last = NET_BUFFER_LIST_NEXT_NBL(last);
  due.QuadPart = -10000;
  NdisAcquireSpinLock(&kept->Lock);
  NET_BUFFER_LIST_NEXT_NBL(last) = kept->First;
  kept->First = Lists;
  NdisSetTimerObject(kept->Timer, due, 0, NULL);
  NdisReleaseSpinLock(&kept->Lock);
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize, .Halt = Halt, .Send = Send};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
