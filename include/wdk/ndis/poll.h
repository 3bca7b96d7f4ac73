// SPDX-License-Identifier: MIT
// Poll objects: NDIS asks the miniport for received packets and finished sends (6.85).
//
// Page  poll/index
#pragma once
#pragma GCC system_header

#include "nbl.h"
#include "object_header.h"

#if NDIS_SUPPORT_NDIS685

UNDIS_EXTERN_C_START

#define NDIS_ANY_NUMBER_OF_NBLS 0xFFFFFFFFU

typedef struct _NDIS_POLL_RECEIVE_DATA {
  ULONG MaxNblsToIndicate;
  ULONG Reserved1;
  NET_BUFFER_LIST* IndicatedNblChain;
  ULONG NumberOfIndicatedNbls;
  ULONG NumberOfRemainingNbls;
  ULONG Flags;
  ULONG Reserved2;
  PVOID Reserved3;
} NDIS_POLL_RECEIVE_DATA;

typedef struct _NDIS_POLL_TRANSMIT_DATA {
  ULONG MaxNblsToComplete;
  ULONG Reserved1;
  NET_BUFFER_LIST* CompletedNblChain;
  ULONG NumberOfCompletedNbls;
  ULONG NumberOfRemainingNbls;
  ULONG SendCompleteFlags;
  ULONG Reserved2;
  PVOID Reserved3;
} NDIS_POLL_TRANSMIT_DATA;

typedef struct _NDIS_POLL_DATA {
  NDIS_OBJECT_HEADER Header;
  NDIS_POLL_TRANSMIT_DATA Transmit;
  NDIS_POLL_RECEIVE_DATA Receive;
} NDIS_POLL_DATA;

#define NDIS_POLL_DATA_REVISION_1 1
#define NDIS_SIZEOF_NDIS_POLL_DATA_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_POLL_DATA, Receive)

typedef struct _NDIS_POLL_NOTIFICATION {
  NDIS_OBJECT_HEADER Header;
  BOOLEAN Enabled;
} NDIS_POLL_NOTIFICATION;

#define NDIS_POLL_NOTIFICATION_REVISION_1 1
#define NDIS_SIZEOF_NDIS_POLL_NOTIFICATION_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_POLL_NOTIFICATION, Enabled)

typedef VOID(NDIS_POLL)(_In_ void* Context, _Inout_ NDIS_POLL_DATA* PollData);
typedef NDIS_POLL* NDIS_POLL_HANDLER;
typedef VOID(NDIS_SET_POLL_NOTIFICATION)(_In_ void* Context, _Inout_ NDIS_POLL_NOTIFICATION* Notification);
typedef NDIS_SET_POLL_NOTIFICATION* NDIS_SET_POLL_NOTIFICATION_HANDLER;

typedef struct _NDIS_POLL_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  NDIS_SET_POLL_NOTIFICATION_HANDLER SetPollNotificationHandler;
  NDIS_POLL_HANDLER PollHandler;
} NDIS_POLL_CHARACTERISTICS;

#define NDIS_POLL_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_NDIS_POLL_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_POLL_CHARACTERISTICS, PollHandler)

typedef struct _NDIS_POLL_HANDLE* NDIS_POLL_HANDLE;

NDISAPI NTSTATUS NdisRegisterPoll(_In_ NDIS_HANDLE NdisHandle, _In_opt_ void* Context,
                                  _In_ const NDIS_POLL_CHARACTERISTICS* Characteristics,
                                  _Out_ NDIS_POLL_HANDLE* PollHandle);
NDISAPI VOID NdisDeregisterPoll(_In_ NDIS_POLL_HANDLE PollHandle);
NDISAPI VOID NdisSetPollAffinity(_In_ NDIS_POLL_HANDLE PollHandle, _In_ const PROCESSOR_NUMBER* PollAffinity);
NDISAPI VOID NdisRequestPoll(_In_ NDIS_POLL_HANDLE PollHandle, _Reserved_ void* Reserved);

UNDIS_EXTERN_C_END

#endif
