// SPDX-License-Identifier: MIT
//
// lwf: an NDIS 6.30 modifying filter. It passes frames on and counts them, indicates a copy of its own in
// place of every fourth received frame, announces itself with a frame of its own after every eighth chain
// that is sent, forwards OID requests as clones, and says what it has counted through a device.
//
// Files   driver.c  DriverEntry and unload          module.c  attach, restart, pause, detach, status, events
//         data.c    frames both ways, its own lists  oid.c     clones
//         device.c  the device and its IOCTLs
// Lock    LWF_MODULE.Lock guards everything below it in the structure; Lwf.Lock guards the list of modules.
// NDIS is never called with
//         either held.
#pragma once

#include <ndis.h>

#include "lwf_ioctl.h"

#define LWF_TAG 'fwlU'
#define LWF_OID_TAG 'owlU'
#define LWF_COPY_EVERY 4
#define LWF_ANNOUNCE_EVERY 8
#define LWF_ANNOUNCEMENT 60
#define LWF_FRAME_MAX 1522

typedef enum _LWF_STATE { LwfPaused, LwfRunning, LwfPausing } LWF_STATE;

typedef struct _LWF_MODULE {
  LIST_ENTRY Link;
  NDIS_HANDLE Handle;
  NDIS_HANDLE Pool;

  NDIS_SPIN_LOCK Lock;
  LWF_STATE State;
  BOOLEAN PausePended;
  ULONG Own;  // lists of ours that NDIS has: a pause waits for them
  ULONG Chains;
  ULONG Frames;
  LWF_COUNTERS Counters;

  // The request that came to us and the clone of it that went down. NDIS gives us one request at a time.
  PNDIS_OID_REQUEST Original;
  PNDIS_OID_REQUEST Clone;
} LWF_MODULE, *PLWF_MODULE;

typedef struct _LWF_DRIVER {
  NDIS_HANDLE Handle;
  NDIS_HANDLE DeviceHandle;
  PDEVICE_OBJECT Device;
  NDIS_SPIN_LOCK Lock;
  LIST_ENTRY Modules;
} LWF_DRIVER;

extern LWF_DRIVER Lwf;

// One of our lists, with its memory: what LwfTakeOwn frees.
typedef struct _LWF_OWN {
  PMDL Mdl;
  UCHAR Data[LWF_FRAME_MAX];
} LWF_OWN, *PLWF_OWN;

// ---- module.c ----
FILTER_ATTACH LwfAttach;
FILTER_DETACH LwfDetach;
FILTER_RESTART LwfRestart;
FILTER_PAUSE LwfPause;
FILTER_STATUS LwfStatus;
FILTER_NET_PNP_EVENT LwfNetPnPEvent;
FILTER_DEVICE_PNP_EVENT_NOTIFY LwfDevicePnPEvent;
// One list of ours that NDIS has more, or fewer. Begin says whether the module may originate now.
BOOLEAN LwfBeginOwn(PLWF_MODULE Module);
VOID LwfEndOwn(PLWF_MODULE Module);

// ---- data.c ----
FILTER_SEND_NET_BUFFER_LISTS LwfSend;
FILTER_SEND_NET_BUFFER_LISTS_COMPLETE LwfSendComplete;
FILTER_CANCEL_SEND_NET_BUFFER_LISTS LwfCancelSend;
FILTER_RECEIVE_NET_BUFFER_LISTS LwfReceive;
FILTER_RETURN_NET_BUFFER_LISTS LwfReturn;
VOID LwfAnnounce(PLWF_MODULE Module);

// ---- oid.c ----
FILTER_OID_REQUEST LwfOidRequest;
FILTER_OID_REQUEST_COMPLETE LwfOidRequestComplete;
FILTER_CANCEL_OID_REQUEST LwfCancelOidRequest;

// ---- device.c ----
NDIS_STATUS LwfCreateDevice(VOID);
VOID LwfDeleteDevice(VOID);
