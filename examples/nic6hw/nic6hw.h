// SPDX-License-Identifier: MIT
//
// nic6hw: an NDIS 6.30 miniport of the simulated card (docs/guide/hardware.md): MSI-X or a line,
// scatter/gather DMA, receive side scaling over four queues.
//
// Files   driver.c     DriverEntry and unload           adapter.c  initialize, pause, restart, halt
//         hardware.c   resources, rings, registers      interrupt.c  services and DPCs
//         send.c       sends                            receive.c  receives and returns
//         oid.c        OID requests
// Locks   NIC_ADAPTER.Lock guards what follows it; NIC_QUEUE.Lock the receive ring of its queue. NDIS is
// called with neither
//         held. What the service of a line shares with the rest is reached by
//         NdisMSynchronizeWithInterruptEx.
#pragma once

#include <ndis.h>

#define NIC_TAG 'h6iN'
#define NIC_HEADER 14
#define NIC_MTU 1500
#define NIC_FRAME_MAX (NIC_HEADER + 4 + NIC_MTU)  // with room for a VLAN tag
#define NIC_BUFFER 2048                           // of one receive descriptor
#define NIC_RING 32
#define NIC_QUEUES 4
#define NIC_LINK_MESSAGE NIC_QUEUES
#define NIC_MULTICAST_MAX 32
#define NIC_RSS_TABLE 128
#define NIC_FILTERS                                                                          \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

// ---- the card ----

#define NIC_REG_ID 0x000
#define NIC_REG_CONTROL 0x004
#define NIC_REG_STATUS 0x008
#define NIC_REG_CAUSES 0x00C
#define NIC_REG_MASK 0x010
#define NIC_REG_MAC_LOW 0x014
#define NIC_REG_MAC_HIGH 0x018
#define NIC_REG_FILTER 0x01C
#define NIC_REG_SPEED 0x020
#define NIC_REG_MISSED 0x024
#define NIC_REG_LINK_ARM 0x02C
#define NIC_REG_MULTICAST(i) (0x100 + 8 * (i))
#define NIC_REG_QUEUE(q) (0x400 + 0x40 * (q))
#define NIC_REG_RSS_CONTROL 0x800
#define NIC_REG_RSS_KEY 0x804
#define NIC_REG_RSS_TABLE 0x880

#define NIC_QUEUE_TX_LOW 0x00
#define NIC_QUEUE_TX_HIGH 0x04
#define NIC_QUEUE_TX_SIZE 0x08
#define NIC_QUEUE_TX_TAIL 0x0C
#define NIC_QUEUE_RX_LOW 0x14
#define NIC_QUEUE_RX_HIGH 0x18
#define NIC_QUEUE_RX_SIZE 0x1C
#define NIC_QUEUE_RX_TAIL 0x20
#define NIC_QUEUE_VECTOR 0x28
#define NIC_QUEUE_ARM 0x2C

#define NIC_ID 0x554E4943
#define NIC_CONTROL_RESET 1
#define NIC_CONTROL_RECEIVE 2
#define NIC_CONTROL_TRANSMIT 4
#define NIC_STATUS_LINK 1
#define NIC_CAUSES_ALL 7
#define NIC_CAUSE_LINK 4
#define NIC_MULTICAST_USED 0x80000000
#define NIC_DESCRIPTOR_END 1   // Flags: the last of a frame
#define NIC_DESCRIPTOR_DONE 1  // Status
#define NIC_DESCRIPTOR_ERROR 2
#define NIC_DESCRIPTOR_HASH 0x10  // Status: the first of four bits, which hash it is

typedef struct _NIC_DESCRIPTOR {
  ULONG64 Address;
  USHORT Length;
  UCHAR Flags;
  volatile UCHAR Status;
  ULONG Hash;
} NIC_DESCRIPTOR, *PNIC_DESCRIPTOR;

// ---- the driver ----

typedef enum _NIC_STATE { NicPaused, NicRunning, NicPausing } NIC_STATE;

typedef struct _NIC_MEMORY {
  PVOID Address;
  NDIS_PHYSICAL_ADDRESS Physical;
  ULONG Length;
} NIC_MEMORY;

struct _NIC_QUEUE;

// A receive buffer and what describes it to NDIS. It belongs to the card, or, while indicated, to those
// above.
typedef struct _NIC_FRAME {
  struct _NIC_QUEUE* Queue;
  PUCHAR Data;
  ULONG64 Physical;
  PMDL Mdl;
  PNET_BUFFER_LIST List;
} NIC_FRAME, *PNIC_FRAME;

typedef struct _NIC_QUEUE {
  struct _NIC_ADAPTER* Adapter;
  ULONG Index;
  ULONG Processor;  // where its DPC runs while receive side scaling is on
  NIC_MEMORY Ring;
  NIC_MEMORY Buffers;
  NIC_FRAME Frames[NIC_RING];

  NDIS_SPIN_LOCK Lock;
  ULONG Head;                   // the next descriptor that the card fills
  ULONG Tail;                   // the first that the card does not have
  PNIC_FRAME Posted[NIC_RING];  // by descriptor
} NIC_QUEUE, *PNIC_QUEUE;

typedef struct _NIC_ADAPTER {
  NDIS_HANDLE Handle;
  NDIS_HANDLE Pool;
  NDIS_HANDLE Dma;
  NDIS_HANDLE Interrupt;
  BOOLEAN Messages;  // else the line
  BOOLEAN
  Dying;  // of a service: the interrupt is not the card's any more. Reached at the interrupt's IRQL only
  PUCHAR Registers;
  ULONG RegistersLength;
  UCHAR PermanentAddress[ETH_LENGTH_OF_ADDRESS];
  UCHAR CurrentAddress[ETH_LENGTH_OF_ADDRESS];
  NIC_QUEUE Queues[NIC_QUEUES];
  NIC_MEMORY TxRing;

  volatile LONG Gone;  // removed by surprise: what is still asked is not accepted
  NDIS_SPIN_LOCK Lock;
  NIC_STATE State;
  BOOLEAN PausePended;
  // What a pause has to wait for: sends not completed, frames not returned, calls of NDIS' receive function.
  ULONG Busy;
  ULONG TxHead;
  ULONG TxTail;
  PNET_BUFFER TxBuffers[NIC_RING];  // by the last descriptor of each
  PNET_BUFFER ReadyHead;            // with a scatter/gather list, waiting for room in the ring
  PNET_BUFFER ReadyTail;
  ULONG PacketFilter;
  ULONG Lookahead;
  ULONG RssHash;  // NDIS_HASH_ types; 0: scaling is off
  ULONG64 FramesIn;
  ULONG64 FramesOut;
  ULONG64 ErrorsOut;
} NIC_ADAPTER, *PNIC_ADAPTER;

#define NIC_REGISTER(Adapter, Offset) ((PULONG)((Adapter)->Registers + (Offset)))

static inline ULONG NicRead(PNIC_ADAPTER Adapter, ULONG Offset) {
  ULONG value;
  NdisReadRegisterUlong(NIC_REGISTER(Adapter, Offset), &value);
  return value;
}

static inline VOID NicWrite(PNIC_ADAPTER Adapter, ULONG Offset, ULONG Value) {
  NdisWriteRegisterUlong(NIC_REGISTER(Adapter, Offset), Value);
}

// What a buffer that is being sent carries with it.
#define NIC_LIST_OF(Buffer) (*(PNET_BUFFER_LIST*)&NET_BUFFER_MINIPORT_RESERVED(Buffer)[0])
#define NIC_SG_OF(Buffer) (*(PSCATTER_GATHER_LIST*)&NET_BUFFER_MINIPORT_RESERVED(Buffer)[1])
#define NIC_NEXT_OF(Buffer) (*(PNET_BUFFER*)&NET_BUFFER_MINIPORT_RESERVED(Buffer)[2])
#define NIC_LEFT_OF(List) (*(PULONG_PTR)&NET_BUFFER_LIST_MINIPORT_RESERVED(List)[0])
#define NIC_ADAPTER_OF(List) (*(PNIC_ADAPTER*)&NET_BUFFER_LIST_MINIPORT_RESERVED(List)[1])

// adapter.c
MINIPORT_INITIALIZE NicInitialize;
MINIPORT_HALT NicHalt;
MINIPORT_PAUSE NicPause;
MINIPORT_RESTART NicRestart;
MINIPORT_SHUTDOWN NicShutdown;
MINIPORT_DEVICE_PNP_EVENT_NOTIFY NicDevicePnPEvent;
// Takes `Count` off Busy. Whoever takes the last one completes a pended pause.
VOID NicDone(PNIC_ADAPTER Adapter, ULONG Count);

// hardware.c
NDIS_STATUS NicMapRegisters(PNIC_ADAPTER Adapter, PNDIS_RESOURCE_LIST Resources);
NDIS_STATUS NicMakeRings(PNIC_ADAPTER Adapter);
VOID NicFreeHardware(PNIC_ADAPTER Adapter);
VOID NicReset(PNIC_ADAPTER Adapter);
VOID NicStart(PNIC_ADAPTER Adapter);
VOID NicPost(PNIC_QUEUE Queue, PNIC_FRAME Frame);

// interrupt.c
NDIS_STATUS NicRegisterInterrupt(PNIC_ADAPTER Adapter);
VOID NicStopInterrupts(PNIC_ADAPTER Adapter);

// send.c
MINIPORT_SEND_NET_BUFFER_LISTS NicSend;
MINIPORT_CANCEL_SEND NicCancelSend;
MINIPORT_PROCESS_SG_LIST NicProcessSGList;
VOID NicFinishSends(PNIC_ADAPTER Adapter);

// receive.c
MINIPORT_RETURN_NET_BUFFER_LISTS NicReturn;
// Indicates up to `Most` frames of the queue. TRUE: there are more.
BOOLEAN NicReceive(PNIC_QUEUE Queue, ULONG Most);

// oid.c
MINIPORT_OID_REQUEST NicOidRequest;
MINIPORT_CANCEL_OID_REQUEST NicCancelOidRequest;
extern const NDIS_OID NicSupportedOids[];
extern const ULONG NicSupportedOidsSize;
