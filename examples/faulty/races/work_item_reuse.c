// SPDX-License-Identifier: MIT
//
// Rule    BadParameter
// Page    wdm/nf-wdm-ioqueueworkitem
// Race    one work item serves all receives. Two may both see that it is not queued, and queue it twice.
// See     undis verify work_item_reuse.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static WORK_QUEUE_ITEM Item;
static LONG Queued;

static VOID Work(PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  InterlockedExchange(&Queued, FALSE);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  UNREFERENCED_PARAMETER(Binding);
  if (InterlockedCompareExchange(&Queued, FALSE, FALSE)) return Lists;
  ExQueueWorkItem(&Item, DelayedWorkQueue);  // wrong: looked and said in two steps
  InterlockedExchange(&Queued, TRUE);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  ExInitializeWorkItem(&Item, Work, NULL);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  NdisMSleep(100000);  // the work item is through by then
}
