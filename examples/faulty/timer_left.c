// SPDX-License-Identifier: MIT
//
// Rule    CancelTimerObject: a timer is cancelled before the halt of its adapter returns.
// Page    devtest/ndis-canceltimerobject
// Broken  the halt frees nothing; the timer is cancelled and freed by the unload routine.
// See     undis verify timer_left.so
#include "common/mini6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_HANDLE Timer;
static NDIS_TIMER_FUNCTION Tick;

static VOID Tick(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2, PVOID SystemSpecific3) {
  UNREFERENCED_PARAMETER(SystemSpecific1);
  UNREFERENCED_PARAMETER(FunctionContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);
}

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_TIMER_CHARACTERISTICS c;
  LARGE_INTEGER due;
  NDIS_STATUS status;

  if (Timer != NULL) return NDIS_STATUS_SUCCESS;
  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  c.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  c.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  c.AllocationTag = 0x74666C54;
  c.TimerFunction = Tick;
  status = NdisAllocateTimerObject(Adapter->Handle, &c, &Timer);
  if (status != NDIS_STATUS_SUCCESS) return status;
  due.QuadPart = -36000000000LL;            // an hour
  NdisSetTimerObject(Timer, due, 0, NULL);  // wrong: MiniportHaltEx does not cancel it
  return NDIS_STATUS_SUCCESS;
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (Timer != NULL) {
    NdisCancelTimerObject(Timer);
    NdisFreeTimerObject(Timer);
  }
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
