// SPDX-License-Identifier: MIT
//
// passthru6: an NDIS 6.30 intermediate driver. For each adapter that it binds to it shows a virtual miniport
// above, and hands everything through: sends, receives, OID requests, status indications.
//
// Files   driver.c    DriverEntry and unload      protocol.c  bind, unbind, pause and restart below, status
//         miniport.c  the virtual miniport        data.c      net buffer lists, both ways
// Lives   A PT_ADAPTER is made in PtBind and freed in PtUnbind. Its virtual miniport lives within that time:
//         PtUnbind takes it down before it closes the adapter below, so whatever the miniport half does may
//         use the binding.
// Lock    PT_ADAPTER.Lock guards what stands below it. NDIS is never called with it held.
#pragma once

#include <ndis.h>

#define PT_TAG '6tsP'

typedef enum _PT_STATE { PtPaused, PtRunning, PtPausing } PT_STATE;

typedef struct _PT_ADAPTER {
  NDIS_HANDLE Binding;   // to the adapter below
  NDIS_EVENT Completed;  // of what PtBind and PtUnbind wait for
  NDIS_STATUS Status;
  NDIS_HANDLE Pool;                                  // of the clones
  NDIS_STRING DeviceName;                            // of the virtual miniport
  NDIS_EVENT Initialized;                            // set when PtInitialize has run
  NDIS_EVENT Halted;                                 // set when PtHalt has run
  NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General;  // what the adapter below is like, for PtInitialize

  NDIS_OID_REQUEST Request;  // NDIS sends a miniport one request at a time
  PNDIS_OID_REQUEST RequestFromAbove;

  NDIS_SPIN_LOCK Lock;
  BOOLEAN InitializePending;  // asked for, and PtInitialize has not run yet
  NDIS_HANDLE Miniport;       // NULL: the virtual miniport is not there
  BOOLEAN Up;                 // it may be called upon: between initialize and halt
  ULONG Users;                // status indications on their way up: PtHalt waits for them
  NDIS_EVENT NoUsers;         // set, under the lock, when the last one ends while not Up
  PT_STATE Below;             // the binding
  PT_STATE Above;             // the virtual miniport
  BOOLEAN PausePended;        // of the virtual miniport
  ULONG Sends;                // lists of those above that are not completed yet: both pauses wait for them
  ULONG Receives;             // lists from below that are not returned yet: the pause above waits for them
  NDIS_EVENT NoSends;         // set, under the lock, when Sends becomes zero while Below is not running
} PT_ADAPTER, *PPT_ADAPTER;

typedef struct _PT_GLOBALS {
  NDIS_HANDLE Driver;  // the miniport half
  NDIS_HANDLE Protocol;
} PT_GLOBALS;

extern PT_GLOBALS Pt;

// protocol.c
PROTOCOL_BIND_ADAPTER_EX PtBind;
PROTOCOL_UNBIND_ADAPTER_EX PtUnbind;
PROTOCOL_OPEN_ADAPTER_COMPLETE_EX PtOpenComplete;
PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX PtCloseComplete;
PROTOCOL_NET_PNP_EVENT PtNetPnPEvent;
PROTOCOL_STATUS_EX PtStatus;

// miniport.c
MINIPORT_INITIALIZE PtInitialize;
MINIPORT_HALT PtHalt;
MINIPORT_PAUSE PtPause;
MINIPORT_RESTART PtRestart;
MINIPORT_SHUTDOWN PtShutdown;
MINIPORT_DEVICE_PNP_EVENT_NOTIFY PtDevicePnPEvent;
MINIPORT_OID_REQUEST PtOidRequest;
MINIPORT_CANCEL_OID_REQUEST PtCancelOidRequest;
PROTOCOL_OID_REQUEST_COMPLETE PtOidRequestComplete;
// FALSE: the virtual miniport is not up. TRUE: it stays up until PtEndUse.
BOOLEAN PtBeginUse(PPT_ADAPTER Adapter);
VOID PtEndUse(PPT_ADAPTER Adapter);

// data.c
MINIPORT_SEND_NET_BUFFER_LISTS PtSend;
MINIPORT_CANCEL_SEND PtCancelSend;
MINIPORT_RETURN_NET_BUFFER_LISTS PtReturn;
PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE PtSendComplete;
PROTOCOL_RECEIVE_NET_BUFFER_LISTS PtReceive;
