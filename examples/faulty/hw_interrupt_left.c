// SPDX-License-Identifier: MIT
//
// Rule    Init_DeRegisterInterrupt: an interrupt is deregistered in the halt.
// Page    ndis/nf-ndis-ndismderegisterinterruptex
// Broken  MiniportHaltEx leaves the interrupt connected.
// See     undis verify hw_interrupt_left.so --inf common/card.inf
#include "common/hw6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

static NDIS_HANDLE Interrupts[MINI6_ADAPTERS];

static BOOLEAN Service(NDIS_HANDLE MiniportInterruptContext, PBOOLEAN QueueDefaultInterruptDpc,
                       PULONG TargetProcessors) {
  UNREFERENCED_PARAMETER(MiniportInterruptContext);
  *QueueDefaultInterruptDpc = FALSE;
  *TargetProcessors = 0;
  return FALSE;
}

static VOID Dpc(NDIS_HANDLE MiniportInterruptContext, PVOID MiniportDpcContext,
                PVOID ReceiveThrottleParameters, PVOID NdisReserved2) {
  UNREFERENCED_PARAMETER(MiniportInterruptContext);
  UNREFERENCED_PARAMETER(MiniportDpcContext);
  UNREFERENCED_PARAMETER(ReceiveThrottleParameters);
  UNREFERENCED_PARAMETER(NdisReserved2);
}

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS c;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT;
  c.Header.Revision = NDIS_MINIPORT_INTERRUPT_REVISION_1;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1;
  c.InterruptHandler = Service;
  c.InterruptDpcHandler = Dpc;
  return NdisMRegisterInterruptEx(Adapter->Handle, Adapter, &c, &Interrupts[Hw6Index(Adapter)]);
}

static VOID Halt(PMINI6_ADAPTER Adapter) {
  UNREFERENCED_PARAMETER(Adapter);
  // wrong: NdisMDeregisterInterruptEx(Interrupts[Hw6Index(Adapter)]) is missing
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize, .Halt = Halt};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
