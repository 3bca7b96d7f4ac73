// SPDX-License-Identifier: MIT
// The time at which a packet passed the hardware or the driver (6.82).
//
// Page    nbltimestamp/index
// Beyond  The pages do not say which slot carries it; a 64-bit slot holds all of it:
// NetBufferListInfoReserved1.
#pragma once
#pragma GCC system_header

#include "nblaccessors.h"

#if NDIS_SUPPORT_NDIS682

UNDIS_EXTERN_C_START

typedef struct _NET_BUFFER_LIST_TIMESTAMP {
  UINT64 Timestamp;
} NET_BUFFER_LIST_TIMESTAMP, *PNET_BUFFER_LIST_TIMESTAMP;

UNDIS_INLINE VOID NdisSetNblTimestampInfo(_Inout_ PNET_BUFFER_LIST Nbl,
                                          _In_ const NET_BUFFER_LIST_TIMESTAMP* NblTimestamp) {
  Nbl->NetBufferListInfo[NetBufferListInfoReserved1] = (PVOID)(ULONG_PTR)NblTimestamp->Timestamp;
}

UNDIS_INLINE VOID NdisGetNblTimestampInfo(_In_ const NET_BUFFER_LIST* Nbl,
                                          _Out_ NET_BUFFER_LIST_TIMESTAMP* NblTimestamp) {
  NblTimestamp->Timestamp = (ULONG_PTR)Nbl->NetBufferListInfo[NetBufferListInfoReserved1];
}

UNDIS_INLINE VOID NdisCopyNblTimestampInfo(_Inout_ PNET_BUFFER_LIST NblDest,
                                           _In_ const NET_BUFFER_LIST* NblSrc) {
  NblDest->NetBufferListInfo[NetBufferListInfoReserved1] =
      NblSrc->NetBufferListInfo[NetBufferListInfoReserved1];
}

UNDIS_EXTERN_C_END

#endif
