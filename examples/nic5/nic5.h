// SPDX-License-Identifier: MIT
//
// nic5: an NDIS 5.1 deserialized miniport without hardware. Its wire is a loop: what is sent comes back as if
// from outside.
//
// Files   driver.c  DriverEntry and unload         adapter.c  initialize, reset, halt
//         data.c    send, the wire, return         oid.c      queries and sets
// Lock    NIC_ADAPTER.Lock guards everything below it in the structure. NDIS is never called with it held,
//         except to set the timer of the wire. A deserialized miniport is called on several processors at
//         once.
#pragma once

#include <ndis.h>

#define NIC_TAG '5ciN'
#define NIC_HEADER 14
#define NIC_MTU 1500
#define NIC_FRAME_MAX (NIC_HEADER + 4 + NIC_MTU)  // with room for a VLAN tag
#define NIC_RING 32
#define NIC_RING_LOW 4  // with fewer free places left, what is indicated is asked back at once
#define NIC_MULTICAST_MAX 32
#define NIC_WIRE_MILLISECONDS 1
#define NIC_FILTERS                                                                          \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

typedef struct _NIC_COUNTERS {
  ULONG Frames;
  ULONG Errors;
  ULONG Discards;
} NIC_COUNTERS;

// One place of the receive ring: the memory of a frame and what describes it to NDIS.
typedef struct _NIC_FRAME {
  LIST_ENTRY Link;
  PNDIS_BUFFER Buffer;
  PNDIS_PACKET Packet;
  ULONG Length;
  UCHAR Data[NIC_FRAME_MAX];
} NIC_FRAME, *PNIC_FRAME;

typedef struct _NIC_ADAPTER {
  NDIS_HANDLE Handle;
  NDIS_HANDLE PacketPool;
  NDIS_HANDLE BufferPool;
  NDIS_MINIPORT_TIMER WireTimer;
  NDIS_EVENT Idle;  // set, under the lock, whenever Busy has become zero while the adapter is being halted
  UCHAR PermanentAddress[ETH_LENGTH_OF_ADDRESS];
  UCHAR CurrentAddress[ETH_LENGTH_OF_ADDRESS];

  NDIS_SPIN_LOCK Lock;
  BOOLEAN Halting;
  ULONG Busy;        // sends not yet completed, and frames not yet returned
  LIST_ENTRY Sends;  // packets, linked through MiniportReserved
  BOOLEAN WireTimerSet;
  ULONG FreeCount;
  LIST_ENTRY Free;
  ULONG PacketFilter;
  ULONG Lookahead;
  ULONG MulticastCount;
  UCHAR Multicast[NIC_MULTICAST_MAX][ETH_LENGTH_OF_ADDRESS];
  NIC_COUNTERS Sent;
  NIC_COUNTERS Received;

  NIC_FRAME Ring[NIC_RING];
} NIC_ADAPTER, *PNIC_ADAPTER;

// adapter.c
NDIS_STATUS NTAPI NicInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext);
NDIS_STATUS NTAPI NicReset(PBOOLEAN AddressingReset, NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicHalt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicShutdown(PVOID ShutdownContext);
VOID NTAPI NicPnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                       PVOID InformationBuffer, ULONG InformationBufferLength);

// data.c
VOID NTAPI NicSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                          UINT NumberOfPackets);
VOID NTAPI NicCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId);
VOID NTAPI NicReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet);
VOID NTAPI NicWire(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                   PVOID SystemSpecific3);
// Takes all queued sends out, into `Taken`. The lock is held.
VOID NicTakeSends(PNIC_ADAPTER Adapter, PLIST_ENTRY Taken);
// Completes what was taken out, and then takes it off Busy.
VOID NicCompleteSends(PNIC_ADAPTER Adapter, PLIST_ENTRY Taken, NDIS_STATUS Status);

// oid.c
NDIS_STATUS NTAPI NicQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                      PVOID InformationBuffer, ULONG InformationBufferLength,
                                      PULONG BytesWritten, PULONG BytesNeeded);
NDIS_STATUS NTAPI NicSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded);
