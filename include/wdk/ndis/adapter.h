// SPDX-License-Identifier: MIT
// What drivers of either version ask about an adapter or a binding: names, device, removal, bindings once
// more.
//
// Pages  ndis/nf-ndis-ndismgetdeviceproperty, ndis/nf-ndis-ndisqueryadapterinstancename,
//        ndis/nf-ndis-ndisreenumerateprotocolbindings
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

NDISAPI VOID NdisMGetDeviceProperty(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                    _Out_opt_ PDEVICE_OBJECT* PhysicalDeviceObject,
                                    _Out_opt_ PDEVICE_OBJECT* FunctionalDeviceObject,
                                    _Out_opt_ PDEVICE_OBJECT* NextDeviceObject,
                                    _Out_opt_ PCM_RESOURCE_LIST* AllocatedResources,
                                    _Out_opt_ PCM_RESOURCE_LIST* AllocatedResourcesTranslated);
NDISAPI NDIS_STATUS NdisMQueryAdapterInstanceName(_Out_ PNDIS_STRING pAdapterInstanceName,
                                                  _In_ NDIS_HANDLE MiniportHandle);
NDISAPI NDIS_STATUS NdisQueryAdapterInstanceName(_Out_ PNDIS_STRING pAdapterInstanceName,
                                                 _In_ NDIS_HANDLE NdisBindingHandle);
NDISAPI NDIS_STATUS NdisQueryBindInstanceName(_Out_ PNDIS_STRING pAdapterInstanceName,
                                              _In_ NDIS_HANDLE BindingContext);
NDISAPI NDIS_STATUS NdisMRemoveMiniport(_In_ NDIS_HANDLE MiniportHandle);
NDISAPI VOID NdisReEnumerateProtocolBindings(_In_ NDIS_HANDLE NdisProtocolHandle);
NDISAPI UCHAR NdisGeneratePartialCancelId(VOID);
NDISAPI VOID NdisGetDriverHandle(_In_ NDIS_HANDLE NdisBindingHandle, _Out_ PNDIS_HANDLE NdisDriverHandle);

UNDIS_EXTERN_C_END
