// SPDX-License-Identifier: MIT
//
// NDIS 5.x intermediate drivers: the layered miniport and its packets. What 6.x shares is in intermediate.h.
//
// Pages   ndis/nf-ndis-ndisimregisterlayeredminiport, nf-ndis-ndisimderegisterlayeredminiport,
//         nf-ndis-ndisimcopysendperpacketinfo, nf-ndis-ndisimcopysendcompleteperpacketinfo
#pragma once
#pragma GCC system_header

#include "miniport5.h"
#include "protocol5.h"

UNDIS_EXTERN_C_START

NDISAPI NDIS_STATUS NTAPI NdisIMRegisterLayeredMiniport(
    _In_ NDIS_HANDLE NdisWrapperHandle, _In_ PNDIS_MINIPORT_CHARACTERISTICS MiniportCharacteristics,
    _In_ UINT CharacteristicsLength, _Out_ PNDIS_HANDLE DriverHandle);

NDISAPI VOID NTAPI NdisIMDeregisterLayeredMiniport(_In_ NDIS_HANDLE DriverHandle);

NDISAPI NDIS_STATUS NTAPI NdisIMInitializeDeviceInstance(_In_ NDIS_HANDLE DriverHandle,
                                                         _In_ PNDIS_STRING DeviceInstance);

NDISAPI NDIS_HANDLE NTAPI NdisIMGetDeviceContext(_In_ NDIS_HANDLE MiniportAdapterHandle);

NDISAPI NDIS_STATUS NTAPI NdisIMNotifyPnPEvent(_In_ NDIS_HANDLE MiniportHandle,
                                               _In_ PNET_PNP_EVENT NetPnPEvent);

NDISAPI VOID NTAPI NdisIMCopySendPerPacketInfo(_Out_ PNDIS_PACKET DstPacket, _In_ PNDIS_PACKET SrcPacket);

NDISAPI VOID NTAPI NdisIMCopySendCompletePerPacketInfo(_Out_ PNDIS_PACKET DstPacket,
                                                       _In_ PNDIS_PACKET SrcPacket);

NDISAPI PNDIS_PACKET_STACK NTAPI NdisIMGetCurrentPacketStack(_In_ PNDIS_PACKET Packet,
                                                             _Out_ BOOLEAN* StacksRemaining);

UNDIS_EXTERN_C_END
