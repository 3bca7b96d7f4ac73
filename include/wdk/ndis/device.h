// SPDX-License-Identifier: MIT
// Control device objects, through which user programs talk to a network driver.
//
// Page  ndis/nf-ndis-ndisregisterdeviceex
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

#if NDIS_SUPPORT_NDIS6
typedef struct _NDIS_DEVICE_OBJECT_ATTRIBUTES {
  NDIS_OBJECT_HEADER Header;
  PNDIS_STRING DeviceName;
  PNDIS_STRING SymbolicName;
  PDRIVER_DISPATCH* MajorFunctions;
  ULONG ExtensionSize;
  PCUNICODE_STRING DefaultSDDLString;
  LPCGUID DeviceClassGuid;
} NDIS_DEVICE_OBJECT_ATTRIBUTES, *PNDIS_DEVICE_OBJECT_ATTRIBUTES;

#define NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 1
#define NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_DEVICE_OBJECT_ATTRIBUTES, DeviceClassGuid)

NDISAPI NDIS_STATUS NdisRegisterDeviceEx(_In_ NDIS_HANDLE NdisHandle,
                                         _In_ PNDIS_DEVICE_OBJECT_ATTRIBUTES DeviceObjectAttributes,
                                         _Out_ PDEVICE_OBJECT* pDeviceObject,
                                         _Out_ PNDIS_HANDLE NdisDeviceHandle);
NDISAPI VOID NdisDeregisterDeviceEx(_In_ NDIS_HANDLE NdisDeviceHandle);
NDISAPI PVOID NdisGetDeviceReservedExtension(_In_ PDEVICE_OBJECT DeviceObject);
#endif

#if NDIS_LEGACY_DRIVER
NDISAPI NDIS_STATUS NdisMRegisterDevice(_In_ NDIS_HANDLE NdisWrapperHandle, _In_ PNDIS_STRING DeviceName,
                                        _In_ PNDIS_STRING SymbolicName, _In_ PDRIVER_DISPATCH* MajorFunctions,
                                        _Out_ PDEVICE_OBJECT* pDeviceObject,
                                        _Out_ PNDIS_HANDLE NdisDeviceHandle);
NDISAPI NDIS_STATUS NdisMDeregisterDevice(_In_ NDIS_HANDLE NdisDeviceHandle);
#endif

UNDIS_EXTERN_C_END
