// SPDX-License-Identifier: MIT
//
// nic6: an NDIS 6.30 miniport without hardware. Its wire is a loop: what is sent comes back as if from
// outside.
//
// Files   driver.c  DriverEntry and unload         adapter.c  initialize, pause, restart, halt
//         data.c    send, the wire, return         oid.c      OID requests
// Lock    NIC_ADAPTER.Lock guards everything below it in the structure. NDIS is never called with it held,
//         except to set the timer of the wire.
#pragma once

#include <ndis.h>

#define NIC_TAG '6ciN'
#define NIC_HEADER 14
#define NIC_MTU 1500
#define NIC_FRAME_MAX (NIC_HEADER + 4 + NIC_MTU)  // with room for a VLAN tag
#define NIC_RING 32
#define NIC_MULTICAST_MAX 32
#define NIC_LINK_SPEED 1000000000ULL
#define NIC_WIRE_MILLISECONDS 1
#define NIC_FILTERS                                                                          \
  (NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | \
   NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS)

typedef enum _NIC_STATE { NicPaused, NicRunning, NicPausing } NIC_STATE;

typedef enum _NIC_CAST { NicUnicast, NicMulticast, NicBroadcast, NicCasts } NIC_CAST;

typedef struct _NIC_COUNTERS {
  ULONG64 Frames[NicCasts];
  ULONG64 Octets[NicCasts];
  ULONG64 Errors;
  ULONG64 Discards;
} NIC_COUNTERS;

// One place of the receive ring: the memory of a frame and what describes it to NDIS.
typedef struct _NIC_FRAME {
  LIST_ENTRY Link;
  PMDL Mdl;
  PNET_BUFFER_LIST List;
  ULONG Length;
  UCHAR Data[NIC_FRAME_MAX];
} NIC_FRAME, *PNIC_FRAME;

typedef struct _NIC_ADAPTER {
  NDIS_HANDLE Handle;
  NDIS_HANDLE Pool;
  NDIS_HANDLE WireTimer;
  UCHAR PermanentAddress[ETH_LENGTH_OF_ADDRESS];
  UCHAR CurrentAddress[ETH_LENGTH_OF_ADDRESS];

  volatile LONG Gone;  // removed by surprise: what is still asked is not accepted
  NDIS_SPIN_LOCK Lock;
  NIC_STATE State;
  BOOLEAN PausePended;
  // What a pause has to wait for: sends not yet completed, frames not yet returned, calls of NDIS' receive
  // function.
  ULONG Busy;
  PNET_BUFFER_LIST SendHead;
  PNET_BUFFER_LIST SendTail;
  BOOLEAN WireTimerSet;
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
MINIPORT_INITIALIZE NicInitialize;
MINIPORT_HALT NicHalt;
MINIPORT_PAUSE NicPause;
MINIPORT_RESTART NicRestart;
MINIPORT_SHUTDOWN NicShutdown;
MINIPORT_DEVICE_PNP_EVENT_NOTIFY NicDevicePnPEvent;

// data.c
MINIPORT_SEND_NET_BUFFER_LISTS NicSend;
MINIPORT_CANCEL_SEND NicCancelSend;
MINIPORT_RETURN_NET_BUFFER_LISTS NicReturn;
NDIS_TIMER_FUNCTION NicWire;
NIC_CAST NicCastOf(const UCHAR* Address);
// Completes a chain with this status, and says how many lists it had.
ULONG NicCompleteSends(PNIC_ADAPTER Adapter, PNET_BUFFER_LIST Lists, NDIS_STATUS Status, ULONG Flags);
// Takes `Count` off Busy. Whoever takes the last one completes a pended pause; the adapter may be gone
// afterwards.
VOID NicDone(PNIC_ADAPTER Adapter, ULONG Count);

// oid.c
MINIPORT_OID_REQUEST NicOidRequest;
MINIPORT_CANCEL_OID_REQUEST NicCancelOidRequest;
extern const NDIS_OID NicSupportedOids[];
extern const ULONG NicSupportedOidsSize;
