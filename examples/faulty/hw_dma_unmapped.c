// SPDX-License-Identifier: MIT
//
// Rule    DmaVerification: a device reaches only memory that is mapped for it.
// Page    kernel/map-registers
// Broken  the ring that the card reads is ordinary pool: it works on a machine whose bus has no IOMMU, and
// has 32-bit addresses by luck. See     undis verify hw_dma_unmapped.so --inf common/card.inf
#include "common/hw6.h"

DRIVER_INITIALIZE DriverEntry;
static MINIPORT_UNLOAD Unload;

#define RING_TAG 'gniR'

static PVOID Rings[MINI6_ADAPTERS];

static NDIS_STATUS Initialize(PMINI6_ADAPTER Adapter) {
  NDIS_STATUS status = Hw6Map(Adapter);
  PHYSICAL_ADDRESS physical;
  PVOID ring;

  if (status != NDIS_STATUS_SUCCESS) return status;
  ring = NdisAllocateMemoryWithTagPriority(Adapter->Handle, 64, RING_TAG, NormalPoolPriority);
  if (ring == NULL) {
    Hw6Unmap(Adapter);
    return NDIS_STATUS_RESOURCES;
  }
  NdisZeroMemory(ring, 64);
  Rings[Hw6Index(Adapter)] = ring;
  physical = MmGetPhysicalAddress(ring);  // wrong: NdisMAllocateSharedMemory is how a card gets memory
  Hw6Write(Adapter, HW6_TX_LOW, physical.LowPart);
  Hw6Write(Adapter, HW6_TX_HIGH, (ULONG)physical.HighPart);
  Hw6Write(Adapter, HW6_TX_SIZE, 4);
  Hw6Write(Adapter, HW6_CONTROL, HW6_TRANSMIT);
  Hw6Write(Adapter, HW6_TX_TAIL, 1);
  return NDIS_STATUS_SUCCESS;
}

static VOID Halt(PMINI6_ADAPTER Adapter) {
  Hw6Unmap(Adapter);
  NdisFreeMemory(Rings[Hw6Index(Adapter)], 0, 0);
}

static const MINI6_HOOKS Hooks = {.Unload = Unload, .Initialize = Initialize, .Halt = Halt};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  return Mini6DriverEntry(DriverObject, RegistryPath, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisMDeregisterMiniportDriver(Mini6Driver);
}
