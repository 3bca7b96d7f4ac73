// SPDX-License-Identifier: MIT
//
// NDIS 5.x packet descriptors: NDIS_PACKET, its out-of-band block, per-packet information, pools and chains.
//
// Pages   ndis/nf-ndis-ndisallocatepacketpoolex, nf-ndis-ndisfreepacketpool, nf-ndis-ndispacketpoolusage,
//         nf-ndis-ndiscopyfrompackettopacketsafe, nf-ndis-ndisunchainbufferatback
// Layout  A packet as allocated from a pool is: NDIS_PACKET with its ProtocolReserved bytes, then at
//         Private.NdisPacketOobOffset an NDIS_PACKET_OOB_DATA, and right behind it an NDIS_PACKET_EXTENSION.
//         Drivers reach all three through the macros below, so the library must lay them out like this.
#pragma once
#pragma GCC system_header

#include "buffer5.h"

UNDIS_EXTERN_C_START

typedef struct _NDIS_PACKET_PRIVATE {
  UINT PhysicalCount;
  UINT TotalLength;
  PNDIS_BUFFER Head;
  PNDIS_BUFFER Tail;
  PNDIS_PACKET_POOL Pool;
  UINT Count;
  ULONG Flags;
  BOOLEAN ValidCounts;
  UCHAR NdisPacketFlags;
  USHORT NdisPacketOobOffset;
} NDIS_PACKET_PRIVATE, *PNDIS_PACKET_PRIVATE;

struct _NDIS_PACKET {
  NDIS_PACKET_PRIVATE Private;
  union {
    struct {
      UCHAR MiniportReserved[2 * sizeof(PVOID)];
      UCHAR WrapperReserved[2 * sizeof(PVOID)];
    };
    struct {
      UCHAR MiniportReservedEx[3 * sizeof(PVOID)];
      UCHAR WrapperReservedEx[sizeof(PVOID)];
    };
    struct {
      UCHAR MacReserved[4 * sizeof(PVOID)];
    };
  };
  ULONG_PTR Reserved[2];
  UCHAR ProtocolReserved[1];
};

typedef struct _NDIS_PACKET_OOB_DATA {
  union {
    ULONGLONG TimeToSend;
    ULONGLONG TimeSent;
  };
  ULONGLONG TimeReceived;
  UINT HeaderSize;
  UINT SizeMediaSpecificInfo;
  PVOID MediaSpecificInformation;
  NDIS_STATUS Status;
} NDIS_PACKET_OOB_DATA, *PNDIS_PACKET_OOB_DATA;

typedef enum _NDIS_PER_PACKET_INFO {
  TcpIpChecksumPacketInfo,
  IpSecPacketInfo,
  TcpLargeSendPacketInfo,
  ClassificationHandlePacketInfo,
  NdisReserved,
  ScatterGatherListPacketInfo,
  Ieee8021QInfo,
  OriginalPacketInfo,
  PacketCancelId,
  OriginalNetBufferList,
  CachedNetBufferList,
  ShortPacketPaddingInfo,
  MaxPerPacketInfo
} NDIS_PER_PACKET_INFO,
    *PNDIS_PER_PACKET_INFO;

typedef struct _NDIS_PACKET_EXTENSION {
  PVOID NdisPacketInfo[MaxPerPacketInfo];
} NDIS_PACKET_EXTENSION, *PNDIS_PACKET_EXTENSION;

// What an intermediate driver may write at the packet stack location that it is given.
typedef struct _NDIS_PACKET_STACK {
  ULONG_PTR IMReserved[2];
  ULONG_PTR NdisReserved[4];
} NDIS_PACKET_STACK, *PNDIS_PACKET_STACK;

typedef struct _NDIS_PACKET_8021Q_INFO {
  union {
    struct {
      UINT32 UserPriority : 3;
      UINT32 CanonicalFormatId : 1;
      UINT32 VlanId : 12;
      UINT32 Reserved : 16;
    } TagHeader;
    PVOID Value;
  };
} NDIS_PACKET_8021Q_INFO, *PNDIS_PACKET_8021Q_INFO;

// Element of OID-independent media specific information (MediaSpecificInformation in the out-of-band block).
typedef enum _NDIS_CLASS_ID {
  NdisClass802_3Priority,
  NdisClassWirelessWanMbxMailbox,
  NdisClassIrdaPacketInfo,
  NdisClassAtmAALInfo
} NDIS_CLASS_ID;

typedef struct _MEDIA_SPECIFIC_INFORMATION {
  UINT NextEntryOffset;
  NDIS_CLASS_ID ClassId;
  UINT Size;
  UCHAR ClassInformation[1];
} MEDIA_SPECIFIC_INFORMATION, *PMEDIA_SPECIFIC_INFORMATION;

// Bits of NDIS_PACKET_PRIVATE.NdisPacketFlags.
#define fPACKET_WRAPPER_RESERVED 0x3F
#define fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO 0x40
#define fPACKET_ALLOCATED_BY_NDIS 0x80

// Bits of NDIS_PACKET_PRIVATE.Flags.
#define NDIS_FLAGS_PROTOCOL_ID_MASK 0x0000000F
#define NDIS_FLAGS_MULTICAST_PACKET 0x00000010
#define NDIS_FLAGS_RESERVED2 0x00000020
#define NDIS_FLAGS_RESERVED3 0x00000040
#define NDIS_FLAGS_DONT_LOOPBACK 0x00000080
#define NDIS_FLAGS_IS_LOOPBACK_PACKET 0x00000100
#define NDIS_FLAGS_LOOPBACK_ONLY 0x00000200
#define NDIS_FLAGS_RESERVED4 0x00000400
#define NDIS_FLAGS_DOUBLE_BUFFERED 0x00000800
#define NDIS_FLAGS_SENT_AT_DPC 0x00001000
#define NDIS_FLAGS_USES_SG_BUFFER_LIST 0x00002000
#define NDIS_FLAGS_USES_ORIGINAL_PACKET 0x00004000
#define NDIS_FLAGS_PADDED 0x00010000
#define NDIS_FLAGS_XLATE_AT_TOP 0x00020000

// Space that every receive packet keeps for the protocol.
#define PROTOCOL_RESERVED_SIZE_IN_PACKET (4 * sizeof(PVOID))

#define NDIS_PACKET_FIRST_NDIS_BUFFER(Packet) ((Packet)->Private.Head)
#define NDIS_PACKET_LAST_NDIS_BUFFER(Packet) ((Packet)->Private.Tail)
#define NDIS_PACKET_VALID_COUNTS(Packet) ((Packet)->Private.ValidCounts)

#define NdisGetPacketFlags(Packet) ((Packet)->Private.Flags)
#define NdisSetPacketFlags(Packet, Bits) ((Packet)->Private.Flags |= (Bits))
#define NdisClearPacketFlags(Packet, Bits) ((Packet)->Private.Flags &= ~(Bits))
#define NdisRecalculatePacketCounts(Packet) ((Packet)->Private.ValidCounts = FALSE)
#define NDIS_GET_PACKET_PROTOCOL_TYPE(Packet) ((Packet)->Private.Flags & NDIS_PROTOCOL_ID_MASK)

#define NDIS_OOB_DATA_FROM_PACKET(Packet) \
  ((PNDIS_PACKET_OOB_DATA)((PUCHAR)(Packet) + (Packet)->Private.NdisPacketOobOffset))
#define NDIS_PACKET_EXTENSION_FROM_PACKET(Packet) \
  ((PNDIS_PACKET_EXTENSION)((PUCHAR)NDIS_OOB_DATA_FROM_PACKET(Packet) + sizeof(NDIS_PACKET_OOB_DATA)))
#define NDIS_PER_PACKET_INFO_FROM_PACKET(Packet, Id) \
  (NDIS_PACKET_EXTENSION_FROM_PACKET(Packet)->NdisPacketInfo[(Id)])

#define NDIS_GET_ORIGINAL_PACKET(Packet) NDIS_PER_PACKET_INFO_FROM_PACKET(Packet, OriginalPacketInfo)
#define NDIS_SET_ORIGINAL_PACKET(Packet, OriginalPacket) \
  (NDIS_PER_PACKET_INFO_FROM_PACKET(Packet, OriginalPacketInfo) = (OriginalPacket))
#define NDIS_GET_PACKET_CANCEL_ID(Packet) NDIS_PER_PACKET_INFO_FROM_PACKET(Packet, PacketCancelId)
#define NDIS_SET_PACKET_CANCEL_ID(Packet, CancelId) \
  (NDIS_PER_PACKET_INFO_FROM_PACKET(Packet, PacketCancelId) = (CancelId))
#define NdisGetPacketCancelId(Packet) NDIS_GET_PACKET_CANCEL_ID(Packet)
#define NdisSetPacketCancelId(Packet, CancelId) NDIS_SET_PACKET_CANCEL_ID(Packet, CancelId)

#define NDIS_GET_PACKET_HEADER_SIZE(Packet) (NDIS_OOB_DATA_FROM_PACKET(Packet)->HeaderSize)
#define NDIS_SET_PACKET_HEADER_SIZE(Packet, HdrSize) \
  (NDIS_OOB_DATA_FROM_PACKET(Packet)->HeaderSize = (HdrSize))
#define NDIS_GET_PACKET_STATUS(Packet) (NDIS_OOB_DATA_FROM_PACKET(Packet)->Status)
#define NDIS_SET_PACKET_STATUS(Packet, NewStatus) (NDIS_OOB_DATA_FROM_PACKET(Packet)->Status = (NewStatus))
#define NDIS_GET_PACKET_TIME_TO_SEND(Packet) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeToSend)
#define NDIS_SET_PACKET_TIME_TO_SEND(Packet, Time) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeToSend = (Time))
#define NDIS_GET_PACKET_TIME_SENT(Packet) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeSent)
#define NDIS_SET_PACKET_TIME_SENT(Packet, Time) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeSent = (Time))
#define NDIS_GET_PACKET_TIME_RECEIVED(Packet) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeReceived)
#define NDIS_SET_PACKET_TIME_RECEIVED(Packet, Time) (NDIS_OOB_DATA_FROM_PACKET(Packet)->TimeReceived = (Time))

// Without the flag in NdisPacketFlags the fields of the out-of-band block are undefined, so they are not
// read.
#define NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(Packet, pMediaSpecificInfo, pSizeMediaSpecificInfo) \
  do {                                                                                          \
    if (((Packet)->Private.NdisPacketFlags &                                                    \
         (fPACKET_ALLOCATED_BY_NDIS | fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO)) ==                 \
        (fPACKET_ALLOCATED_BY_NDIS | fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO)) {                   \
      *(pMediaSpecificInfo) = NDIS_OOB_DATA_FROM_PACKET(Packet)->MediaSpecificInformation;      \
      *(pSizeMediaSpecificInfo) = NDIS_OOB_DATA_FROM_PACKET(Packet)->SizeMediaSpecificInfo;     \
    } else {                                                                                    \
      *(pMediaSpecificInfo) = NULL;                                                             \
      *(pSizeMediaSpecificInfo) = 0;                                                            \
    }                                                                                           \
  } while (0)

#define NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(Packet, MediaSpecificInfo, SizeMediaSpecificInfo_) \
  do {                                                                                         \
    if ((Packet)->Private.NdisPacketFlags & fPACKET_ALLOCATED_BY_NDIS) {                       \
      (Packet)->Private.NdisPacketFlags |= fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO;               \
      NDIS_OOB_DATA_FROM_PACKET(Packet)->MediaSpecificInformation = (MediaSpecificInfo);       \
      NDIS_OOB_DATA_FROM_PACKET(Packet)->SizeMediaSpecificInfo = (SizeMediaSpecificInfo_);     \
    }                                                                                          \
  } while (0)

NDISAPI VOID NTAPI NdisAllocatePacketPool(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE PoolHandle,
                                          _In_ UINT NumberOfDescriptors, _In_ UINT ProtocolReservedLength);

NDISAPI VOID NTAPI NdisAllocatePacketPoolEx(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE PoolHandle,
                                            _In_ UINT NumberOfDescriptors,
                                            _In_ UINT NumberOfOverflowDescriptors,
                                            _In_ UINT ProtocolReservedLength);

NDISAPI VOID NTAPI NdisFreePacketPool(_In_ NDIS_HANDLE PoolHandle);

NDISAPI UINT NTAPI NdisPacketPoolUsage(_In_ NDIS_HANDLE PoolHandle);

NDISAPI NDIS_HANDLE NTAPI NdisGetPoolFromPacket(_In_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisSetPacketPoolProtocolId(_In_ NDIS_HANDLE PacketPoolHandle, _In_ UINT ProtocolId);

NDISAPI VOID NTAPI NdisAllocatePacket(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_PACKET* Packet,
                                      _In_ NDIS_HANDLE PoolHandle);

NDISAPI VOID NTAPI NdisFreePacket(_In_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisDprAllocatePacket(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_PACKET* Packet,
                                         _In_ NDIS_HANDLE PoolHandle);

NDISAPI VOID NTAPI NdisDprAllocatePacketNonInterlocked(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_PACKET* Packet,
                                                       _In_ NDIS_HANDLE PoolHandle);

NDISAPI VOID NTAPI NdisDprFreePacket(_In_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisDprFreePacketNonInterlocked(_In_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisReinitializePacket(_Inout_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisQueryPacket(_In_ PNDIS_PACKET Packet, _Out_opt_ PUINT PhysicalBufferCount,
                                   _Out_opt_ PUINT BufferCount, _Out_opt_ PNDIS_BUFFER* FirstBuffer,
                                   _Out_opt_ PUINT TotalPacketLength);

NDISAPI VOID NTAPI NdisQueryPacketLength(_In_ PNDIS_PACKET Packet, _Out_ PUINT TotalPacketLength);

NDISAPI VOID NTAPI NdisChainBufferAtFront(_Inout_ PNDIS_PACKET Packet, _Inout_ PNDIS_BUFFER Buffer);

NDISAPI VOID NTAPI NdisChainBufferAtBack(_Inout_ PNDIS_PACKET Packet, _Inout_ PNDIS_BUFFER Buffer);

NDISAPI VOID NTAPI NdisUnchainBufferAtFront(_Inout_ PNDIS_PACKET Packet, _Out_ PNDIS_BUFFER* Buffer);

NDISAPI VOID NTAPI NdisUnchainBufferAtBack(_Inout_ PNDIS_PACKET Packet, _Out_ PNDIS_BUFFER* Buffer);

NDISAPI VOID NTAPI NdisGetFirstBufferFromPacket(_In_ PNDIS_PACKET Packet, _Out_ PNDIS_BUFFER* FirstBuffer,
                                                _Out_ PVOID* FirstBufferVA, _Out_ PUINT FirstBufferLength,
                                                _Out_ PUINT TotalBufferLength);

NDISAPI VOID NTAPI NdisGetFirstBufferFromPacketSafe(_In_ PNDIS_PACKET Packet, _Out_ PNDIS_BUFFER* FirstBuffer,
                                                    _Out_ PVOID* FirstBufferVA, _Out_ PUINT FirstBufferLength,
                                                    _Out_ PUINT TotalBufferLength,
                                                    _In_ MM_PAGE_PRIORITY Priority);

NDISAPI VOID NTAPI NdisCopyFromPacketToPacket(_In_ PNDIS_PACKET Destination, _In_ UINT DestinationOffset,
                                              _In_ UINT BytesToCopy, _In_ PNDIS_PACKET Source,
                                              _In_ UINT SourceOffset, _Out_ PUINT BytesCopied);

NDISAPI VOID NTAPI NdisCopyFromPacketToPacketSafe(_In_ PNDIS_PACKET Destination, _In_ UINT DestinationOffset,
                                                  _In_ UINT BytesToCopy, _In_ PNDIS_PACKET Source,
                                                  _In_ UINT SourceOffset, _Out_ PUINT BytesCopied,
                                                  _In_ MM_PAGE_PRIORITY Priority);

UNDIS_EXTERN_C_END
