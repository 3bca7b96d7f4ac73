// SPDX-License-Identifier: MIT
// Handlers that a driver registers beside its characteristics, from inside SetOptions.
//
// Pages  ndis/nf-ndis-ndissetoptionalhandlers, ndis/nc-ndis-set_options,
// ndis/ns-ndis-_ndis_miniport_pnp_characteristics
#pragma once
#pragma GCC system_header

#include "object_header.h"
#include "types.h"

UNDIS_EXTERN_C_START

typedef NDIS_STATUS(SET_OPTIONS)(_In_ NDIS_HANDLE NdisDriverHandle, _In_ NDIS_HANDLE DriverContext);
typedef SET_OPTIONS(*SET_OPTIONS_HANDLER);

// The structure that is passed is told by the Type of its header.
typedef NDIS_OBJECT_HEADER NDIS_DRIVER_OPTIONAL_HANDLERS, *PNDIS_DRIVER_OPTIONAL_HANDLERS;

NDISAPI NDIS_STATUS NdisSetOptionalHandlers(_In_ NDIS_HANDLE NdisHandle,
                                            _In_ PNDIS_DRIVER_OPTIONAL_HANDLERS OptionalHandlers);

// ---- A miniport that watches its device's start -----------------------------------------------------------
typedef NDIS_STATUS(MINIPORT_ADD_DEVICE)(_In_ NDIS_HANDLE NdisMiniportHandle,
                                         _In_ NDIS_HANDLE MiniportDriverContext);
typedef MINIPORT_ADD_DEVICE(*MINIPORT_ADD_DEVICE_HANDLER);
typedef VOID(MINIPORT_REMOVE_DEVICE)(_In_ NDIS_HANDLE MiniportAddDeviceContext);
typedef MINIPORT_REMOVE_DEVICE(*MINIPORT_REMOVE_DEVICE_HANDLER);
typedef NDIS_STATUS(MINIPORT_PNP_IRP)(_In_ NDIS_HANDLE MiniportAddDeviceContext, _In_ PIRP Irp);
typedef MINIPORT_PNP_IRP(*MINIPORT_PNP_IRP_HANDLER);
typedef MINIPORT_PNP_IRP MINIPORT_START_DEVICE;
typedef MINIPORT_START_DEVICE(*MINIPORT_START_DEVICE_HANDLER);
typedef MINIPORT_PNP_IRP MINIPORT_FILTER_RESOURCE_REQUIREMENTS;
typedef MINIPORT_FILTER_RESOURCE_REQUIREMENTS(*MINIPORT_FILTER_RESOURCE_REQUIREMENTS_HANDLER);

typedef struct _NDIS_MINIPORT_PNP_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  MINIPORT_ADD_DEVICE_HANDLER MiniportAddDeviceHandler;
  MINIPORT_REMOVE_DEVICE_HANDLER MiniportRemoveDeviceHandler;
  MINIPORT_PNP_IRP_HANDLER MiniportFilterResourceRequirementsHandler;
  MINIPORT_PNP_IRP_HANDLER MiniportStartDeviceHandler;
  ULONG Flags;
} NDIS_MINIPORT_PNP_CHARACTERISTICS, *PNDIS_MINIPORT_PNP_CHARACTERISTICS;

#define NDIS_MINIPORT_PNP_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_MINIPORT_PNP_CHARACTERISTICS, MiniportStartDeviceHandler)

// ---- A miniport that can suspend its device (6.30) --------------------------------------------------------
#if NDIS_SUPPORT_NDIS630
typedef NDIS_STATUS(MINIPORT_IDLE_NOTIFICATION)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                                _In_ BOOLEAN ForceIdle);
typedef MINIPORT_IDLE_NOTIFICATION(*MINIPORT_IDLE_NOTIFICATION_HANDLER);
typedef VOID(MINIPORT_CANCEL_IDLE_NOTIFICATION)(_In_ NDIS_HANDLE MiniportAdapterContext);
typedef MINIPORT_CANCEL_IDLE_NOTIFICATION(*MINIPORT_CANCEL_IDLE_NOTIFICATION_HANDLER);

typedef struct _NDIS_MINIPORT_SS_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  MINIPORT_IDLE_NOTIFICATION_HANDLER IdleNotificationHandler;
  MINIPORT_CANCEL_IDLE_NOTIFICATION_HANDLER CancelIdleNotificationHandler;
} NDIS_MINIPORT_SS_CHARACTERISTICS, *PNDIS_MINIPORT_SS_CHARACTERISTICS;

#define NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_MINIPORT_SS_CHARACTERISTICS, CancelIdleNotificationHandler)
#endif

// ---- Network Direct kernel provider (6.30) ----------------------------------------------------------------
#if NDIS_SUPPORT_NDIS630
typedef struct _NDK_ADAPTER NDK_ADAPTER;

typedef struct _NDIS_OPEN_NDK_ADAPTER_PARAMETERS {
  ULONG Version;
#if NDIS_SUPPORT_NDIS650
  NDIS_NIC_SWITCH_ID SwitchId;
  NDIS_NIC_SWITCH_VPORT_ID VPortId;
#endif
} NDIS_OPEN_NDK_ADAPTER_PARAMETERS, *PNDIS_OPEN_NDK_ADAPTER_PARAMETERS;

typedef NDIS_STATUS(OPEN_NDK_ADAPTER_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                              _In_ PNDIS_OPEN_NDK_ADAPTER_PARAMETERS Parameters,
                                              _Out_ NDK_ADAPTER** ppNdkAdapter);
typedef VOID(CLOSE_NDK_ADAPTER_HANDLER)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                        _In_ NDK_ADAPTER* pNdkAdapter);

typedef struct _NDIS_NDK_PROVIDER_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  OPEN_NDK_ADAPTER_HANDLER* OpenNDKAdapterHandler;
  CLOSE_NDK_ADAPTER_HANDLER* CloseNDKAdapterHandler;
} NDIS_NDK_PROVIDER_CHARACTERISTICS, *PNDIS_NDK_PROVIDER_CHARACTERISTICS;

#define NDIS_NDK_PROVIDER_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_NDK_PROVIDER_CHARACTERISTICS_REVISION_1 \
  NDIS_SIZEOF_NDIS_NDK_PROVIDER_CHARACTERISTICS_REVISION_1
#define NDIS_SIZEOF_NDIS_NDK_PROVIDER_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_PROVIDER_CHARACTERISTICS, CloseNDKAdapterHandler)
#endif

UNDIS_EXTERN_C_END
