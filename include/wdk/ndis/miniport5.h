// SPDX-License-Identifier: MIT
//
// NDIS 5.x miniports: handlers, characteristics, registration, attributes, sends, receives and status.
//
// Pages   ndis/nf-ndis-ndisimregisterlayeredminiport (the characteristics), nf-ndis-ndismsetattributesex,
//         nf-ndis-ndismregisterunloadhandler, nf-ndis-ndismindicatestatus
// Note    Where the old headers have a macro that calls through the miniport block, there is a function here.
#pragma once
#pragma GCC system_header

#include "config.h"
#include "device.h"
#include "packet5.h"
#include "pnp_power.h"
#include "request5.h"

UNDIS_EXTERN_C_START

// Handlers, in the order of the characteristics.

typedef BOOLEAN(NTAPI* W_CHECK_FOR_HANG_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef VOID(NTAPI* W_DISABLE_INTERRUPT_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef VOID(NTAPI* W_ENABLE_INTERRUPT_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef VOID(NTAPI* W_HALT_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef VOID(NTAPI* W_HANDLE_INTERRUPT_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef NDIS_STATUS(NTAPI* W_INITIALIZE_HANDLER)(_Out_ PNDIS_STATUS OpenErrorStatus,
                                                 _Out_ PUINT SelectedMediumIndex,
                                                 _In_ PNDIS_MEDIUM MediumArray, _In_ UINT MediumArraySize,
                                                 _In_ NDIS_HANDLE MiniportAdapterHandle,
                                                 _In_ NDIS_HANDLE WrapperConfigurationContext);
typedef VOID(NTAPI* W_ISR_HANDLER)(_Out_ PBOOLEAN InterruptRecognized,
                                   _Out_ PBOOLEAN QueueMiniportHandleInterrupt,
                                   _In_ NDIS_HANDLE MiniportAdapterContext);
typedef NDIS_STATUS(NTAPI* W_QUERY_INFORMATION_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                        _In_ NDIS_OID Oid, _In_ PVOID InformationBuffer,
                                                        _In_ ULONG InformationBufferLength,
                                                        _Out_ PULONG BytesWritten, _Out_ PULONG BytesNeeded);
typedef NDIS_STATUS(NTAPI* W_RECONFIGURE_HANDLER)(_Out_ PNDIS_STATUS OpenErrorStatus,
                                                  _In_opt_ NDIS_HANDLE MiniportAdapterContext,
                                                  _In_ NDIS_HANDLE WrapperConfigurationContext);
typedef NDIS_STATUS(NTAPI* W_RESET_HANDLER)(_Out_ PBOOLEAN AddressingReset,
                                            _In_ NDIS_HANDLE MiniportAdapterContext);
typedef NDIS_STATUS(NTAPI* W_SEND_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext, _In_ PNDIS_PACKET Packet,
                                           _In_ UINT Flags);
typedef NDIS_STATUS(NTAPI* WM_SEND_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                            _In_ NDIS_HANDLE NdisLinkHandle, _In_ PNDIS_WAN_PACKET Packet);
typedef NDIS_STATUS(NTAPI* W_SET_INFORMATION_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                      _In_ NDIS_OID Oid, _In_ PVOID InformationBuffer,
                                                      _In_ ULONG InformationBufferLength,
                                                      _Out_ PULONG BytesRead, _Out_ PULONG BytesNeeded);
typedef NDIS_STATUS(NTAPI* W_TRANSFER_DATA_HANDLER)(_Out_ PNDIS_PACKET Packet, _Out_ PUINT BytesTransferred,
                                                    _In_ NDIS_HANDLE MiniportAdapterContext,
                                                    _In_ NDIS_HANDLE MiniportReceiveContext,
                                                    _In_ UINT ByteOffset, _In_ UINT BytesToTransfer);
typedef NDIS_STATUS(NTAPI* WM_TRANSFER_DATA_HANDLER)(VOID);
typedef VOID(NTAPI* W_RETURN_PACKET_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                             _In_ PNDIS_PACKET Packet);
typedef VOID(NTAPI* W_SEND_PACKETS_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                            _In_ PPNDIS_PACKET PacketArray, _In_ UINT NumberOfPackets);
typedef VOID(NTAPI* W_ALLOCATE_COMPLETE_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                 _In_ PVOID VirtualAddress,
                                                 _In_ PNDIS_PHYSICAL_ADDRESS PhysicalAddress,
                                                 _In_ ULONG Length, _In_ PVOID Context);
typedef NDIS_STATUS(NTAPI* W_CO_CREATE_VC_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                   _In_ NDIS_HANDLE NdisVcHandle,
                                                   _Out_ PNDIS_HANDLE MiniportVcContext);
typedef NDIS_STATUS(NTAPI* W_CO_DELETE_VC_HANDLER)(_In_ NDIS_HANDLE MiniportVcContext);
typedef NDIS_STATUS(NTAPI* W_CO_ACTIVATE_VC_HANDLER)(_In_ NDIS_HANDLE MiniportVcContext,
                                                     _Inout_ struct _CO_CALL_PARAMETERS* CallParameters);
typedef NDIS_STATUS(NTAPI* W_CO_DEACTIVATE_VC_HANDLER)(_In_ NDIS_HANDLE MiniportVcContext);
typedef VOID(NTAPI* W_CO_SEND_PACKETS_HANDLER)(_In_ NDIS_HANDLE MiniportVcContext,
                                               _In_ PPNDIS_PACKET PacketArray, _In_ UINT NumberOfPackets);
typedef NDIS_STATUS(NTAPI* W_CO_REQUEST_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                 _In_opt_ NDIS_HANDLE MiniportVcContext,
                                                 _Inout_ PNDIS_REQUEST NdisRequest);
typedef VOID(NTAPI* W_CANCEL_SEND_PACKETS_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                   _In_ PVOID CancelId);
typedef VOID(NTAPI* W_MINIPORT_PNPEVENTNOTIFY_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                       _In_ NDIS_DEVICE_PNP_EVENT PnPEvent,
                                                       _In_ PVOID InformationBuffer,
                                                       _In_ ULONG InformationBufferLength);
typedef VOID(NTAPI* ADAPTER_SHUTDOWN_HANDLER)(_In_ PVOID ShutdownContext);
typedef ADAPTER_SHUTDOWN_HANDLER W_MINIPORT_SHUTDOWN_HANDLER;

// The members that every version has, in their order. The documented structures of 4.0, 5.0 and 5.1 differ
// only in where they end; NdisMRegisterMiniport tells them apart by MajorNdisVersion, MinorNdisVersion and
// the length.
#define UNDIS_MINIPORT_CHARACTERISTICS_40              \
  UCHAR MajorNdisVersion;                              \
  UCHAR MinorNdisVersion;                              \
  USHORT Filler;                                       \
  UINT Reserved;                                       \
  W_CHECK_FOR_HANG_HANDLER CheckForHangHandler;        \
  W_DISABLE_INTERRUPT_HANDLER DisableInterruptHandler; \
  W_ENABLE_INTERRUPT_HANDLER EnableInterruptHandler;   \
  W_HALT_HANDLER HaltHandler;                          \
  W_HANDLE_INTERRUPT_HANDLER HandleInterruptHandler;   \
  W_INITIALIZE_HANDLER InitializeHandler;              \
  W_ISR_HANDLER ISRHandler;                            \
  W_QUERY_INFORMATION_HANDLER QueryInformationHandler; \
  W_RECONFIGURE_HANDLER ReconfigureHandler;            \
  W_RESET_HANDLER ResetHandler;                        \
  union {                                              \
    W_SEND_HANDLER SendHandler;                        \
    WM_SEND_HANDLER WanSendHandler;                    \
  };                                                   \
  W_SET_INFORMATION_HANDLER SetInformationHandler;     \
  union {                                              \
    W_TRANSFER_DATA_HANDLER TransferDataHandler;       \
    WM_TRANSFER_DATA_HANDLER WanTransferDataHandler;   \
  };                                                   \
  W_RETURN_PACKET_HANDLER ReturnPacketHandler;         \
  W_SEND_PACKETS_HANDLER SendPacketsHandler;           \
  W_ALLOCATE_COMPLETE_HANDLER AllocateCompleteHandler;

#define UNDIS_MINIPORT_CHARACTERISTICS_50           \
  UNDIS_MINIPORT_CHARACTERISTICS_40                 \
  W_CO_CREATE_VC_HANDLER CoCreateVcHandler;         \
  W_CO_DELETE_VC_HANDLER CoDeleteVcHandler;         \
  W_CO_ACTIVATE_VC_HANDLER CoActivateVcHandler;     \
  W_CO_DEACTIVATE_VC_HANDLER CoDeactivateVcHandler; \
  W_CO_SEND_PACKETS_HANDLER CoSendPacketsHandler;   \
  W_CO_REQUEST_HANDLER CoRequestHandler;

typedef struct _NDIS40_MINIPORT_CHARACTERISTICS {
  UNDIS_MINIPORT_CHARACTERISTICS_40
} NDIS40_MINIPORT_CHARACTERISTICS, *PNDIS40_MINIPORT_CHARACTERISTICS;

typedef struct _NDIS50_MINIPORT_CHARACTERISTICS {
  UNDIS_MINIPORT_CHARACTERISTICS_50
} NDIS50_MINIPORT_CHARACTERISTICS, *PNDIS50_MINIPORT_CHARACTERISTICS;

typedef struct _NDIS51_MINIPORT_CHARACTERISTICS {
  UNDIS_MINIPORT_CHARACTERISTICS_50
  W_CANCEL_SEND_PACKETS_HANDLER CancelSendPacketsHandler;
  W_MINIPORT_PNPEVENTNOTIFY_HANDLER PnPEventNotifyHandler;
  W_MINIPORT_SHUTDOWN_HANDLER AdapterShutdownHandler;
  PVOID Reserved1;
  PVOID Reserved2;
  PVOID Reserved3;
  PVOID Reserved4;
} NDIS51_MINIPORT_CHARACTERISTICS, *PNDIS51_MINIPORT_CHARACTERISTICS;

#if defined(NDIS51_MINIPORT) || defined(UNDIS_ALL_VERSIONS)
typedef struct _NDIS51_MINIPORT_CHARACTERISTICS NDIS_MINIPORT_CHARACTERISTICS;
#elif defined(NDIS50_MINIPORT)
typedef struct _NDIS50_MINIPORT_CHARACTERISTICS NDIS_MINIPORT_CHARACTERISTICS;
#else
typedef struct _NDIS40_MINIPORT_CHARACTERISTICS NDIS_MINIPORT_CHARACTERISTICS;
#endif
typedef NDIS_MINIPORT_CHARACTERISTICS* PNDIS_MINIPORT_CHARACTERISTICS;

typedef NDIS_MINIPORT_CHARACTERISTICS NDIS_WAN_MINIPORT_CHARACTERISTICS;
typedef NDIS_WAN_MINIPORT_CHARACTERISTICS* PNDIS_WAN_MINIPORT_CHARACTERISTICS;

// Registration and unload.

NDISAPI VOID NTAPI NdisMInitializeWrapper(_Out_ PNDIS_HANDLE NdisWrapperHandle, _In_ PVOID SystemSpecific1,
                                          _In_ PVOID SystemSpecific2, _In_ PVOID SystemSpecific3);

// The old headers offer the same call to protocols and MACs under this name.
#define NdisInitializeWrapper(NdisWrapperHandle, SystemSpecific1, SystemSpecific2, SystemSpecific3) \
  NdisMInitializeWrapper((NdisWrapperHandle), (SystemSpecific1), (SystemSpecific2), (SystemSpecific3))

NDISAPI VOID NTAPI NdisTerminateWrapper(_In_ NDIS_HANDLE NdisWrapperHandle, _In_opt_ PVOID SystemSpecific);

NDISAPI NDIS_STATUS NTAPI NdisMRegisterMiniport(_In_ NDIS_HANDLE NdisWrapperHandle,
                                                _In_ PNDIS_MINIPORT_CHARACTERISTICS MiniportCharacteristics,
                                                _In_ UINT CharacteristicsLength);

NDISAPI VOID NTAPI NdisMRegisterUnloadHandler(_In_ NDIS_HANDLE NdisWrapperHandle,
                                              _In_ PDRIVER_UNLOAD UnloadHandler);

// Inside MiniportInitialize.

#define NDIS_ATTRIBUTE_IGNORE_PACKET_TIMEOUT 0x00000001
#define NDIS_ATTRIBUTE_IGNORE_REQUEST_TIMEOUT 0x00000002
#define NDIS_ATTRIBUTE_IGNORE_TOKEN_RING_ERRORS 0x00000004
#define NDIS_ATTRIBUTE_BUS_MASTER 0x00000008
#define NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER 0x00000010
#define NDIS_ATTRIBUTE_DESERIALIZE 0x00000020
#define NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND 0x00000040
#define NDIS_ATTRIBUTE_SURPRISE_REMOVE_OK 0x00000080
#define NDIS_ATTRIBUTE_NOT_CO_NDIS 0x00000100
#define NDIS_ATTRIBUTE_USES_SAFE_BUFFER_APIS 0x00000200
#define NDIS_ATTRIBUTE_DO_NOT_BIND_TO_ALL_CO 0x00000400

NDISAPI VOID NTAPI NdisMSetAttributes(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                      _In_ NDIS_HANDLE MiniportAdapterContext, _In_ BOOLEAN BusMaster,
                                      _In_ NDIS_INTERFACE_TYPE AdapterType);

NDISAPI VOID NTAPI NdisMSetAttributesEx(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                        _In_ NDIS_HANDLE MiniportAdapterContext,
                                        _In_opt_ UINT CheckForHangTimeInSeconds, _In_ ULONG AttributeFlags,
                                        _In_opt_ NDIS_INTERFACE_TYPE AdapterType);

NDISAPI VOID NTAPI NdisMRegisterAdapterShutdownHandler(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                       _In_ PVOID ShutdownContext,
                                                       _In_ ADAPTER_SHUTDOWN_HANDLER ShutdownHandler);

NDISAPI VOID NTAPI NdisMDeregisterAdapterShutdownHandler(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI NDIS_STATUS NTAPI NdisMSetMiniportSecondary(_In_ NDIS_HANDLE MiniportHandle,
                                                    _In_ NDIS_HANDLE PrimaryMiniportHandle);

NDISAPI NDIS_STATUS NTAPI NdisMPromoteMiniport(_In_ NDIS_HANDLE MiniportHandle);

// Sends and receives.

#define NDIS_M_MAX_LOOKAHEAD 526

NDISAPI VOID NTAPI NdisMSendComplete(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ PNDIS_PACKET Packet,
                                     _In_ NDIS_STATUS Status);

NDISAPI VOID NTAPI NdisMSendResourcesAvailable(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMIndicateReceivePacket(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                              _In_ PPNDIS_PACKET ReceivePackets, _In_ UINT NumberOfPackets);

NDISAPI VOID NTAPI NdisMEthIndicateReceive(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                           _In_ NDIS_HANDLE MiniportReceiveContext, _In_ PVOID HeaderBuffer,
                                           _In_ UINT HeaderBufferSize, _In_ PVOID LookaheadBuffer,
                                           _In_ UINT LookaheadBufferSize, _In_ UINT PacketSize);

NDISAPI VOID NTAPI NdisMEthIndicateReceiveComplete(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMTrIndicateReceive(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                          _In_ NDIS_HANDLE MiniportReceiveContext, _In_ PVOID HeaderBuffer,
                                          _In_ UINT HeaderBufferSize, _In_ PVOID LookaheadBuffer,
                                          _In_ UINT LookaheadBufferSize, _In_ UINT PacketSize);

NDISAPI VOID NTAPI NdisMTrIndicateReceiveComplete(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMFddiIndicateReceive(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                            _In_ NDIS_HANDLE MiniportReceiveContext, _In_ PVOID HeaderBuffer,
                                            _In_ UINT HeaderBufferSize, _In_ PVOID LookaheadBuffer,
                                            _In_ UINT LookaheadBufferSize, _In_ UINT PacketSize);

NDISAPI VOID NTAPI NdisMFddiIndicateReceiveComplete(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMArcIndicateReceive(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ PUCHAR pRawHeader,
                                           _In_ PUCHAR pData, _In_ UINT Length);

NDISAPI VOID NTAPI NdisMArcIndicateReceiveComplete(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMTransferDataComplete(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ PNDIS_PACKET Packet,
                                             _In_ NDIS_STATUS Status, _In_ UINT BytesTransferred);

// Status and reset.

NDISAPI VOID NTAPI NdisMIndicateStatus(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ NDIS_STATUS GeneralStatus,
                                       _In_ PVOID StatusBuffer, _In_ UINT StatusBufferSize);

NDISAPI VOID NTAPI NdisMIndicateStatusComplete(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI VOID NTAPI NdisMResetComplete(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ NDIS_STATUS Status,
                                      _In_ BOOLEAN AddressingReset);

UNDIS_EXTERN_C_END
