// SPDX-License-Identifier: MIT
//
// nic5hw: an NDIS 5.1 serialized miniport of the simulated card (docs/guide/hardware.md), as such drivers
// were written for cards with ports: an interrupt line, registers in ports, frames copied through buffers
// that the card reaches.
//
// Files   driver.c  DriverEntry and unload         adapter.c  initialize, reset, halt
//         data.c    sends, interrupts, receives    oid.c      queries and sets
// Locks   none: NDIS calls a serialized miniport's functions one at a time. Only the service of the interrupt
// comes in between, and
//         it touches nothing but the card's registers.
#pragma once

#include <ndis.h>

#define NIC_TAG 'h5iN'
#define NIC_HEADER 14
#define NIC_MTU 1500
#define NIC_FRAME_MAX (NIC_HEADER + 4 + NIC_MTU)
#define NIC_BUFFER 2048
#define NIC_RING 16
#define NIC_MULTICAST_MAX 32
#define NIC_PORTS 128
#define NIC_FILTERS                                                                          \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

// ---- the card: offsets from its first port ----

#define NIC_PORT_ID 0x00
#define NIC_PORT_CONTROL 0x04
#define NIC_PORT_STATUS 0x08
#define NIC_PORT_CAUSES 0x0C
#define NIC_PORT_MASK 0x10
#define NIC_PORT_MAC_LOW 0x14
#define NIC_PORT_MAC_HIGH 0x18
#define NIC_PORT_FILTER 0x1C
#define NIC_PORT_MISSED 0x24
#define NIC_PORT_TX_LOW 0x40
#define NIC_PORT_TX_HIGH 0x44
#define NIC_PORT_TX_SIZE 0x48
#define NIC_PORT_TX_TAIL 0x4C
#define NIC_PORT_RX_LOW 0x54
#define NIC_PORT_RX_HIGH 0x58
#define NIC_PORT_RX_SIZE 0x5C
#define NIC_PORT_RX_TAIL 0x60

#define NIC_ID 0x554E4943
#define NIC_CONTROL_RESET 1
#define NIC_CONTROL_RECEIVE 2
#define NIC_CONTROL_TRANSMIT 4
#define NIC_STATUS_LINK 1
#define NIC_CAUSES_ALL 7
#define NIC_CAUSE_LINK 4
#define NIC_DESCRIPTOR_END 1
#define NIC_DESCRIPTOR_DONE 1
#define NIC_DESCRIPTOR_ERROR 2

typedef struct _NIC_DESCRIPTOR {
  ULONG64 Address;
  USHORT Length;
  UCHAR Flags;
  volatile UCHAR Status;
  ULONG Hash;
} NIC_DESCRIPTOR, *PNIC_DESCRIPTOR;

// ---- the driver ----

typedef struct _NIC_MEMORY {
  PVOID Address;
  NDIS_PHYSICAL_ADDRESS Physical;
  ULONG Length;
} NIC_MEMORY;

typedef struct _NIC_RING_STATE {
  NIC_MEMORY Ring;
  NIC_MEMORY Buffers;
  ULONG Head;  // the next descriptor that the card is through with
  ULONG Tail;  // the first that the card does not have
} NIC_RING_STATE;

typedef struct _NIC_ADAPTER {
  NDIS_HANDLE Handle;
  NDIS_MINIPORT_INTERRUPT Interrupt;
  ULONG FirstPort;
  PUCHAR Ports;  // NULL: not registered
  ULONG Vector;
  ULONG Level;
  UCHAR PermanentAddress[ETH_LENGTH_OF_ADDRESS];
  UCHAR CurrentAddress[ETH_LENGTH_OF_ADDRESS];

  NIC_RING_STATE Tx;
  NIC_RING_STATE Rx;
  ULONG PacketFilter;
  ULONG MulticastFilter;  // NDIS_PACKET_TYPE_ALL_MULTICAST while the list has addresses: the ports have no
                          // table
  ULONG Lookahead;
  UCHAR Multicast[NIC_MULTICAST_MAX][ETH_LENGTH_OF_ADDRESS];
  ULONG MulticastCount;
  BOOLEAN Connected;
  ULONG FramesIn;
  ULONG FramesOut;
  ULONG ErrorsOut;
} NIC_ADAPTER, *PNIC_ADAPTER;

static inline ULONG NicIn(PNIC_ADAPTER Adapter, ULONG Port) {
  ULONG value;
  NdisRawReadPortUlong(Adapter->Ports + Port, &value);
  return value;
}

static inline VOID NicOut(PNIC_ADAPTER Adapter, ULONG Port, ULONG Value) {
  NdisRawWritePortUlong(Adapter->Ports + Port, Value);
}

// adapter.c
NDIS_STATUS NTAPI NicInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext);
NDIS_STATUS NTAPI NicReset(PBOOLEAN AddressingReset, NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicHalt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicShutdown(PVOID ShutdownContext);
VOID NTAPI NicPnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                       PVOID InformationBuffer, ULONG InformationBufferLength);
VOID NicSetFilter(PNIC_ADAPTER Adapter);

// data.c
NDIS_STATUS NTAPI NicSend(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet, UINT Flags);
VOID NTAPI NicIsr(PBOOLEAN InterruptRecognized, PBOOLEAN QueueMiniportHandleInterrupt,
                  NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicHandleInterrupt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicEnableInterrupt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI NicDisableInterrupt(NDIS_HANDLE MiniportAdapterContext);
NDIS_STATUS NTAPI NicTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                  NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                  UINT ByteOffset, UINT BytesToTransfer);

// oid.c
NDIS_STATUS NTAPI NicQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                      PVOID InformationBuffer, ULONG InformationBufferLength,
                                      PULONG BytesWritten, PULONG BytesNeeded);
NDIS_STATUS NTAPI NicSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded);
