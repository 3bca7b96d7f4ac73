// SPDX-License-Identifier: MIT
//
// proto6: an NDIS 6.30 protocol. It opens every adapter, counts what it receives, keeps a net buffer list for
// a while, and answers frames of EtherType 0x88B5: the answer has the same data, goes to the sender, and is
// of type 0x88B6, so that two such protocols do not answer each other's answers for ever.
//
// Files   driver.c  DriverEntry, unload, control device     bind.c  bindings, pause and restart, requests
//         data.c    receives and sends
// Lock    PROTO_BINDING.Lock guards what stands below it. NDIS is never called with it held, except to set
//         the timer.
#pragma once

#include <ndis.h>

#include "counters.h"

#define PROTO_TAG '6orP'
#define PROTO_HEADER 14
#define PROTO_QUESTION 0x88B5  // EtherTypes for local experiments
#define PROTO_ANSWER 0x88B6
#define PROTO_KEEP_MILLISECONDS 10

typedef struct _PROTO_BINDING {
  NDIS_HANDLE Handle;
  NDIS_HANDLE UnbindContext;  // of a pended unbind
  NDIS_HANDLE Pool;
  NDIS_HANDLE ReturnTimer;
  NDIS_EVENT Completed;  // of what ProtoBind waits for
  NDIS_STATUS Status;
  UCHAR Address[ETH_LENGTH_OF_ADDRESS];

  NDIS_SPIN_LOCK Lock;
  BOOLEAN Running;
  ULONG Sends;         // not yet completed
  NDIS_EVENT NoSends;  // set, under the lock, when the last one is completed while not Running
  PNET_BUFFER_LIST Kept;
} PROTO_BINDING, *PPROTO_BINDING;

typedef struct _PROTO_GLOBALS {
  PDEVICE_OBJECT Device;
  NDIS_HANDLE Protocol;
  PROTO_COUNTERS Counters;
} PROTO_GLOBALS;

extern PROTO_GLOBALS Proto;

// bind.c
PROTOCOL_BIND_ADAPTER_EX ProtoBind;
PROTOCOL_UNBIND_ADAPTER_EX ProtoUnbind;
PROTOCOL_OPEN_ADAPTER_COMPLETE_EX ProtoOpenComplete;
PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX ProtoCloseComplete;
PROTOCOL_NET_PNP_EVENT ProtoNetPnPEvent;
PROTOCOL_OID_REQUEST_COMPLETE ProtoOidRequestComplete;
PROTOCOL_STATUS_EX ProtoStatus;

// data.c
PROTOCOL_RECEIVE_NET_BUFFER_LISTS ProtoReceive;
PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE ProtoSendComplete;
NDIS_TIMER_FUNCTION ProtoReturnKept;
// Lets sends begin and lists be kept.
VOID ProtoRun(PPROTO_BINDING Binding);
// Gives back what is kept and waits for our own sends. Afterwards there are none, and nothing is kept, until
// ProtoRun.
VOID ProtoStop(PPROTO_BINDING Binding);
