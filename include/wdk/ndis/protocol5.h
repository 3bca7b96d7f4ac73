// SPDX-License-Identifier: MIT
//
// NDIS 4.0 and 5.x protocols: handlers, characteristics, registration, bindings, sends and receives.
//
// Pages   ndis/nf-ndis-ndisregisterprotocol (the characteristics), nf-ndis-ndisderegisterprotocol,
//         nf-ndis-ndisopenadapter, nf-ndis-ndiscloseadapter, nf-ndis-ndisgetreceivedpacket
#pragma once
#pragma GCC system_header

#include "config.h"
#include "packet5.h"
#include "request5.h"

UNDIS_EXTERN_C_START

// Handlers, in the order of the characteristics.

typedef VOID(NTAPI* OPEN_ADAPTER_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                                   _In_ NDIS_STATUS Status, _In_ NDIS_STATUS OpenErrorStatus);
typedef VOID(NTAPI* CLOSE_ADAPTER_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                                    _In_ NDIS_STATUS Status);
typedef VOID(NTAPI* SEND_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext, _In_ PNDIS_PACKET Packet,
                                           _In_ NDIS_STATUS Status);
typedef VOID(NTAPI* WAN_SEND_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                               _In_ PNDIS_WAN_PACKET Packet, _In_ NDIS_STATUS Status);
typedef VOID(NTAPI* TRANSFER_DATA_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                                    _In_ PNDIS_PACKET Packet, _In_ NDIS_STATUS Status,
                                                    _In_ UINT BytesTransferred);
typedef VOID(NTAPI* WAN_TRANSFER_DATA_COMPLETE_HANDLER)(VOID);
typedef VOID(NTAPI* RESET_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext, _In_ NDIS_STATUS Status);
typedef VOID(NTAPI* REQUEST_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                              _In_ PNDIS_REQUEST NdisRequest, _In_ NDIS_STATUS Status);
typedef NDIS_STATUS(NTAPI* RECEIVE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                            _In_ NDIS_HANDLE MacReceiveContext, _In_ PVOID HeaderBuffer,
                                            _In_ UINT HeaderBufferSize, _In_ PVOID LookAheadBuffer,
                                            _In_ UINT LookaheadBufferSize, _In_ UINT PacketSize);
typedef NDIS_STATUS(NTAPI* WAN_RECEIVE_HANDLER)(_In_ NDIS_HANDLE NdisLinkHandle, _In_ PUCHAR Packet,
                                                _In_ ULONG PacketSize);
typedef VOID(NTAPI* RECEIVE_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext);
typedef VOID(NTAPI* STATUS_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext, _In_ NDIS_STATUS GeneralStatus,
                                    _In_ PVOID StatusBuffer, _In_ UINT StatusBufferSize);
typedef VOID(NTAPI* STATUS_COMPLETE_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext);
typedef INT(NTAPI* RECEIVE_PACKET_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext, _In_ PNDIS_PACKET Packet);
typedef VOID(NTAPI* BIND_HANDLER)(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE BindContext,
                                  _In_ PNDIS_STRING DeviceName, _In_ PVOID SystemSpecific1,
                                  _In_ PVOID SystemSpecific2);
typedef VOID(NTAPI* UNBIND_HANDLER)(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolBindingContext,
                                    _In_ NDIS_HANDLE UnbindContext);
typedef NDIS_STATUS(NTAPI* PNP_EVENT_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                              _In_ PNET_PNP_EVENT NetPnPEvent);
typedef VOID(NTAPI* UNLOAD_PROTOCOL_HANDLER)(VOID);
typedef VOID(NTAPI* CO_SEND_COMPLETE_HANDLER)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolVcContext,
                                              _In_ PNDIS_PACKET Packet);
typedef VOID(NTAPI* CO_STATUS_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                       _In_opt_ NDIS_HANDLE ProtocolVcContext, _In_ NDIS_STATUS GeneralStatus,
                                       _In_ PVOID StatusBuffer, _In_ UINT StatusBufferSize);
typedef UINT(NTAPI* CO_RECEIVE_PACKET_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                               _In_ NDIS_HANDLE ProtocolVcContext, _In_ PNDIS_PACKET Packet);
typedef VOID(NTAPI* CO_AF_REGISTER_NOTIFY_HANDLER)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                                   _In_ struct _CO_ADDRESS_FAMILY* AddressFamily);

// The members that 4.0 and 5.0 share, in their order; 5.0 adds the connection-oriented handlers.
#define UNDIS_PROTOCOL_CHARACTERISTICS_40                              \
  UCHAR MajorNdisVersion;                                              \
  UCHAR MinorNdisVersion;                                              \
  USHORT Filler;                                                       \
  union {                                                              \
    UINT Reserved;                                                     \
    UINT Flags;                                                        \
  };                                                                   \
  OPEN_ADAPTER_COMPLETE_HANDLER OpenAdapterCompleteHandler;            \
  CLOSE_ADAPTER_COMPLETE_HANDLER CloseAdapterCompleteHandler;          \
  union {                                                              \
    SEND_COMPLETE_HANDLER SendCompleteHandler;                         \
    WAN_SEND_COMPLETE_HANDLER WanSendCompleteHandler;                  \
  };                                                                   \
  union {                                                              \
    TRANSFER_DATA_COMPLETE_HANDLER TransferDataCompleteHandler;        \
    WAN_TRANSFER_DATA_COMPLETE_HANDLER WanTransferDataCompleteHandler; \
  };                                                                   \
  RESET_COMPLETE_HANDLER ResetCompleteHandler;                         \
  REQUEST_COMPLETE_HANDLER RequestCompleteHandler;                     \
  union {                                                              \
    RECEIVE_HANDLER ReceiveHandler;                                    \
    WAN_RECEIVE_HANDLER WanReceiveHandler;                             \
  };                                                                   \
  RECEIVE_COMPLETE_HANDLER ReceiveCompleteHandler;                     \
  STATUS_HANDLER StatusHandler;                                        \
  STATUS_COMPLETE_HANDLER StatusCompleteHandler;                       \
  NDIS_STRING Name;                                                    \
  RECEIVE_PACKET_HANDLER ReceivePacketHandler;                         \
  BIND_HANDLER BindAdapterHandler;                                     \
  UNBIND_HANDLER UnbindAdapterHandler;                                 \
  PNP_EVENT_HANDLER PnPEventHandler;                                   \
  UNLOAD_PROTOCOL_HANDLER UnloadHandler;

typedef struct _NDIS40_PROTOCOL_CHARACTERISTICS {
  UNDIS_PROTOCOL_CHARACTERISTICS_40
} NDIS40_PROTOCOL_CHARACTERISTICS, *PNDIS40_PROTOCOL_CHARACTERISTICS;

typedef struct _NDIS50_PROTOCOL_CHARACTERISTICS {
  UNDIS_PROTOCOL_CHARACTERISTICS_40
  PVOID ReservedHandlers[4];
  CO_SEND_COMPLETE_HANDLER CoSendCompleteHandler;
  CO_STATUS_HANDLER CoStatusHandler;
  CO_RECEIVE_PACKET_HANDLER CoReceivePacketHandler;
  CO_AF_REGISTER_NOTIFY_HANDLER CoAfRegisterNotifyHandler;
} NDIS50_PROTOCOL_CHARACTERISTICS, *PNDIS50_PROTOCOL_CHARACTERISTICS;

// A protocol of NDIS 5.1 uses the structure of 5.0.
#if defined(NDIS50) || defined(NDIS51) || defined(UNDIS_ALL_VERSIONS)
typedef struct _NDIS50_PROTOCOL_CHARACTERISTICS NDIS_PROTOCOL_CHARACTERISTICS;
#else
typedef struct _NDIS40_PROTOCOL_CHARACTERISTICS NDIS_PROTOCOL_CHARACTERISTICS;
#endif
typedef NDIS_PROTOCOL_CHARACTERISTICS* PNDIS_PROTOCOL_CHARACTERISTICS;

// Registration.

NDISAPI VOID NTAPI NdisRegisterProtocol(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE NdisProtocolHandle,
                                        _In_ PNDIS_PROTOCOL_CHARACTERISTICS ProtocolCharacteristics,
                                        _In_ UINT CharacteristicsLength);

NDISAPI VOID NTAPI NdisDeregisterProtocol(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisProtocolHandle);

// Bindings.

NDISAPI VOID NTAPI NdisOpenAdapter(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_STATUS OpenErrorStatus,
                                   _Out_ PNDIS_HANDLE NdisBindingHandle, _Out_ PUINT SelectedMediumIndex,
                                   _In_ PNDIS_MEDIUM MediumArray, _In_ UINT MediumArraySize,
                                   _In_ NDIS_HANDLE NdisProtocolHandle,
                                   _In_ NDIS_HANDLE ProtocolBindingContext, _In_ PNDIS_STRING AdapterName,
                                   _In_ UINT OpenOptions, _In_opt_ PSTRING AddressingInformation);

NDISAPI VOID NTAPI NdisCloseAdapter(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle);

NDISAPI VOID NTAPI NdisCompleteBindAdapter(_In_ NDIS_HANDLE BindAdapterContext, _In_ NDIS_STATUS Status,
                                           _In_ NDIS_STATUS OpenStatus);

NDISAPI VOID NTAPI NdisCompleteUnbindAdapter(_In_ NDIS_HANDLE UnbindAdapterContext, _In_ NDIS_STATUS Status);

NDISAPI VOID NTAPI NdisCompletePnPEvent(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle,
                                        _In_ PNET_PNP_EVENT NetPnPEvent);

NDISAPI NDIS_STATUS NTAPI NdisQueryPendingIOCount(_In_ NDIS_HANDLE NdisBindingHandle, _Out_ PULONG IoCount);

NDISAPI VOID NTAPI NdisReset(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle);

// Sends and receives.

NDISAPI VOID NTAPI NdisSend(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle,
                            _In_ PNDIS_PACKET Packet);

NDISAPI VOID NTAPI NdisSendPackets(_In_ NDIS_HANDLE NdisBindingHandle, _In_ PPNDIS_PACKET PacketArray,
                                   _In_ UINT NumberOfPackets);

NDISAPI VOID NTAPI NdisCancelSendPackets(_In_ NDIS_HANDLE NdisBindingHandle, _In_ PVOID CancelId);

NDISAPI VOID NTAPI NdisTransferData(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle,
                                    _In_ NDIS_HANDLE MacReceiveContext, _In_ UINT ByteOffset,
                                    _In_ UINT BytesToTransfer, _Inout_ PNDIS_PACKET Packet,
                                    _Out_ PUINT BytesTransferred);

NDISAPI VOID NTAPI NdisReturnPackets(_In_ PNDIS_PACKET* PacketsToReturn, _In_ UINT NumberOfPackets);

NDISAPI PNDIS_PACKET NTAPI NdisGetReceivedPacket(_In_ NDIS_HANDLE NdisBindingHandle,
                                                 _In_ NDIS_HANDLE MacContext);

NDISAPI NDIS_STATUS NTAPI NdisQueryReceiveInformation(_In_ NDIS_HANDLE NdisBindingHandle,
                                                      _In_ NDIS_HANDLE MacContext,
                                                      _Out_opt_ PLONGLONG TimeSent,
                                                      _Out_opt_ PLONGLONG TimeReceived, _In_ PUCHAR Buffer,
                                                      _In_ UINT BufferSize, _Out_ PUINT SizeNeeded);

UNDIS_EXTERN_C_END
