// SPDX-License-Identifier: MIT
//
// What only NDIS 5.x miniports of real hardware call: resources, interrupts, DMA maps, PCI configuration
// space.
#pragma once
#pragma GCC system_header

#include "interrupt_dma.h"
#include "miniport5.h"

UNDIS_EXTERN_C_START

NDISAPI VOID NTAPI NdisMQueryAdapterResources(_Out_ PNDIS_STATUS Status,
                                              _In_ NDIS_HANDLE WrapperConfigurationContext,
                                              _Out_ PNDIS_RESOURCE_LIST ResourceList,
                                              _Inout_ PUINT BufferSize);

NDISAPI NDIS_STATUS NTAPI NdisMPciAssignResources(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                  _In_ ULONG SlotNumber,
                                                  _Out_ PNDIS_RESOURCE_LIST* AssignedResources);

NDISAPI ULONG NTAPI NdisReadPciSlotInformation(_In_ NDIS_HANDLE NdisAdapterHandle, _In_ ULONG SlotNumber,
                                               _In_ ULONG Offset, _In_ PVOID Buffer, _In_ ULONG Length);

NDISAPI ULONG NTAPI NdisWritePciSlotInformation(_In_ NDIS_HANDLE NdisAdapterHandle, _In_ ULONG SlotNumber,
                                                _In_ ULONG Offset, _In_ PVOID Buffer, _In_ ULONG Length);

// Interrupts.

typedef struct _NDIS_MINIPORT_INTERRUPT {
  PKINTERRUPT InterruptObject;
  KSPIN_LOCK DpcCountLock;
  PVOID Reserved;
  W_ISR_HANDLER MiniportIsr;
  W_HANDLE_INTERRUPT_HANDLER MiniportDpc;
  KDPC InterruptDpc;
  PNDIS_MINIPORT_BLOCK Miniport;
  UCHAR DpcCount;
  BOOLEAN Filler1;
  KEVENT DpcsCompletedEvent;
  BOOLEAN SharedInterrupt;
  BOOLEAN IsrRequested;
} NDIS_MINIPORT_INTERRUPT, *PNDIS_MINIPORT_INTERRUPT;

NDISAPI NDIS_STATUS NTAPI NdisMRegisterInterrupt(_Out_ PNDIS_MINIPORT_INTERRUPT Interrupt,
                                                 _In_ NDIS_HANDLE MiniportAdapterHandle,
                                                 _In_ UINT InterruptVector, _In_ UINT InterruptLevel,
                                                 _In_ BOOLEAN RequestIsr, _In_ BOOLEAN SharedInterrupt,
                                                 _In_ NDIS_INTERRUPT_MODE InterruptMode);

NDISAPI VOID NTAPI NdisMDeregisterInterrupt(_In_ PNDIS_MINIPORT_INTERRUPT Interrupt);

NDISAPI BOOLEAN NTAPI NdisMSynchronizeWithInterrupt(_In_ PNDIS_MINIPORT_INTERRUPT Interrupt,
                                                    _In_ PVOID SynchronizeFunction,
                                                    _In_ PVOID SynchronizeContext);

// DMA.

typedef struct _NDIS_PHYSICAL_ADDRESS_UNIT {
  NDIS_PHYSICAL_ADDRESS PhysicalAddress;
  UINT Length;
} NDIS_PHYSICAL_ADDRESS_UNIT, *PNDIS_PHYSICAL_ADDRESS_UNIT;

NDISAPI NDIS_STATUS NTAPI NdisMInitializeScatterGatherDma(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                          _In_ BOOLEAN Dma64BitAddresses,
                                                          _In_ ULONG MaximumPhysicalMapping);

NDISAPI NDIS_STATUS NTAPI NdisMAllocateMapRegisters(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                    _In_ UINT DmaChannel, _In_ NDIS_DMA_SIZE DmaSize,
                                                    _In_ ULONG PhysicalMapRegistersNeeded,
                                                    _In_ ULONG MaximumPhysicalMapping);

NDISAPI VOID NTAPI NdisMFreeMapRegisters(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI NDIS_STATUS NTAPI NdisQueryMapRegisterCount(_In_ NDIS_INTERFACE_TYPE BusType,
                                                    _Out_ PUINT MapRegisterCount);

NDISAPI VOID NTAPI NdisMStartBufferPhysicalMapping(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                   _In_ PNDIS_BUFFER Buffer, _In_ ULONG PhysicalMapRegister,
                                                   _In_ BOOLEAN WriteToDevice,
                                                   _Out_ PNDIS_PHYSICAL_ADDRESS_UNIT PhysicalAddressArray,
                                                   _Out_ PUINT ArraySize);

NDISAPI VOID NTAPI NdisMCompleteBufferPhysicalMapping(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                      _In_ PNDIS_BUFFER Buffer,
                                                      _In_ ULONG PhysicalMapRegister);

NDISAPI NDIS_STATUS NTAPI NdisMAllocateSharedMemoryAsync(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                         _In_ ULONG Length, _In_ BOOLEAN Cached,
                                                         _In_ PVOID Context);

UNDIS_EXTERN_C_END
