// SPDX-License-Identifier: MIT
//
// NDIS_REQUEST: the OID request of NDIS 5.x, made with NdisRequest.
//
// Page    ndis/nf-ndis-ndisrequest
#pragma once
#pragma GCC system_header

#include "legacy_types.h"

UNDIS_EXTERN_C_START

struct _NDIS_REQUEST {
  UCHAR MacReserved[4 * sizeof(PVOID)];
  NDIS_REQUEST_TYPE RequestType;
  union _DATA {
    struct _QUERY_INFORMATION {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesWritten;
      UINT BytesNeeded;
    } QUERY_INFORMATION;
    struct _SET_INFORMATION {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesRead;
      UINT BytesNeeded;
    } SET_INFORMATION;
  } DATA;
  UCHAR NdisReserved[9 * sizeof(PVOID)];
  union {
    UCHAR CallMgrReserved[2 * sizeof(PVOID)];
    UCHAR ProtocolReserved[2 * sizeof(PVOID)];
  };
  UCHAR MiniportReserved[2 * sizeof(PVOID)];
};

NDISAPI VOID NTAPI NdisRequest(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE NdisBindingHandle,
                               _In_ PNDIS_REQUEST NdisRequest);

NDISAPI VOID NTAPI NdisMQueryInformationComplete(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                 _In_ NDIS_STATUS Status);

NDISAPI VOID NTAPI NdisMSetInformationComplete(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                               _In_ NDIS_STATUS Status);

UNDIS_EXTERN_C_END
