// SPDX-License-Identifier: MIT
//
// NDIS 5.x WAN miniports: NDIS_WAN_PACKET and its calls.
#pragma once
#pragma GCC system_header

#include "miniport5.h"

UNDIS_EXTERN_C_START

struct _NDIS_WAN_PACKET {
  LIST_ENTRY WanPacketQueue;
  PUCHAR CurrentBuffer;
  ULONG CurrentLength;
  PUCHAR StartBuffer;
  PUCHAR EndBuffer;
  PVOID ProtocolReserved1;
  PVOID ProtocolReserved2;
  PVOID ProtocolReserved3;
  PVOID ProtocolReserved4;
  PVOID MacReserved1;
  PVOID MacReserved2;
  PVOID MacReserved3;
  PVOID MacReserved4;
};

NDISAPI VOID NTAPI NdisMWanIndicateReceive(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE MiniportAdapterHandle,
                                           _In_ NDIS_HANDLE NdisLinkContext, _In_ PUCHAR Packet,
                                           _In_ ULONG PacketSize);

NDISAPI VOID NTAPI NdisMWanIndicateReceiveComplete(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                   _In_ NDIS_HANDLE NdisLinkContext);

NDISAPI VOID NTAPI NdisMWanSendComplete(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ PNDIS_WAN_PACKET Packet,
                                        _In_ NDIS_STATUS Status);

UNDIS_EXTERN_C_END
