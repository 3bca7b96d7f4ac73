// SPDX-License-Identifier: MIT
//
// Registers of the simulated card (docs/guide/hardware.md), for the smallest miniport: mapped when it is
// initialised, unmapped when it is halted.
#pragma once

#include "mini6.h"

#define HW6_CONTROL 0x004
#define HW6_TX_LOW 0x400
#define HW6_TX_HIGH 0x404
#define HW6_TX_SIZE 0x408
#define HW6_TX_TAIL 0x40C
#define HW6_RESET 1
#define HW6_TRANSMIT 4

static PUCHAR Hw6Registers[MINI6_ADAPTERS];
static ULONG Hw6Length;

static ULONG Hw6Index(PMINI6_ADAPTER Adapter) {
  return (ULONG)(Adapter - Mini6Adapters);
}

static VOID Hw6Write(PMINI6_ADAPTER Adapter, ULONG Offset, ULONG Value) {
  NdisWriteRegisterUlong((PULONG)(Hw6Registers[Hw6Index(Adapter)] + Offset), Value);
}

static NDIS_STATUS Hw6Map(PMINI6_ADAPTER Adapter) {
  PNDIS_RESOURCE_LIST list = Adapter->Resources;
  PVOID registers = NULL;
  ULONG i;

  for (i = 0; list != NULL && i < list->Count; i++) {
    PCM_PARTIAL_RESOURCE_DESCRIPTOR d = &list->PartialDescriptors[i];
    NDIS_STATUS status;
    if (d->Type != CmResourceTypeMemory) continue;
    Hw6Length = d->u.Memory.Length;
    status = NdisMMapIoSpace(&registers, Adapter->Handle, d->u.Memory.Start, Hw6Length);
    Hw6Registers[Hw6Index(Adapter)] = registers;
    return status;
  }
  return NDIS_STATUS_RESOURCE_CONFLICT;
}

static VOID Hw6Unmap(PMINI6_ADAPTER Adapter) {
  Hw6Write(Adapter, HW6_CONTROL, HW6_RESET);
  NdisMUnmapIoSpace(Adapter->Handle, Hw6Registers[Hw6Index(Adapter)], Hw6Length);
}
