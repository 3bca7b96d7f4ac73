// SPDX-License-Identifier: MIT
//
// Rule    WorkItemAtUnload
// Page    wdm/nc-wdm-io_workitem_routine
// Race    the work item says that it is done before it is: Unload, which waits for that word, goes on while
//         the routine still runs.
// See     undis verify unload_work_item.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static LONG Pending;

static VOID Work(PVOID Context) {
  PVOID memory;

  UNREFERENCED_PARAMETER(Context);
  InterlockedExchange(&Pending, FALSE);  // wrong: from here Unload need not wait
  memory = RaceAllocate(64);
  if (memory != NULL) NdisFreeMemory(memory, 0, 0);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  UNREFERENCED_PARAMETER(Binding);
  if (!InterlockedExchange(&Pending, TRUE) && !RaceQueue(Work, NULL)) InterlockedExchange(&Pending, FALSE);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  while (InterlockedCompareExchange(&Pending, FALSE, FALSE)) NdisMSleep(1000);
}
