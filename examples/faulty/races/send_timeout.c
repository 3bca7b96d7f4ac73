// SPDX-License-Identifier: MIT
//
// Rule    NblDoubleComplete
// Page    ndis/nf-ndis-ndismsendnetbufferlistscomplete
// Race    a send is completed by a work item, or by a timer if that takes too long. Both look whether the
//         other has done so before either has taken it.
// See     undis verify send_timeout.so
#include "common/mini6.h"

#define SEND_TAG 'dneS'

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

typedef struct _CARD {
  NDIS_HANDLE Timer;
  NDIS_HANDLE Item;
  PNET_BUFFER_LIST Sending;
  LONG Busy;  // one list, and the work item that is to complete it
} CARD, *PCARD;

static CARD Cards[MINI6_ADAPTERS];

static VOID Complete(PMINI6_ADAPTER Adapter, PCARD Card, ULONG Flags) {
  PNET_BUFFER_LIST list = Card->Sending;

  if (list == NULL) return;
  NdisMSendNetBufferListsComplete(Adapter->Handle, list, Flags);
  Card->Sending = NULL;  // wrong: until here the other completes it too
}

static VOID Timeout(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                    PVOID SystemSpecific3) {
  PMINI6_ADAPTER adapter = FunctionContext;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  Complete(adapter, &Cards[adapter - Mini6Adapters], NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
}

static VOID Work(PVOID WorkItemContext, NDIS_HANDLE NdisIoWorkItemHandle) {
  PMINI6_ADAPTER adapter = WorkItemContext;
  PCARD card = &Cards[adapter - Mini6Adapters];

  UNREFERENCED_PARAMETER(NdisIoWorkItemHandle);
  NdisCancelTimerObject(card->Timer);
  Complete(adapter, card, 0);
  InterlockedExchange(&card->Busy, FALSE);
}

static VOID Send(PMINI6_ADAPTER Adapter, PNET_BUFFER_LIST Lists, ULONG SendFlags) {
  PCARD card = &Cards[Adapter - Mini6Adapters];
  PNET_BUFFER_LIST rest = NET_BUFFER_LIST_NEXT_NBL(Lists);
  LARGE_INTEGER due;

  if (InterlockedExchange(&card->Busy, TRUE)) {
    Oid6CompleteSends(Adapter->Handle, Lists, NDIS_STATUS_SUCCESS, SendFlags);
    return;
  }
  NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
  NET_BUFFER_LIST_STATUS(Lists) = NDIS_STATUS_SUCCESS;
  card->Sending = Lists;
  due.QuadPart = -100000;
  NdisSetTimerObject(card->Timer, due, 0, NULL);
  NdisQueueIoWorkItem(card->Item, Work, Adapter);
  if (rest != NULL) Oid6CompleteSends(Adapter->Handle, rest, NDIS_STATUS_SUCCESS, SendFlags);
}

static VOID Pause(PMINI6_ADAPTER Adapter) {
  PCARD card = &Cards[Adapter - Mini6Adapters];

  while (InterlockedCompareExchange(&card->Busy, 0, 0)) NdisMSleep(1000);
  NdisCancelTimerObject(card->Timer);
  KeFlushQueuedDpcs();
}

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  PCARD card = &Cards[Adapter - Mini6Adapters];
  NDIS_TIMER_CHARACTERISTICS timer;
  NDIS_STATUS status;

  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = SEND_TAG;
  timer.TimerFunction = Timeout;
  timer.FunctionContext = Adapter;
  status = NdisAllocateTimerObject(Adapter->Handle, &timer, &card->Timer);
  if (status != NDIS_STATUS_SUCCESS) return status;
  card->Item = NdisAllocateIoWorkItem(Adapter->Handle);
  if (card->Item != NULL) return NDIS_STATUS_SUCCESS;
  NdisFreeTimerObject(card->Timer);
  return NDIS_STATUS_RESOURCES;
}

static VOID Halt(PMINI6_ADAPTER Adapter) {
  PCARD card = &Cards[Adapter - Mini6Adapters];

  NdisFreeIoWorkItem(card->Item);
  NdisFreeTimerObject(card->Timer);
}

static const MINI6_HOOKS Hooks = {
    .Unload = Unload, .Initialize = Initialize, .Halt = Halt, .Send = Send, .Pause = Pause};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
