// SPDX-License-Identifier: MIT
// Network interfaces that a driver provides itself: providers, interfaces, LUIDs, the interface stack.
//
// Pages  ndis/nf-ndis-ndisifregisterprovider, ndis/ns-ndis-_net_if_information
#pragma once
#pragma GCC system_header

#include "../ntddndis.h"
#include "object_header.h"
#include "types.h"

#if NDIS_SUPPORT_NDIS6

UNDIS_EXTERN_C_START

typedef NDIS_STATUS(IF_QUERY_OBJECT)(_In_ NDIS_HANDLE ProviderIfContext, _In_ NDIS_OID ObjectId,
                                     _Inout_ PULONG pOutputBufferLength, _Out_ PVOID pOutputBuffer);
typedef IF_QUERY_OBJECT(*IFP_QUERY_OBJECT);
typedef IF_QUERY_OBJECT(*IF_QUERY_OBJECT_HANDLER);

typedef NDIS_STATUS(IF_SET_OBJECT)(_In_ NDIS_HANDLE ProviderIfContext, _In_ NDIS_OID ObjectId,
                                   _In_ ULONG InputBufferLength, _In_ PVOID pInputBuffer);
typedef IF_SET_OBJECT(*IFP_SET_OBJECT);
typedef IF_SET_OBJECT(*IF_SET_OBJECT_HANDLER);

typedef struct _NDIS_IF_PROVIDER_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  IFP_QUERY_OBJECT QueryObjectHandler;
  IFP_SET_OBJECT SetObjectHandler;
  PVOID Reserved1;
  PVOID Reserved2;
} NDIS_IF_PROVIDER_CHARACTERISTICS, *PNDIS_IF_PROVIDER_CHARACTERISTICS;

#define NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_IF_PROVIDER_CHARACTERISTICS, Reserved2)

typedef struct _NET_IF_INFORMATION {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NET_PHYSICAL_LOCATION PhysicalLocation;
  ULONG WanTunnelType;
  ULONG PortNumber;
  NET_IF_ACCESS_TYPE AccessType;
  NET_IF_DIRECTION_TYPE DirectionType;
  NET_IF_CONNECTION_TYPE ConnectionType;
  BOOLEAN ifConnectorPresent;
  USHORT PhysAddressLength;
  USHORT PhysAddressOffset;
  USHORT PermanentPhysAddressOffset;
  USHORT FriendlyNameLength;
  USHORT FriendlyNameOffset;
  GUID InterfaceGuid;
  NET_IF_NETWORK_GUID NetworkGuid;
  ULONG SupportedStatistics;
  NDIS_MEDIUM MediaType;
  NDIS_PHYSICAL_MEDIUM PhysicalMediumType;
} NET_IF_INFORMATION, *PNET_IF_INFORMATION;

#define NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NET_IF_INFORMATION, PhysicalMediumType)

NDISAPI NDIS_STATUS NdisIfRegisterProvider(_In_ PNDIS_IF_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
                                           _In_ NDIS_HANDLE IfProviderContext,
                                           _Out_ PNDIS_HANDLE pNdisIfProviderHandle);
NDISAPI VOID NdisIfDeregisterProvider(_In_ NDIS_HANDLE NdisProviderHandle);
NDISAPI NDIS_STATUS NdisIfRegisterInterface(_In_ NDIS_HANDLE NdisProviderHandle, _In_ NET_LUID NetLuid,
                                            _In_ NDIS_HANDLE ProviderIfContext,
                                            _In_ PNET_IF_INFORMATION pIfInfo, _Out_ PNET_IFINDEX pfIndex);
NDISAPI VOID NdisIfDeregisterInterface(_In_ NET_IFINDEX ifIndex);
NDISAPI NDIS_STATUS NdisIfAllocateNetLuidIndex(_In_ NET_IFTYPE ifType, _Out_ PUINT32 pNetLuidIndex);
NDISAPI NDIS_STATUS NdisIfFreeNetLuidIndex(_In_ NET_IFTYPE ifType, _In_ UINT32 NetLuidIndex);
NDISAPI NDIS_STATUS NdisIfGetInterfaceIndexFromNetLuid(_In_ NET_LUID NetLuid, _Out_ PNET_IFINDEX pIfIndex);
NDISAPI NDIS_STATUS NdisIfGetNetLuidFromInterfaceIndex(_In_ NET_IFINDEX ifIndex, _Out_ PNET_LUID pNetLuid);
NDISAPI NDIS_STATUS NdisIfQueryBindingIfIndex(_In_ NDIS_HANDLE NdisBindingHandle,
                                              _Out_ PNET_IFINDEX pBoundIfIndex,
                                              _Out_ PNET_LUID pBoundIfNetLuid,
                                              _Out_ PNET_IFINDEX pLowestIfIndex,
                                              _Out_ PNET_LUID pLowestIfNetLuid);
NDISAPI NDIS_STATUS NdisIfAddIfStackEntry(_In_ NET_IFINDEX HigherLayerIfIndex,
                                          _In_ NET_IFINDEX LowerLayerIfIndex);
NDISAPI VOID NdisIfDeleteIfStackEntry(_In_ NET_IFINDEX HigherLayerIfIndex,
                                      _In_ NET_IFINDEX LowerLayerIfIndex);

UNDIS_EXTERN_C_END

#endif
