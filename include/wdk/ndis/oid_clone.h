// SPDX-License-Identifier: MIT
// Copies of OID requests, which filters and intermediate drivers send on.
//
// Page  ndis/nf-ndis-ndisallocatecloneoidrequest
#pragma once
#pragma GCC system_header

#include "oidrequest.h"

UNDIS_EXTERN_C_START

NDISAPI NDIS_STATUS NdisAllocateCloneOidRequest(_In_ NDIS_HANDLE SourceHandle,
                                                _In_ PNDIS_OID_REQUEST OidRequest, _In_ UINT PoolTag,
                                                _Out_ PNDIS_OID_REQUEST* ClonedOidRequest);
NDISAPI VOID NdisFreeCloneOidRequest(_In_ NDIS_HANDLE SourceHandle, _In_ PNDIS_OID_REQUEST Request);

UNDIS_EXTERN_C_END
