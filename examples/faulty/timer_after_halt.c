// SPDX-License-Identifier: MIT
//
// Rule    HaltNoOutstanding: when MiniportHalt returns no timer of the adapter is set.
// Page    ndis/nc-ndis-miniport_halt
// Broken  a periodic timer watches the link, and the halt forgets it.
// See     undis verify timer_after_halt.so
#include "common/mini5.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_MINIPORT_TIMER Timers[MINI5_ADAPTERS];
static LONG Ticks;

static VOID NTAPI Watch(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                        PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
  InterlockedIncrement(&Ticks);
}

static NDIS_STATUS Initialize(PMINI5_ADAPTER Adapter) {
  PNDIS_MINIPORT_TIMER timer = &Timers[Adapter - Mini5Adapters];

  NdisMInitializeTimer(timer, Adapter->Handle, Watch, Adapter);
  NdisMSetPeriodicTimer(timer, 10);  // wrong: nothing cancels it
  return NDIS_STATUS_SUCCESS;
}

static const MINI5_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini5DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}
