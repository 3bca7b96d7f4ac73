// SPDX-License-Identifier: MIT
// PacketDirect: queues that a client polls itself, beside the NDIS data path (6.50).
//
// Pages   ndis/ns-ndis-_ndis_pd_provider_dispatch, ndis/ns-ndis-_pd_buffer
// Beyond  Some members of the dispatch tables are named on their pages without a prototype; they are void
// pointers here.
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

#if NDIS_SUPPORT_NDIS650

UNDIS_EXTERN_C_START

typedef NDIS_HANDLE NDIS_PD_PROVIDER_HANDLE, NDIS_PD_COUNTER_HANDLE, NDIS_PD_FILTER_HANDLE;

// ---- Buffers ----------------------------------------------------------------------------------------------
typedef struct _PD_BUFFER_8021Q_INFO {
  USHORT UserPriority : 3;
  USHORT CanonicalFormatId : 1;
  USHORT VlanId : 12;
} PD_BUFFER_8021Q_INFO;

typedef struct _PD_BUFFER_VIRTUAL_SUBNET_INFO {
  ULONG VirtualSubnetId : 24;
  ULONG Reserved : 8;
} PD_BUFFER_VIRTUAL_SUBNET_INFO;

typedef PHYSICAL_ADDRESS DMA_LOGICAL_ADDRESS;

typedef struct _PD_BUFFER PD_BUFFER;
struct _PD_BUFFER {
  PD_BUFFER* NextPDBuffer;
  PD_BUFFER* NextPartialPDBuffer;
  PVOID PDClientReserved;
  PVOID PDClientContext;
  PUCHAR DataBufferVirtualAddress;
  DMA_LOGICAL_ADDRESS DataBufferDmaLogicalAddress;
  ULONG DataBufferSize;
  USHORT PDClientContextSize;
  USHORT Attributes;
  USHORT Flags;
  USHORT DataStart;
  ULONG DataLength;
  union {
    struct {
      union {
        ULONG64 RxFilterContext;
        ULONG64 GftFlowEntryId;
      };
      ULONG RxHashValue;
      union {
        struct {
          ULONG RxIPHeaderChecksumSucceeded : 1;
          ULONG RxTCPChecksumSucceeded : 1;
          ULONG RxUDPChecksumSucceeded : 1;
          ULONG RxIPHeaderChecksumFailed : 1;
          ULONG RxTCPChecksumFailed : 1;
          ULONG RxUDPChecksumFailed : 1;
          ULONG RxHashComputed : 1;
          ULONG RxHashWithL4PortNumbers : 1;
          ULONG RxGftDirectionIngress : 1;
          ULONG RxGftExceptionPacket : 1;
          ULONG RxGftCopyPacket : 1;
          ULONG RxGftSamplePacket : 1;
          ULONG RxReserved1 : 4;
          ULONG RxCoalescedSegCount : 16;
          ULONG RxRscTcpTimestampDelta;
        };
        ULONG RxOffloads[2];
      };
      union {
        struct {
          ULONG TxIsIPv4 : 1;
          ULONG TxIsIPv6 : 1;
          ULONG TxTransportHeaderOffset : 10;
          ULONG TxMSS : 20;
          ULONG TxComputeIPHeaderChecksum : 1;
          ULONG TxComputeTCPChecksum : 1;
          ULONG TxComputeUDPChecksum : 1;
          ULONG TxIsEncapsulatedPacket : 1;
          ULONG TxInnerPacketOffsetsValid : 1;
          ULONG TxReserved1 : 11;
          ULONG TxInnerFrameOffset : 8;
          ULONG TxInnerIpHeaderRelativeOffset : 6;
          ULONG TxInnerIsIPv6 : 1;
          ULONG TxInnerTcpOptionsPresent : 1;
        };
        ULONG TxOffloads[2];
      };
      PD_BUFFER_VIRTUAL_SUBNET_INFO VirtualSubnetInfo;
      PD_BUFFER_8021Q_INFO Ieee8021qInfo;
      USHORT GftSourceVPortId;
      ULONG Reserved;
      UINT64 ProviderScratch;
    } MetaDataV0;
  };
};

#define PD_BUFFER_ATTR_BUILT_IN_DATA_BUFFER 0x00000001
#define PD_BUFFER_FLAG_PARTIAL_PACKET_HEAD 0x00000001

// Types of NDIS_PD_QUEUE. The numbers are our own: none is published.
#define NDIS_OBJECT_TYPE_PD_RECEIVE_QUEUE 0xF0
#define NDIS_OBJECT_TYPE_PD_TRANSMIT_QUEUE 0xF1

// ---- Queues -----------------------------------------------------------------------------------------------
typedef enum {
  PDQueueTypeUnknown,
  PDQueueTypeReceive,
  PDQueueTypeTransmit,
  PDQueueTypeMax
} NDIS_PD_QUEUE_TYPE;

typedef struct _NDIS_PD_QUEUE NDIS_PD_QUEUE;

typedef VOID(NDIS_PD_POST_AND_DRAIN_BUFFER_LIST)(_Inout_ NDIS_PD_QUEUE* Queue,
                                                 _Inout_ PD_BUFFER** PostBufferListHead,
                                                 _Inout_ PD_BUFFER*** DrainBufferListTail,
                                                 _In_ ULONG MaxDrainCount);
typedef NDIS_PD_POST_AND_DRAIN_BUFFER_LIST* NDIS_PD_POST_AND_DRAIN_BUFFER_LIST_HANDLER;
typedef VOID(NDIS_PD_QUERY_QUEUE_DEPTH)(_In_ NDIS_PD_QUEUE* Queue, _Out_ ULONG64* Depth);
typedef NDIS_PD_QUERY_QUEUE_DEPTH* NDIS_PD_QUERY_QUEUE_DEPTH_HANDLER;
typedef VOID(NDIS_PD_FLUSH_QUEUE)(_In_ NDIS_PD_QUEUE* Queue);
typedef NDIS_PD_FLUSH_QUEUE* NDIS_PD_FLUSH_QUEUE_HANDLER;

typedef struct _NDIS_PD_QUEUE_DISPATCH {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PD_POST_AND_DRAIN_BUFFER_LIST_HANDLER PDPostAndDrainBufferList;
  NDIS_PD_QUERY_QUEUE_DEPTH_HANDLER PDQueryQueueDepth;
  NDIS_PD_FLUSH_QUEUE_HANDLER PDFlushQueue;
  PVOID PDPostAndDrainBufferListEx;
} NDIS_PD_QUEUE_DISPATCH;

#define NDIS_PD_QUEUE_DISPATCH_REVISION_1 1
#define NDIS_SIZEOF_PD_QUEUE_DISPATCH_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_QUEUE_DISPATCH, PDFlushQueue)

struct _NDIS_PD_QUEUE {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  const NDIS_PD_QUEUE_DISPATCH* Dispatch;
  PVOID PDPlatformReserved[2];
  PVOID PDClientReserved[2];
};

#define NDIS_PD_QUEUE_REVISION_1 1
#define NDIS_SIZEOF_PD_QUEUE_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_QUEUE, PDClientReserved)

typedef struct _NDIS_PD_QUEUE_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PD_QUEUE_TYPE QueueType;
  ULONG QueueSize;
  ULONG ReceiveDataLength;
  GROUP_AFFINITY Affinity;
  ULONG TrafficClassId;
  ULONG MaximumPartialBufferCount;
  NDIS_PD_COUNTER_HANDLE CounterHandle;
  ULONG UserPriority;
} NDIS_PD_QUEUE_PARAMETERS;

#define NDIS_PD_QUEUE_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PD_QUEUE_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_QUEUE_PARAMETERS, CounterHandle)

// ---- Counters ---------------------------------------------------------------------------------------------
typedef enum {
  PDCounterTypeUnknown,
  PDCounterTypeReceiveQueue,
  PDCounterTypeTransmitQueue,
  PDCounterTypeReceiveFilter,
  PDCounterTypeMax
} NDIS_PD_COUNTER_TYPE;

typedef struct _NDIS_PD_COUNTER_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  PCWSTR CounterName;
  NDIS_PD_COUNTER_TYPE Type;
} NDIS_PD_COUNTER_PARAMETERS;

#define NDIS_PD_COUNTER_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PD_COUNTER_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_COUNTER_PARAMETERS, Type)

typedef struct _NDIS_PD_RECEIVE_QUEUE_COUNTER {
  ULONG64 PacketsReceived;
  ULONG64 BytesReceived;
  ULONG64 PacketsDropped;
} NDIS_PD_RECEIVE_QUEUE_COUNTER;

typedef struct _NDIS_PD_TRANSMIT_QUEUE_COUNTER {
  ULONG64 PacketsTransmitted;
  ULONG64 BytesTransmitted;
} NDIS_PD_TRANSMIT_QUEUE_COUNTER;

typedef struct _NDIS_PD_FILTER_COUNTER {
  ULONG64 PacketsMatched;
  ULONG64 BytesMatched;
} NDIS_PD_FILTER_COUNTER;

typedef union _NDIS_PD_COUNTER_VALUE {
  NDIS_PD_RECEIVE_QUEUE_COUNTER ReceiveQueue;
  NDIS_PD_TRANSMIT_QUEUE_COUNTER TransmitQueue;
  NDIS_PD_FILTER_COUNTER Filter;
} NDIS_PD_COUNTER_VALUE, *PNDIS_PD_COUNTER_VALUE;

// ---- Filters ----------------------------------------------------------------------------------------------
typedef struct _NDIS_PD_FILTER_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG MatchProfileId;
  ULONG Priority;
  NDIS_PD_COUNTER_HANDLE CounterHandle;
  NDIS_PD_QUEUE* TargetReceiveQueue;
  ULONG64 RxFilterContext;
  PUCHAR HeaderGroupMatchArray;
  ULONG HeaderGroupMatchArrayNumElements;
  ULONG HeaderGroupMatchArrayElementSize;
  ULONG HeaderGroupMatchArrayTotalSize;
} NDIS_PD_FILTER_PARAMETERS;

#define NDIS_PD_FILTER_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PD_FILTER_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_FILTER_PARAMETERS, HeaderGroupMatchArrayTotalSize)

// ---- Provider ---------------------------------------------------------------------------------------------
typedef NTSTATUS(NDIS_PD_ALLOCATE_QUEUE)(_In_ NDIS_PD_PROVIDER_HANDLE ProviderHandle,
                                         _In_ NDIS_PD_QUEUE_PARAMETERS* QueueParameters,
                                         _Out_ NDIS_PD_QUEUE** NdisPDQueue);
typedef NDIS_PD_ALLOCATE_QUEUE* NDIS_PD_ALLOCATE_QUEUE_HANDLER;
typedef VOID(NDIS_PD_FREE_QUEUE)(_In_ NDIS_PD_QUEUE* NdisPDQueue);
typedef NDIS_PD_FREE_QUEUE* NDIS_PD_FREE_QUEUE_HANDLER;
typedef NTSTATUS(NDIS_PD_ALLOCATE_COUNTER)(_In_ NDIS_PD_PROVIDER_HANDLE ProviderHandle,
                                           _In_ NDIS_PD_COUNTER_PARAMETERS* CounterParameters,
                                           _Out_ NDIS_PD_COUNTER_HANDLE* CounterHandle);
typedef NDIS_PD_ALLOCATE_COUNTER* NDIS_PD_ALLOCATE_COUNTER_HANDLER;
typedef VOID(NDIS_PD_FREE_COUNTER)(_In_ NDIS_PD_COUNTER_HANDLE CounterHandle);
typedef NDIS_PD_FREE_COUNTER* NDIS_PD_FREE_COUNTER_HANDLER;
typedef VOID(NDIS_PD_QUERY_COUNTER)(_In_ NDIS_PD_COUNTER_HANDLE CounterHandle,
                                    _Out_ NDIS_PD_COUNTER_VALUE* CounterValue);
typedef NDIS_PD_QUERY_COUNTER* NDIS_PD_QUERY_COUNTER_HANDLER;
typedef NTSTATUS(NDIS_PD_SET_RECEIVE_FILTER)(_In_ NDIS_PD_PROVIDER_HANDLE ProviderHandle,
                                             _In_ NDIS_PD_FILTER_PARAMETERS* FilterParameters,
                                             _Out_ NDIS_PD_FILTER_HANDLE* FilterHandle);
typedef NDIS_PD_SET_RECEIVE_FILTER* NDIS_PD_SET_RECEIVE_FILTER_HANDLER;
typedef VOID(NDIS_PD_CLEAR_RECEIVE_FILTER)(_In_ NDIS_PD_FILTER_HANDLE FilterHandle);
typedef NDIS_PD_CLEAR_RECEIVE_FILTER* NDIS_PD_CLEAR_RECEIVE_FILTER_HANDLER;

typedef struct _NDIS_PD_PROVIDER_DISPATCH {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PD_ALLOCATE_QUEUE_HANDLER NdisPDAllocateQueue;
  NDIS_PD_FREE_QUEUE_HANDLER NdisPDFreeQueue;
  PVOID NdisPDAcquireReceiveQueues;
  PVOID NdisPDReleaseReceiveQueues;
  NDIS_PD_ALLOCATE_COUNTER_HANDLER NdisPDAllocateCounter;
  NDIS_PD_FREE_COUNTER_HANDLER NdisPDFreeCounter;
  NDIS_PD_QUERY_COUNTER_HANDLER NdisPDQueryCounter;
  NDIS_PD_SET_RECEIVE_FILTER_HANDLER NdisPDSetReceiveFilter;
  NDIS_PD_CLEAR_RECEIVE_FILTER_HANDLER NdisPDClearReceiveFilter;
  PVOID NdisPDRequestDrainNotification;
  PVOID NdisPDQueueControl;
  PVOID NdisPDProviderControl;
  PVOID NdisPDOffRssReceiveQueues;
  PVOID NdisPDOnRssReceiveQueues;
} NDIS_PD_PROVIDER_DISPATCH;

#define NDIS_PD_PROVIDER_DISPATCH_REVISION_1 1
#define NDIS_SIZEOF_PD_PROVIDER_DISPATCH_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_PROVIDER_DISPATCH, NdisPDOnRssReceiveQueues)

typedef struct _NDIS_PD_OPEN_PROVIDER_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PD_PROVIDER_HANDLE ProviderHandle;
  const NDIS_PD_PROVIDER_DISPATCH* ProviderDispatch;
} NDIS_PD_OPEN_PROVIDER_PARAMETERS;

#define NDIS_PD_OPEN_PROVIDER_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PD_OPEN_PROVIDER_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_OPEN_PROVIDER_PARAMETERS, ProviderDispatch)

typedef struct _NDIS_PD_CLOSE_PROVIDER_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_PD_PROVIDER_HANDLE ProviderHandle;
} NDIS_PD_CLOSE_PROVIDER_PARAMETERS;

#define NDIS_PD_CLOSE_PROVIDER_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PD_CLOSE_PROVIDER_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PD_CLOSE_PROVIDER_PARAMETERS, ProviderHandle)

UNDIS_EXTERN_C_END

#endif
