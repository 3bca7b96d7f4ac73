// SPDX-License-Identifier: MIT
// Hardware of a miniport: interrupts, DMA and scatter-gather lists, shared memory, bus data, mapped memory
// and ports.
//
// Pages  ndis/nf-ndis-ndismregisterinterruptex, ndis/nf-ndis-ndismregisterscattergatherdma,
// ndis/nf-ndis-ndismgetbusdata
#pragma once
#pragma GCC system_header

#include "nbl.h"
#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

// ---- Interrupts -------------------------------------------------------------------------------------------
typedef KINTERRUPT_MODE NDIS_INTERRUPT_MODE, *PNDIS_INTERRUPT_MODE;

#define NdisInterruptLatched Latched
#define NdisInterruptLevelSensitive LevelSensitive

#if NDIS_SUPPORT_NDIS6

typedef enum _NDIS_INTERRUPT_TYPE {
  NDIS_CONNECT_LINE_BASED = 1,
  NDIS_CONNECT_MESSAGE_BASED
} NDIS_INTERRUPT_TYPE;
typedef NDIS_INTERRUPT_TYPE* PNDIS_INTERRUPT_TYPE;

typedef BOOLEAN(MINIPORT_ISR)(_In_ NDIS_HANDLE MiniportInterruptContext,
                              _Out_ PBOOLEAN QueueDefaultInterruptDpc, _Out_ PULONG TargetProcessors);
typedef MINIPORT_ISR(*MINIPORT_ISR_HANDLER);
typedef MINIPORT_ISR MINIPORT_INTERRUPT;

typedef VOID(MINIPORT_INTERRUPT_DPC)(_In_ NDIS_HANDLE MiniportInterruptContext, _In_ PVOID MiniportDpcContext,
                                     _In_ PVOID ReceiveThrottleParameters, _In_ PVOID NdisReserved2);

#if NDIS_SUPPORT_NDIS620
typedef struct _NDIS_RECEIVE_THROTTLE_PARAMETERS {
  ULONG MaxNblsToIndicate;
  ULONG MoreNblsPending : 1;
} NDIS_RECEIVE_THROTTLE_PARAMETERS, *PNDIS_RECEIVE_THROTTLE_PARAMETERS;

#define NDIS_INDICATE_ALL_NBLS (~0U)

typedef VOID(MINIPORT_MESSAGE_INTERRUPT_DPC)(_In_ NDIS_HANDLE MiniportInterruptContext, _In_ ULONG MessageId,
                                             _In_ PVOID MiniportDpcContext,
                                             _In_ PVOID ReceiveThrottleParameters, _In_ PVOID NdisReserved2);
#else
typedef VOID(MINIPORT_MESSAGE_INTERRUPT_DPC)(_In_ NDIS_HANDLE MiniportInterruptContext, _In_ ULONG MessageId,
                                             _In_ PVOID MiniportDpcContext, _In_ PULONG NdisReserved1,
                                             _In_ PULONG NdisReserved2);
#endif
typedef MINIPORT_INTERRUPT_DPC(*MINIPORT_INTERRUPT_DPC_HANDLER);
typedef MINIPORT_MESSAGE_INTERRUPT_DPC(*MINIPORT_MSI_INTERRUPT_DPC_HANDLER);
typedef MINIPORT_MESSAGE_INTERRUPT_DPC(*MINIPORT_MESSAGE_INTERRUPT_DPC_HANDLER);

typedef VOID(MINIPORT_DISABLE_INTERRUPT)(_In_ NDIS_HANDLE MiniportInterruptContext);
typedef MINIPORT_DISABLE_INTERRUPT(*MINIPORT_DISABLE_INTERRUPT_HANDLER);
typedef VOID(MINIPORT_ENABLE_INTERRUPT)(_In_ NDIS_HANDLE MiniportInterruptContext);
typedef MINIPORT_ENABLE_INTERRUPT(*MINIPORT_ENABLE_INTERRUPT_HANDLER);

typedef BOOLEAN(MINIPORT_MESSAGE_INTERRUPT)(_In_ NDIS_HANDLE MiniportInterruptContext, _In_ ULONG MessageId,
                                            _Out_ PBOOLEAN QueueDefaultInterruptDpc,
                                            _Out_ PULONG TargetProcessors);
typedef MINIPORT_MESSAGE_INTERRUPT(*MINIPORT_MSI_ISR_HANDLER);
typedef MINIPORT_MESSAGE_INTERRUPT(*MINIPORT_MESSAGE_INTERRUPT_HANDLER);

typedef VOID(MINIPORT_DISABLE_MESSAGE_INTERRUPT)(_In_ NDIS_HANDLE MiniportInterruptContext,
                                                 _In_ ULONG MessageId);
typedef MINIPORT_DISABLE_MESSAGE_INTERRUPT(*MINIPORT_DISABLE_MSI_INTERRUPT_HANDLER);
typedef MINIPORT_DISABLE_MESSAGE_INTERRUPT(*MINIPORT_DISABLE_MESSAGE_INTERRUPT_HANDLER);
typedef VOID(MINIPORT_ENABLE_MESSAGE_INTERRUPT)(_In_ NDIS_HANDLE MiniportInterruptContext,
                                                _In_ ULONG MessageId);
typedef MINIPORT_ENABLE_MESSAGE_INTERRUPT(*MINIPORT_ENABLE_MSI_INTERRUPT_HANDLER);
typedef MINIPORT_ENABLE_MESSAGE_INTERRUPT(*MINIPORT_ENABLE_MESSAGE_INTERRUPT_HANDLER);

typedef BOOLEAN(MINIPORT_SYNCHRONIZE_INTERRUPT)(_In_ NDIS_HANDLE SynchronizeContext);
typedef MINIPORT_SYNCHRONIZE_INTERRUPT(*MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER);
typedef BOOLEAN(MINIPORT_SYNCHRONIZE_MESSAGE_INTERRUPT)(_In_ NDIS_HANDLE SynchronizeContext);
typedef MINIPORT_SYNCHRONIZE_MESSAGE_INTERRUPT(*MINIPORT_SYNCHRONIZE_MSI_INTERRUPT_HANDLER);

typedef struct _NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  MINIPORT_ISR_HANDLER InterruptHandler;
  MINIPORT_INTERRUPT_DPC_HANDLER InterruptDpcHandler;
  MINIPORT_DISABLE_INTERRUPT_HANDLER DisableInterruptHandler;
  MINIPORT_ENABLE_INTERRUPT_HANDLER EnableInterruptHandler;
  BOOLEAN MsiSupported;
  BOOLEAN MsiSyncWithAllMessages;
  MINIPORT_MSI_ISR_HANDLER MessageInterruptHandler;
  MINIPORT_MSI_INTERRUPT_DPC_HANDLER MessageInterruptDpcHandler;
  MINIPORT_DISABLE_MSI_INTERRUPT_HANDLER DisableMessageInterruptHandler;
  MINIPORT_ENABLE_MSI_INTERRUPT_HANDLER EnableMessageInterruptHandler;
  NDIS_INTERRUPT_TYPE InterruptType;
  PIO_INTERRUPT_MESSAGE_INFO MessageInfoTable;
} NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, *PNDIS_MINIPORT_INTERRUPT_CHARACTERISTICS;

#define NDIS_MINIPORT_INTERRUPT_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, MessageInfoTable)

NDISAPI NDIS_STATUS
NdisMRegisterInterruptEx(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ NDIS_HANDLE MiniportInterruptContext,
                         _In_ PNDIS_MINIPORT_INTERRUPT_CHARACTERISTICS MiniportInterruptCharacteristics,
                         _Out_ PNDIS_HANDLE NdisInterruptHandle);
NDISAPI VOID NdisMDeregisterInterruptEx(_In_ NDIS_HANDLE NdisInterruptHandle);
NDISAPI BOOLEAN NdisMSynchronizeWithInterruptEx(
    _In_ NDIS_HANDLE NdisInterruptHandle, _In_ ULONG MessageId,
    _In_ MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER SynchronizeFunction, _In_ PVOID SynchronizeContext);
#if NDIS_SUPPORT_60_COMPATIBLE_API
NDISAPI ULONG NdisMQueueDpc(_In_ NDIS_HANDLE NdisInterruptHandle, _In_ ULONG MessageId,
                            _In_ ULONG TargetProcessors, _In_opt_ PVOID MiniportDpcContext);
#endif
#if NDIS_SUPPORT_NDIS620
NDISAPI KAFFINITY NdisMQueueDpcEx(_In_ NDIS_HANDLE NdisInterruptHandle, _In_ ULONG MessageId,
                                  _In_ PGROUP_AFFINITY TargetProcessors, _In_opt_ PVOID MiniportDpcContext);
#endif

#if NDIS_SUPPORT_NDIS61
typedef enum _NDIS_MSIX_TABLE_CONFIG {
  NdisMSIXTableConfigSetTableEntry,
  NdisMSIXTableConfigMaskTableEntry,
  NdisMSIXTableConfigUnmaskTableEntry,
  NdisMSIXTableConfigMax
} NDIS_MSIX_TABLE_OPERATION,
    *PNDIS_MSIX_TABLE_OPERATION;

typedef struct _NDIS_MSIX_CONFIG_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  NDIS_MSIX_TABLE_OPERATION ConfigOperation;
  ULONG TableEntry;
  ULONG MessageNumber;
} NDIS_MSIX_CONFIG_PARAMETERS, *PNDIS_MSIX_CONFIG_PARAMETERS;

#define NDIS_MSIX_CONFIG_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_MSIX_CONFIG_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_MSIX_CONFIG_PARAMETERS, MessageNumber)

NDISAPI NDIS_STATUS NdisMConfigMSIXTableEntry(_In_ NDIS_HANDLE NdisMiniportHandle,
                                              _In_ PNDIS_MSIX_CONFIG_PARAMETERS MSIXConfigParameters);
#endif

// ---- Scatter-gather DMA -----------------------------------------------------------------------------------
typedef VOID(MINIPORT_PROCESS_SG_LIST)(_In_ PDEVICE_OBJECT pDO, _In_ PVOID Reserved,
                                       _In_ PSCATTER_GATHER_LIST pSGL, _In_ PVOID Context);
typedef MINIPORT_PROCESS_SG_LIST(*MINIPORT_PROCESS_SG_LIST_HANDLER);

typedef VOID(MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                    _In_ PVOID VirtualAddress,
                                                    _In_ PNDIS_PHYSICAL_ADDRESS PhysicalAddress,
                                                    _In_ ULONG Length, _In_ PVOID Context);
typedef MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE(*MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER);

typedef struct _NDIS_SG_DMA_DESCRIPTION {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG MaximumPhysicalMapping;
  MINIPORT_PROCESS_SG_LIST_HANDLER ProcessSGListHandler;
  MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER SharedMemAllocateCompleteHandler;
  ULONG ScatterGatherListSize;
} NDIS_SG_DMA_DESCRIPTION, *PNDIS_SG_DMA_DESCRIPTION;

#define NDIS_SG_DMA_64_BIT_ADDRESS 0x00000001
#define NDIS_SG_DMA_V3_HAL_API 0x00000002
#define NDIS_SG_DMA_HYBRID_DMA 0x00000004

#define NDIS_SG_DMA_DESCRIPTION_REVISION_1 1
#define NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_SG_DMA_DESCRIPTION, ScatterGatherListSize)

#define NDIS_SG_LIST_WRITE_TO_DEVICE 0x00000001

NDISAPI NDIS_STATUS NdisMRegisterScatterGatherDma(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                  _Inout_ PNDIS_SG_DMA_DESCRIPTION DmaDescription,
                                                  _Out_ PNDIS_HANDLE NdisMiniportDmaHandle);
NDISAPI VOID NdisMDeregisterScatterGatherDma(_In_ NDIS_HANDLE NdisMiniportDmaHandle);
NDISAPI NDIS_STATUS NdisMAllocateNetBufferSGList(_In_ NDIS_HANDLE NdisMiniportDmaHandle,
                                                 _In_ PNET_BUFFER NetBuffer, _In_ PVOID Context,
                                                 _In_ ULONG Flags, _In_opt_ PVOID ScatterGatherListBuffer,
                                                 _In_ ULONG ScatterGatherListBufferSize);
NDISAPI VOID NdisMFreeNetBufferSGList(_In_ NDIS_HANDLE NdisMiniportDmaHandle, _In_ PSCATTER_GATHER_LIST pSGL,
                                      _In_ PNET_BUFFER NetBuffer);
NDISAPI NDIS_STATUS NdisMAllocateSharedMemoryAsyncEx(_In_ NDIS_HANDLE MiniportDmaHandle, _In_ ULONG Length,
                                                     _In_ BOOLEAN Cached, _In_ PVOID Context);
NDISAPI ULONG NdisMGetBusData(_In_ NDIS_HANDLE NdisMiniportHandle, _In_ ULONG WhichSpace, _In_ ULONG Offset,
                              _Out_ PVOID Buffer, _In_ ULONG Length);
NDISAPI ULONG NdisMSetBusData(_In_ NDIS_HANDLE NdisMiniportHandle, _In_ ULONG WhichSpace, _In_ ULONG Offset,
                              _In_ PVOID Buffer, _In_ ULONG Length);

#endif

// ---- DMA and memory of both versions ----------------------------------------------------------------------
typedef enum _NDIS_DMA_SIZE {
  NDIS_DMA_24BITS,
  NDIS_DMA_32BITS,
  NDIS_DMA_64BITS
} NDIS_DMA_SIZE,
    *PNDIS_DMA_SIZE;

typedef struct _NDIS_DMA_DESCRIPTION {
  BOOLEAN DemandMode;
  BOOLEAN AutoInitialize;
  BOOLEAN DmaChannelSpecified;
  DMA_WIDTH DmaWidth;
  DMA_SPEED DmaSpeed;
  ULONG DmaPort;
  ULONG DmaChannel;
} NDIS_DMA_DESCRIPTION, *PNDIS_DMA_DESCRIPTION;

NDISAPI VOID NdisMAllocateSharedMemory(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ ULONG Length,
                                       _In_ BOOLEAN Cached, _Out_ PVOID* VirtualAddress,
                                       _Out_ PNDIS_PHYSICAL_ADDRESS PhysicalAddress);
NDISAPI VOID NdisMFreeSharedMemory(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ ULONG Length,
                                   _In_ BOOLEAN Cached, _In_ PVOID VirtualAddress,
                                   _In_ NDIS_PHYSICAL_ADDRESS PhysicalAddress);
#define NdisMUpdateSharedMemory(_H, _L, _V, _P) ((void)0)

NDISAPI ULONG NdisMGetDmaAlignment(_In_ NDIS_HANDLE MiniportAdapterHandle);
NDISAPI NDIS_STATUS NdisMRegisterDmaChannel(_Out_ PNDIS_HANDLE MiniportDmaHandle,
                                            _In_ NDIS_HANDLE MiniportAdapterHandle, _In_ UINT DmaChannel,
                                            _In_ BOOLEAN Dma32BitAddresses,
                                            _In_ PNDIS_DMA_DESCRIPTION DmaDescription,
                                            _In_ ULONG MaximumLength);
NDISAPI VOID NdisMDeregisterDmaChannel(_In_ NDIS_HANDLE MiniportDmaHandle);
NDISAPI ULONG NdisMReadDmaCounter(_In_ NDIS_HANDLE MiniportDmaHandle);
NDISAPI VOID NdisMSetupDmaTransfer(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE MiniportDmaHandle,
                                   _In_ PMDL Buffer, _In_ ULONG Offset, _In_ ULONG Length,
                                   _In_ BOOLEAN WriteToDevice);
NDISAPI VOID NdisMCompleteDmaTransfer(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE MiniportDmaHandle,
                                      _In_ PMDL Buffer, _In_ ULONG Offset, _In_ ULONG Length,
                                      _In_ BOOLEAN WriteToDevice);

NDISAPI NDIS_STATUS NdisMMapIoSpace(_Out_ PVOID* VirtualAddress, _In_ NDIS_HANDLE MiniportAdapterHandle,
                                    _In_ NDIS_PHYSICAL_ADDRESS PhysicalAddress, _In_ UINT Length);
NDISAPI VOID NdisMUnmapIoSpace(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ PVOID VirtualAddress,
                               _In_ UINT Length);
NDISAPI NDIS_STATUS NdisMRegisterIoPortRange(_Out_ PVOID* PortOffset, _In_ NDIS_HANDLE MiniportAdapterHandle,
                                             _In_ UINT InitialPort, _In_ UINT NumberOfPorts);
NDISAPI VOID NdisMDeregisterIoPortRange(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ UINT InitialPort,
                                        _In_ UINT NumberOfPorts, _In_ PVOID PortOffset);

// ---- Ports and registers ----------------------------------------------------------------------------------
#define NdisRawReadPortUchar(Port, Data) (*(Data) = READ_PORT_UCHAR((PUCHAR)(Port)))
#define NdisRawReadPortUshort(Port, Data) (*(Data) = READ_PORT_USHORT((PUSHORT)(Port)))
#define NdisRawReadPortUlong(Port, Data) (*(Data) = READ_PORT_ULONG((PULONG)(Port)))
#define NdisRawReadPortBufferUchar(Port, Buffer, Length) \
  READ_PORT_BUFFER_UCHAR((PUCHAR)(Port), Buffer, Length)
#define NdisRawReadPortBufferUshort(Port, Buffer, Length) \
  READ_PORT_BUFFER_USHORT((PUSHORT)(Port), Buffer, Length)
#define NdisRawReadPortBufferUlong(Port, Buffer, Length) \
  READ_PORT_BUFFER_ULONG((PULONG)(Port), Buffer, Length)
#define NdisRawWritePortUchar(Port, Data) WRITE_PORT_UCHAR((PUCHAR)(Port), (UCHAR)(Data))
#define NdisRawWritePortUshort(Port, Data) WRITE_PORT_USHORT((PUSHORT)(Port), (USHORT)(Data))
#define NdisRawWritePortUlong(Port, Data) WRITE_PORT_ULONG((PULONG)(Port), (ULONG)(Data))
#define NdisRawWritePortBufferUchar(Port, Buffer, Length) \
  WRITE_PORT_BUFFER_UCHAR((PUCHAR)(Port), Buffer, Length)
#define NdisRawWritePortBufferUshort(Port, Buffer, Length) \
  WRITE_PORT_BUFFER_USHORT((PUSHORT)(Port), Buffer, Length)
#define NdisRawWritePortBufferUlong(Port, Buffer, Length) \
  WRITE_PORT_BUFFER_ULONG((PULONG)(Port), Buffer, Length)

#define NdisReadRegisterUchar(Register, Data) (*(Data) = READ_REGISTER_UCHAR((volatile UCHAR*)(Register)))
#define NdisReadRegisterUshort(Register, Data) (*(Data) = READ_REGISTER_USHORT((volatile USHORT*)(Register)))
#define NdisReadRegisterUlong(Register, Data) (*(Data) = READ_REGISTER_ULONG((volatile ULONG*)(Register)))
#define NdisWriteRegisterUchar(Register, Data) \
  WRITE_REGISTER_UCHAR((volatile UCHAR*)(Register), (UCHAR)(Data))
#define NdisWriteRegisterUshort(Register, Data) \
  WRITE_REGISTER_USHORT((volatile USHORT*)(Register), (USHORT)(Data))
#define NdisWriteRegisterUlong(Register, Data) \
  WRITE_REGISTER_ULONG((volatile ULONG*)(Register), (ULONG)(Data))

UNDIS_EXTERN_C_END
