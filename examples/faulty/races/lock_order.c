// SPDX-License-Identifier: MIT
//
// Rule    LockOrder
// Page    wdm/nf-wdm-keacquirespinlock
// Race    a receive takes lock A then B, a timer B then A: each may hold what the other waits for.
// See     undis verify lock_order.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_SPIN_LOCK A, B;
static NDIS_HANDLE Timer;
static ULONG Count;

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisAcquireSpinLock(&B);
  NdisAcquireSpinLock(&A);  // wrong: Receive does it the other way round
  Count = 0;
  NdisReleaseSpinLock(&A);
  NdisReleaseSpinLock(&B);
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  UNREFERENCED_PARAMETER(Binding);
  if (Event == NetEventRestart && Timer == NULL) Timer = RaceTimer(Tick, NULL);
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  UNREFERENCED_PARAMETER(Binding);
  NdisAcquireSpinLock(&A);
  NdisAcquireSpinLock(&B);
  Count++;
  NdisReleaseSpinLock(&B);
  NdisReleaseSpinLock(&A);
  if (Timer != NULL) RaceSetTimer(Timer, 1);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {
    .Unload = Unload, .Event = Event, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  NdisAllocateSpinLock(&A);
  NdisAllocateSpinLock(&B);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  if (Timer == NULL) return;
  NdisCancelTimerObject(Timer);
  KeFlushQueuedDpcs();
  NdisFreeTimerObject(Timer);
}
