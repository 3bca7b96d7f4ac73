// SPDX-License-Identifier: MIT
//
// passthru5: an NDIS 5.1 intermediate driver. For each adapter that it binds to it shows a virtual miniport
// above, and hands everything through: sends, receives, OID requests, status indications.
//
// Files   driver.c   DriverEntry and unload           protocol.c  bind, unbind, events and status from below
//         miniport.c initialize, halt, OID requests   send.c      packets on their way down
//         receive.c  packets on their way up
// Lives   A PT_ADAPTER is made in PtBind and freed in PtUnbind. Its virtual miniport lives within that time:
//         PtUnbind takes it down before it closes the adapter below, so whatever the miniport half does may
//         use the binding.
// Lock    PT_ADAPTER.Lock guards what stands below it. NDIS is never called with it held.
#pragma once

#include <ndis.h>

#define PT_TAG '5tsP'
#define PT_HEADER 14
#define PT_PACKETS 64
#define PT_PACKETS_OVERFLOW 960

typedef struct _PT_ADAPTER {
  NDIS_HANDLE Binding;   // to the adapter below
  NDIS_EVENT Completed;  // of what PtBind and PtUnbind wait for
  NDIS_STATUS Status;
  NDIS_HANDLE SendPool;  // packets of our own, for those that have no stack location left
  NDIS_HANDLE ReceivePool;
  NDIS_STRING DeviceName;   // of the virtual miniport
  NDIS_EVENT Initialized;   // set when PtInitialize has run
  NDIS_EVENT Halted;        // set when PtHalt has run
  LONG LookaheadIndicated;  // a ReceiveComplete is owed to those above

  NDIS_REQUEST Request;  // NDIS sends a miniport one request at a time
  PULONG RequestBytesUsed;
  PULONG RequestBytesNeeded;

  NDIS_SPIN_LOCK Lock;
  BOOLEAN InitializePending;  // asked for, and PtInitialize has not run yet
  NDIS_HANDLE Miniport;       // NULL: the virtual miniport is not there
  BOOLEAN Up;                 // it may be called upon: between initialize and halt
  ULONG PacketFilter;         // of those above; zero: nobody wants to receive
  ULONG Users;                // indications and packets that are on their way up: PtHalt waits for them
  NDIS_EVENT NoUsers;         // set, under the lock, when the last one ends while not Up

  WCHAR NameBuffer[1];
} PT_ADAPTER, *PPT_ADAPTER;

typedef struct _PT_GLOBALS {
  NDIS_HANDLE Wrapper;
  NDIS_HANDLE Driver;  // the layered miniport
  NDIS_HANDLE Protocol;
} PT_GLOBALS;

extern PT_GLOBALS Pt;

// protocol.c
VOID NTAPI PtBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                  PVOID SystemSpecific1, PVOID SystemSpecific2);
VOID NTAPI PtUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext);
VOID NTAPI PtOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                          NDIS_STATUS OpenErrorStatus);
VOID NTAPI PtCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
VOID NTAPI PtResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
VOID NTAPI PtStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                    UINT StatusBufferSize);
VOID NTAPI PtStatusComplete(NDIS_HANDLE ProtocolBindingContext);
NDIS_STATUS NTAPI PtPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent);

// miniport.c
NDIS_STATUS NTAPI PtInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                               PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                               NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext);
VOID NTAPI PtHalt(NDIS_HANDLE MiniportAdapterContext);
VOID NTAPI PtShutdown(PVOID ShutdownContext);
VOID NTAPI PtDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                            PVOID InformationBuffer, ULONG InformationBufferLength);
NDIS_STATUS NTAPI PtQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                     PVOID InformationBuffer, ULONG InformationBufferLength,
                                     PULONG BytesWritten, PULONG BytesNeeded);
NDIS_STATUS NTAPI PtSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                   ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded);
VOID NTAPI PtRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                             NDIS_STATUS Status);
// FALSE: the virtual miniport is not up (or, for data, nobody above wants any). TRUE: it stays up until
// PtEndUse.
BOOLEAN PtBeginUse(PPT_ADAPTER Adapter, BOOLEAN ForData);
VOID PtEndUse(PPT_ADAPTER Adapter);

// send.c
VOID NTAPI PtSendPackets(NDIS_HANDLE MiniportAdapterContext, PPNDIS_PACKET PacketArray, UINT NumberOfPackets);
VOID NTAPI PtCancelSendPackets(NDIS_HANDLE MiniportAdapterContext, PVOID CancelId);
VOID NTAPI PtSendComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status);

// receive.c
INT NTAPI PtReceivePacket(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet);
NDIS_STATUS NTAPI PtReceive(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                            PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                            UINT LookaheadBufferSize, UINT PacketSize);
VOID NTAPI PtReceiveComplete(NDIS_HANDLE ProtocolBindingContext);
VOID NTAPI PtReturnPacket(NDIS_HANDLE MiniportAdapterContext, PNDIS_PACKET Packet);
NDIS_STATUS NTAPI PtTransferData(PNDIS_PACKET Packet, PUINT BytesTransferred,
                                 NDIS_HANDLE MiniportAdapterContext, NDIS_HANDLE MiniportReceiveContext,
                                 UINT ByteOffset, UINT BytesToTransfer);
VOID NTAPI PtTransferDataComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet, NDIS_STATUS Status,
                                  UINT BytesTransferred);
