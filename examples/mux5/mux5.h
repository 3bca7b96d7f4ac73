// SPDX-License-Identifier: MIT
//
// mux5: an NDIS 5.1 intermediate driver with several virtual miniports over one binding, and one over
// several. Each adapter below carries the virtual miniports that its section names: "UpperBindings" one of
// its own, to which a second is added, and "Bundle" one that all bindings which name it share. Sends of a
// bundle take turns over its adapters.
//
// Files   driver.c   DriverEntry and unload            protocol.c  bindings, requests, events and status from
// below
//         bundle.c   which miniport is over which      miniport.c  initialize, halt, OID requests
//         send.c     packets on their way down         receive.c   packets and lookahead on their way up
// Lives   A MUX_BINDING from MuxBind to the end of MuxUnbind. A MUX_MINIPORT from the first binding that
// names it to
//         the last: both are made and taken down with the gate held, which is an event and no lock, so that
//         NDIS may be called. Nothing that NDIS calls from inside there takes the gate.
// Lock    Mux.Lock guards who is over whom and who uses what: all that stands below "guarded" in the
// structures. NDIS is
//         never called with it held.
#pragma once

#include <ndis.h>

#define MUX_TAG '5xuM'
#define MUX_HEADER 14
#define MUX_PACKETS 64
#define MUX_PACKETS_OVERFLOW 960
#define MUX_MULTICAST_MAX 32
#define MUX_UPPER_MAX 4  // virtual miniports of one binding
#define MUX_LOWER_MAX 8  // bindings of one virtual miniport

struct _MUX_BINDING;

typedef struct _MUX_MINIPORT {
  LIST_ENTRY Link;         // in Mux.Miniports
  NDIS_STRING DeviceName;  // its buffer stands behind
  ULONG Bindings;          // that name it; guarded by the gate
  NDIS_HANDLE SendPool;
  NDIS_HANDLE ReceivePool;
  NDIS_EVENT Initialized;   // set when MuxInitialize has run
  NDIS_EVENT Halted;        // set when MuxHalt has run
  LONG LookaheadIndicated;  // a ReceiveComplete is owed to those above

  // Guarded by Mux.Lock.
  BOOLEAN InitializePending;
  BOOLEAN Up;            // between initialize and halt
  NDIS_HANDLE Miniport;  // NULL: it is not there
  ULONG Users;           // indications, and packets that those above hold
  NDIS_EVENT NoUsers;    // set, under the lock, when the last one ends while not Up
  struct _MUX_BINDING* Lower[MUX_LOWER_MAX];
  ULONG LowerCount;
  ULONG NextLower;
  ULONG PacketFilter;
  ULONG Lookahead;
  UCHAR Multicast[MUX_MULTICAST_MAX][ETH_LENGTH_OF_ADDRESS];
  ULONG MulticastCount;
  ULONG Sent;
  ULONG Received;

  // Of the first binding; not changed afterwards.
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];
  ULONG FrameSize;
  ULONG LinkSpeed;
} MUX_MINIPORT, *PMUX_MINIPORT;

typedef struct _MUX_BINDING {
  NDIS_HANDLE Handle;
  NDIS_EVENT Completed;  // of what MuxBind and MuxUnbind wait for
  NDIS_STATUS Status;
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];
  ULONG FrameSize;
  ULONG LinkSpeed;

  // Guarded by Mux.Lock.
  BOOLEAN Closing;     // no send or transfer begins any more
  ULONG Users;         // sends and transfers under way
  NDIS_EVENT NoUsers;  // set, under the lock, when the last one ends while Closing
  PMUX_MINIPORT Upper[MUX_UPPER_MAX];
  ULONG UpperCount;
} MUX_BINDING, *PMUX_BINDING;

typedef struct _MUX_GLOBALS {
  NDIS_HANDLE Wrapper;
  NDIS_HANDLE Driver;  // the layered miniport
  NDIS_HANDLE Protocol;
  KEVENT Gate;
  LIST_ENTRY Miniports;  // guarded by the gate
  NDIS_SPIN_LOCK Lock;
} MUX_GLOBALS;

extern MUX_GLOBALS Mux;

// What a packet of our own stands for. On its way down it lies in ProtocolReserved; on its way up in
// MiniportReserved, where there is room for the first member only.
typedef struct _MUX_SEND {
  PNDIS_PACKET Original;
  PMUX_MINIPORT Miniport;
} MUX_SEND, *PMUX_SEND;
#define MUX_SEND_OF(Packet) ((PMUX_SEND)(Packet)->ProtocolReserved)
#define MUX_RECEIVED_OF(Packet) (*(PNDIS_PACKET*)(Packet)->MiniportReserved)

// bundle.c: the gate is held.
NDIS_STATUS MuxAttach(PMUX_BINDING Binding, PNDIS_STRING DeviceName);
VOID MuxDetachAll(PMUX_BINDING Binding);
// Any time. The first two: FALSE if it is not up, or closing.
BOOLEAN MuxBeginUse(PMUX_MINIPORT Miniport);
BOOLEAN MuxBeginBindingUse(PMUX_BINDING Binding);
VOID MuxEndUse(PMUX_MINIPORT Miniport);
VOID MuxEndBindingUse(PMUX_BINDING Binding);
// The virtual miniports over the binding that are up, each with a use begun. Returns how many.
ULONG MuxTakeUppers(PMUX_BINDING Binding, PMUX_MINIPORT* Uppers);
// The bindings under the miniport, each with a use begun.
ULONG MuxTakeLowers(PMUX_MINIPORT Miniport, PMUX_BINDING* Lowers);
// The binding whose turn it is, with a use begun; NULL: there is none.
PMUX_BINDING MuxTakeNextLower(PMUX_MINIPORT Miniport);

// protocol.c
VOID NTAPI MuxBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                   PVOID SystemSpecific1, PVOID SystemSpecific2);
VOID NTAPI MuxUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext);
VOID NTAPI MuxOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                           NDIS_STATUS OpenErrorStatus);
VOID NTAPI MuxCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
VOID NTAPI MuxRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                              NDIS_STATUS Status);
VOID NTAPI MuxResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
VOID NTAPI MuxStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                     UINT StatusBufferSize);
VOID NTAPI MuxStatusComplete(NDIS_HANDLE ProtocolBindingContext);
NDIS_STATUS NTAPI MuxPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent);

// miniport.c
NDIS_STATUS NTAPI MuxInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                                PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                                NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext);
VOID NTAPI MuxHalt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI MuxShutdown(PVOID ShutdownContext);
VOID NTAPI MuxDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                             PVOID InformationBuffer, ULONG InformationBufferLength);
NDIS_STATUS NTAPI MuxQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                      PVOID InformationBuffer, ULONG InformationBufferLength,
                                      PULONG BytesWritten, PULONG BytesNeeded);
NDIS_STATUS NTAPI MuxSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                    ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded);
// Whether those above the miniport want a frame to this address.
BOOLEAN MuxAccepts(PMUX_MINIPORT Miniport, const UCHAR* Destination);

// send.c
VOID NTAPI MuxSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray,
                          UINT NumberOfPackets);
VOID NTAPI MuxCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId);
VOID NTAPI MuxSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status);

// receive.c
INT NTAPI MuxReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet);
NDIS_STATUS NTAPI MuxReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                             PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                             UINT LookaheadBufferSize, UINT PacketSize);
VOID NTAPI MuxReceiveComplete(NDIS_HANDLE ProtocolBindingContext);
VOID NTAPI MuxReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet);
NDIS_STATUS NTAPI MuxTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                  NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                  UINT ByteOffset, UINT BytesToTransfer);
VOID NTAPI MuxTransferDataComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet,
                                   NDIS_STATUS Status, UINT BytesTransferred);
