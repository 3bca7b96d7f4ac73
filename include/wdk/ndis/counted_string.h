// SPDX-License-Identifier: MIT
// Counted strings.
//
// Page  ndis/nf-ndis-ndisinitializestring
#pragma once
#pragma GCC system_header

#include "memory.h"

UNDIS_EXTERN_C_START

NDISAPI VOID NdisInitializeString(_Inout_ PNDIS_STRING Destination, _In_ PUCHAR Source);
NDISAPI NDIS_STATUS NdisUpcaseUnicodeString(_Out_ PUNICODE_STRING DestinationString,
                                            _In_ PUNICODE_STRING SourceString);

#define NdisFreeString(String) NdisFreeMemory((String).Buffer, (String).MaximumLength, 0)
#define NdisInitAnsiString(_as, s) RtlInitAnsiString(_as, s)
#define NdisInitUnicodeString(_us, s) RtlInitUnicodeString(_us, s)
#define NdisAnsiStringToUnicodeString(_us, _as) RtlAnsiStringToUnicodeString(_us, _as, FALSE)
#define NdisUnicodeStringToAnsiString(_as, _us) RtlUnicodeStringToAnsiString(_as, _us, FALSE)
#define NdisEqualAnsiString(_String1, _String2, _CaseInsensitive) \
  RtlEqualString(_String1, _String2, _CaseInsensitive)
#define NdisEqualUnicodeString(_String1, _String2, _CaseInsensitive) \
  RtlEqualUnicodeString(_String1, _String2, _CaseInsensitive)
#define NdisEqualString(_String1, _String2, _CaseInsensitive) \
  RtlEqualUnicodeString(_String1, _String2, _CaseInsensitive)

UNDIS_EXTERN_C_END
