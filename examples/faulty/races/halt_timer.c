// SPDX-License-Identifier: MIT
//
// Rule    DriverCrash
// Page    ndis/nc-ndis-miniport_halt
// Race    the halt cancels the timer and does not wait for its function, which may be about to indicate a
//         status on an adapter that is no more.
// See     undis verify halt_timer.so
#include "common/mini6.h"

#define TIMER_TAG 'tlaH'

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_HANDLE Timers[MINI6_ADAPTERS];

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  PMINI6_ADAPTER adapter = FunctionContext;
  NDIS_STATUS_INDICATION indication;

  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  NdisZeroMemory(&indication, sizeof(indication));
  indication.Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
  indication.Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
  indication.Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
  indication.SourceHandle = adapter->Handle;
  indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  NdisMIndicateStatusEx(adapter->Handle, &indication);
}

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_TIMER_CHARACTERISTICS timer;

  NdisZeroMemory(&timer, sizeof(timer));
  timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  timer.AllocationTag = TIMER_TAG;
  timer.TimerFunction = Tick;
  timer.FunctionContext = Adapter;
  return NdisAllocateTimerObject(Adapter->Handle, &timer, &Timers[Adapter - Mini6Adapters]);
}

static VOID Pause(PMINI6_ADAPTER Adapter) {
  LARGE_INTEGER due;

  due.QuadPart = -100000;  // 10 ms: for how long the link stays up
  NdisSetTimerObject(Timers[Adapter - Mini6Adapters], due, 0, NULL);
}

static VOID Halt(PMINI6_ADAPTER Adapter) {
  NdisCancelTimerObject(Timers[Adapter - Mini6Adapters]);  // wrong: FALSE may mean that Tick is running
  NdisFreeTimerObject(Timers[Adapter - Mini6Adapters]);
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize, .Halt = Halt, .Pause = Pause};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
