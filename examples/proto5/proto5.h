// SPDX-License-Identifier: MIT
//
// proto5: an NDIS 5.1 protocol. It opens every adapter, counts what it receives, keeps a packet for a while,
// and answers frames of EtherType 0x88B5: the answer has the same data, goes to the sender, and is of type
// 0x88B6, so that two such protocols do not answer each other's answers for ever.
//
// Files   driver.c  DriverEntry, unload, shutdown, control device     bind.c  bindings and requests
//         data.c    receives, transfers, sends
// Lock    PROTO_BINDING.Lock guards what stands below it. NDIS is never called with it held, except to set
//         the timer.
#pragma once

#include <ndis.h>

#include "counters.h"

#define PROTO_TAG '5orP'
#define PROTO_HEADER 14
#define PROTO_QUESTION 0x88B5  // EtherTypes for local experiments
#define PROTO_ANSWER 0x88B6
#define PROTO_KEEP_MILLISECONDS 10
#define PROTO_PACKETS 64
#define PROTO_LOOKAHEAD 128

typedef struct _PROTO_BINDING {
  NDIS_HANDLE Handle;
  NDIS_HANDLE UnbindContext;  // of a pended unbind
  NDIS_EVENT Completed;       // of what ProtoBind waits for
  NDIS_STATUS Status;
  NDIS_TIMER ReturnTimer;
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];

  NDIS_SPIN_LOCK Lock;
  BOOLEAN Closing;
  ULONG Users;         // sends and transfers under way: the binding must not be closed under them
  NDIS_EVENT NoUsers;  // set, under the lock, when the last one ends while Closing
  PNDIS_PACKET Kept;
} PROTO_BINDING, *PPROTO_BINDING;

// A frame of our own, and the packet and buffer that describe it from `Offset` on.
typedef struct _PROTO_FRAME {
  PNDIS_PACKET Packet;
  PNDIS_BUFFER Buffer;
  UINT Offset;
  UINT Length;
  UCHAR Data[1];
} PROTO_FRAME, *PPROTO_FRAME;

typedef struct _PROTO_GLOBALS {
  PDEVICE_OBJECT Device;
  NDIS_HANDLE Protocol;
  NDIS_HANDLE PacketPool;
  NDIS_HANDLE BufferPool;
  LONG Registered;
  PROTO_COUNTERS Counters;
} PROTO_GLOBALS;

extern PROTO_GLOBALS Proto;

// bind.c
VOID NTAPI ProtoBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                     PVOID SystemSpecific1, PVOID SystemSpecific2);
VOID NTAPI ProtoUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext);
VOID NTAPI ProtoOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                             NDIS_STATUS OpenErrorStatus);
VOID NTAPI ProtoCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
VOID NTAPI ProtoRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                                NDIS_STATUS Status);
VOID NTAPI ProtoResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
NDIS_STATUS NTAPI ProtoPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent);
VOID NTAPI ProtoStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                       UINT StatusBufferSize);
VOID NTAPI ProtoStatusComplete(NDIS_HANDLE ProtocolBindingContext);

// data.c
NDIS_STATUS NTAPI ProtoReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                               PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                               UINT LookaheadBufferSize, UINT PacketSize);
INT NTAPI ProtoReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet);
VOID NTAPI ProtoReceiveComplete(NDIS_HANDLE ProtocolBindingContext);
VOID NTAPI ProtoTransferComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status,
                                 UINT BytesTransferred);
VOID NTAPI ProtoSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status);
VOID NTAPI ProtoReturnKept(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                           PVOID SystemSpecific3);
// Gives back what is kept and waits for sends and transfers. Afterwards nothing of ours uses the binding.
VOID ProtoQuiesce(PPROTO_BINDING Binding);
