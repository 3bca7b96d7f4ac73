// SPDX-License-Identifier: MIT
// Files, a miniport's log, the event log.
//
// Pages  ndis/nf-ndis-ndisopenfile, ndis/nf-ndis-ndismcreatelog, ndis/nf-ndis-ndiswriteerrorlogentry
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

NDISAPI VOID NdisOpenFile(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE FileHandle, _Out_ PUINT FileLength,
                          _In_ PNDIS_STRING FileName, _In_ NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress);
NDISAPI VOID NdisCloseFile(_In_ NDIS_HANDLE FileHandle);
NDISAPI VOID NdisMapFile(_Out_ PNDIS_STATUS Status, _Out_ PVOID* MappedBuffer, _In_ NDIS_HANDLE FileHandle);
NDISAPI VOID NdisUnmapFile(_In_ NDIS_HANDLE FileHandle);

NDISAPI NDIS_STATUS NdisMCreateLog(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ UINT Size,
                                   _Out_ PNDIS_HANDLE LogHandle);
NDISAPI VOID NdisMCloseLog(_In_ NDIS_HANDLE LogHandle);
NDISAPI NDIS_STATUS NdisMWriteLogData(_In_ NDIS_HANDLE LogHandle, _In_ PVOID LogBuffer,
                                      _In_ UINT LogBufferSize);
NDISAPI VOID NdisMFlushLog(_In_ NDIS_HANDLE LogHandle);

// The number of values follows as so many ULONG_PTR arguments.
NDISAPI VOID NdisWriteErrorLogEntry(_In_ NDIS_HANDLE NdisAdapterHandle, _In_ NDIS_ERROR_CODE ErrorCode,
                                    _In_ ULONG NumberOfErrorValues, ...);
NDISAPI NDIS_STATUS NdisWriteEventLogEntry(_In_ PVOID LogHandle, _In_ NDIS_STATUS EventCode,
                                           _In_ ULONG UniqueEventValue, _In_ USHORT NumStrings,
                                           _In_opt_ PVOID StringsList, _In_ ULONG DataSize,
                                           _In_opt_ PVOID Data);

// The event codes of netevent.h.
#define NDIS_ERROR_CODE_RESOURCE_CONFLICT 0xC0001388U
#define NDIS_ERROR_CODE_OUT_OF_RESOURCES 0xC0001389U
#define NDIS_ERROR_CODE_HARDWARE_FAILURE 0xC000138AU
#define NDIS_ERROR_CODE_ADAPTER_NOT_FOUND 0xC000138BU
#define NDIS_ERROR_CODE_INTERRUPT_CONNECT 0xC000138CU
#define NDIS_ERROR_CODE_DRIVER_FAILURE 0xC000138DU
#define NDIS_ERROR_CODE_BAD_VERSION 0xC000138EU
#define NDIS_ERROR_CODE_TIMEOUT 0x8000138FU
#define NDIS_ERROR_CODE_NETWORK_ADDRESS 0xC0001390U
#define NDIS_ERROR_CODE_UNSUPPORTED_CONFIGURATION 0xC0001391U
#define NDIS_ERROR_CODE_INVALID_VALUE_FROM_ADAPTER 0xC0001392U
#define NDIS_ERROR_CODE_MISSING_CONFIGURATION_PARAMETER 0xC0001393U
#define NDIS_ERROR_CODE_BAD_IO_BASE_ADDRESS 0xC0001394U
#define NDIS_ERROR_CODE_RECEIVE_SPACE_SMALL 0x40001395U
#define NDIS_ERROR_CODE_ADAPTER_DISABLED 0x80001396U

UNDIS_EXTERN_C_END
