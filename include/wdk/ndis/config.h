// SPDX-License-Identifier: MIT
// Parameters from the registry: of an adapter, a protocol's binding, a filter module.
//
// Pages  ndis/nf-ndis-ndisopenconfigurationex, ndis/nf-ndis-ndisreadconfiguration
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

typedef enum _NDIS_PARAMETER_TYPE {
  NdisParameterInteger,
  NdisParameterHexInteger,
  NdisParameterString,
  NdisParameterMultiString,
  NdisParameterBinary
} NDIS_PARAMETER_TYPE,
    *PNDIS_PARAMETER_TYPE;

typedef struct {
  USHORT Length;
  PVOID Buffer;
} BINARY_DATA;

typedef struct _NDIS_CONFIGURATION_PARAMETER {
  NDIS_PARAMETER_TYPE ParameterType;
  union {
    ULONG IntegerData;
    NDIS_STRING StringData;
    BINARY_DATA BinaryData;
  } ParameterData;
} NDIS_CONFIGURATION_PARAMETER, *PNDIS_CONFIGURATION_PARAMETER;

#if NDIS_SUPPORT_NDIS6
typedef struct _NDIS_CONFIGURATION_OBJECT {
  NDIS_OBJECT_HEADER Header;
  NDIS_HANDLE NdisHandle;
  ULONG Flags;
} NDIS_CONFIGURATION_OBJECT, *PNDIS_CONFIGURATION_OBJECT;

#define NDIS_CONFIGURATION_OBJECT_REVISION_1 1
#define NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_CONFIGURATION_OBJECT, Flags)
#define NDIS_CONFIG_FLAG_FILTER_INSTANCE_CONFIGURATION 0x00000001

NDISAPI NDIS_STATUS NdisOpenConfigurationEx(_In_ PNDIS_CONFIGURATION_OBJECT ConfigObject,
                                            _Out_ PNDIS_HANDLE ConfigurationHandle);
#endif

#if NDIS_LEGACY_DRIVER
NDISAPI VOID NdisOpenConfiguration(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE ConfigurationHandle,
                                   _In_ NDIS_HANDLE WrapperConfigurationContext);
NDISAPI VOID NdisOpenProtocolConfiguration(_Out_ PNDIS_STATUS Status, _Out_ PNDIS_HANDLE ConfigurationHandle,
                                           _In_ PNDIS_STRING ProtocolSection);
#endif

NDISAPI VOID NdisCloseConfiguration(_In_ NDIS_HANDLE ConfigurationHandle);
NDISAPI VOID NdisOpenConfigurationKeyByName(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE ConfigurationHandle,
                                            _In_ PNDIS_STRING SubKeyName, _Out_ PNDIS_HANDLE SubKeyHandle);
NDISAPI VOID NdisOpenConfigurationKeyByIndex(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE ConfigurationHandle,
                                             _In_ ULONG Index, _Out_ PNDIS_STRING KeyName,
                                             _Out_ PNDIS_HANDLE KeyHandle);
NDISAPI VOID NdisReadConfiguration(_Out_ PNDIS_STATUS Status,
                                   _Out_ PNDIS_CONFIGURATION_PARAMETER* ParameterValue,
                                   _In_ NDIS_HANDLE ConfigurationHandle, _In_ PNDIS_STRING Keyword,
                                   _In_ NDIS_PARAMETER_TYPE ParameterType);
NDISAPI VOID NdisWriteConfiguration(_Out_ PNDIS_STATUS Status, _In_ NDIS_HANDLE ConfigurationHandle,
                                    _In_ PNDIS_STRING Keyword,
                                    _In_ PNDIS_CONFIGURATION_PARAMETER ParameterValue);
NDISAPI VOID NdisReadNetworkAddress(_Out_ PNDIS_STATUS Status, _Out_ PVOID* NetworkAddress,
                                    _Out_ PUINT NetworkAddressLength, _In_ NDIS_HANDLE ConfigurationHandle);

UNDIS_EXTERN_C_END
