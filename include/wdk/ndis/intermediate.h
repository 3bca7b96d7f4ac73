// SPDX-License-Identifier: MIT
// Intermediate drivers: virtual miniports over a protocol half. The 5.x registration is in intermediate5.h.
//
// Page  ndis/nf-ndis-ndisiminitializedeviceinstanceex
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

NDISAPI VOID NdisIMAssociateMiniport(_In_ NDIS_HANDLE DriverHandle, _In_ NDIS_HANDLE ProtocolHandle);
NDISAPI NDIS_STATUS NdisIMInitializeDeviceInstanceEx(_In_ NDIS_HANDLE DriverHandle,
                                                     _In_ PNDIS_STRING DriverInstance,
                                                     _In_opt_ NDIS_HANDLE DeviceContext);
NDISAPI NDIS_STATUS NdisIMCancelInitializeDeviceInstance(_In_ NDIS_HANDLE DriverHandle,
                                                         _In_ PNDIS_STRING DeviceInstance);
NDISAPI NDIS_STATUS NdisIMDeInitializeDeviceInstance(_In_ NDIS_HANDLE NdisMiniportHandle);
NDISAPI NDIS_HANDLE NdisIMGetBindingContext(_In_ NDIS_HANDLE NdisBindingHandle);

UNDIS_EXTERN_C_END
