// SPDX-License-Identifier: MIT
//
// Rule    DpcAtUnload
// Page    wdm/nf-wdm-keinsertqueuedpc
// Race    a timer's function queues a DPC unless the driver is stopping. It has looked when Unload says so,
//         and queues it when Unload has flushed the queue.
// See     undis verify unload_dpc.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static KDPC Dpc;
static KDPC TimerDpc;
static KTIMER Timer;
static LONG Stopping;

static VOID Later(struct _KDPC* Object, PVOID Context, PVOID Argument1, PVOID Argument2) {
  UNREFERENCED_PARAMETER(Object);
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  LARGE_INTEGER due;

  UNREFERENCED_PARAMETER(Binding);
  due.QuadPart = -50000;
  if (!InterlockedCompareExchange(&Stopping, FALSE, FALSE)) KeSetTimer(&Timer, due, &TimerDpc);
  return Lists;
}

static VOID Tick(struct _KDPC* Object, PVOID Context, PVOID Argument1, PVOID Argument2) {
  UNREFERENCED_PARAMETER(Object);
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  if (!InterlockedCompareExchange(&Stopping, FALSE, FALSE)) KeInsertQueueDpc(&Dpc, NULL, NULL);
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  KeInitializeTimer(&Timer);
  KeInitializeDpc(&TimerDpc, Tick, NULL);
  KeInitializeDpc(&Dpc, Later, NULL);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  InterlockedExchange(&Stopping, TRUE);
  KeCancelTimer(&Timer);  // wrong: Tick may be about to queue the other; KeFlushQueuedDpcs would wait
}
