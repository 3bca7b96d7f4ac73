// SPDX-License-Identifier: MIT
//
// NDIS ports: states, characteristics, arrays and authentication.
//
// Pages   ntddndis/ns-ntddndis-_ndis_port_state, _ndis_port_characteristics, _ndis_port, _ndis_port_array,
//         _ndis_port_authentication_parameters
#pragma once
#pragma GCC system_header

#include "general.h"

UNDIS_EXTERN_C_START

#define NDIS_MAXIMUM_PORTS 0x1000000

typedef enum _NDIS_PORT_TYPE {
  NdisPortTypeUndefined,
  NdisPortTypeBridge,
  NdisPortTypeRasConnection,
  NdisPortType8021xSupplicant,
#if NDIS_SUPPORT_NDIS630
  NdisPortTypeNdisImPlatform,
#endif
  NdisPortTypeMax
} NDIS_PORT_TYPE,
    *PNDIS_PORT_TYPE;

typedef enum _NDIS_PORT_AUTHORIZATION_STATE {
  NdisPortAuthorizationUnknown,
  NdisPortAuthorized,
  NdisPortUnauthorized,
  NdisPortReauthorizing
} NDIS_PORT_AUTHORIZATION_STATE,
    *PNDIS_PORT_AUTHORIZATION_STATE;

typedef enum _NDIS_PORT_CONTROL_STATE {
  NdisPortControlStateUnknown,
  NdisPortControlStateControlled,
  NdisPortControlStateUncontrolled
} NDIS_PORT_CONTROL_STATE,
    *PNDIS_PORT_CONTROL_STATE;

typedef NDIS_PORT_CONTROL_STATE NDIS_PORT_CONTROLL_STATE, *PNDIS_PORT_CONTROLL_STATE;

#define NDIS_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 1
#define NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS 0x00000001
#define NDIS_PORT_STATE_REVISION_1 1
#define NDIS_PORT_CHARACTERISTICS_REVISION_1 1
#define NDIS_PORT_ARRAY_REVISION_1 1
#define NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_AUTHENTICATION_PARAMETERS, RcvAuthorizationState)
#define NDIS_SIZEOF_PORT_STATE_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_STATE, Flags)
#define NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_CHARACTERISTICS, RcvAuthorizationState)
#define NDIS_SIZEOF_PORT_ARRAY_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_ARRAY, Ports)

typedef struct _NDIS_PORT_AUTHENTICATION_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
} NDIS_PORT_AUTHENTICATION_PARAMETERS, *PNDIS_PORT_AUTHENTICATION_PARAMETERS;

typedef struct _NDIS_PORT_STATE {
  NDIS_OBJECT_HEADER Header;
  NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NET_IF_DIRECTION_TYPE Direction;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
  ULONG Flags;
} NDIS_PORT_STATE, *PNDIS_PORT_STATE;

typedef struct _NDIS_PORT_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  NDIS_PORT_NUMBER PortNumber;
  ULONG Flags;
  NDIS_PORT_TYPE Type;
  NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NET_IF_DIRECTION_TYPE Direction;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
} NDIS_PORT_CHARACTERISTICS, *PNDIS_PORT_CHARACTERISTICS;

typedef struct _NDIS_PORT NDIS_PORT, *PNDIS_PORT;

struct _NDIS_PORT {
  PNDIS_PORT Next;
  PVOID NdisReserved;
  PVOID MiniportReserved;
  PVOID ProtocolReserved;
  NDIS_PORT_CHARACTERISTICS PortCharacteristics;
};

typedef struct _NDIS_PORT_ARRAY {
  NDIS_OBJECT_HEADER Header;
  ULONG NumberOfPorts;
  ULONG OffsetFirstPort;
  ULONG ElementSize;
  NDIS_PORT_CHARACTERISTICS Ports[1];
} NDIS_PORT_ARRAY, *PNDIS_PORT_ARRAY;

UNDIS_EXTERN_C_END
