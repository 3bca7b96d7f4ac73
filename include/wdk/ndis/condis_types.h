// SPDX-License-Identifier: MIT
// What clients, call managers and miniports of connection-oriented NDIS describe to each other: address
// families, service access points, calls, parties, quality of service.
//
// Pages  previous-versions ff545384 (CO_CALL_PARAMETERS) and its neighbours, network/address-families
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

// ---- Quality of service -----------------------------------------------------------------------------------
typedef ULONG SERVICETYPE;

#define SERVICETYPE_NOTRAFFIC 0x00000000
#define SERVICETYPE_BESTEFFORT 0x00000001
#define SERVICETYPE_CONTROLLEDLOAD 0x00000002
#define SERVICETYPE_GUARANTEED 0x00000003
#define QOS_NOT_SPECIFIED 0xFFFFFFFF

typedef struct _flowspec {
  ULONG TokenRate;
  ULONG TokenBucketSize;
  ULONG PeakBandwidth;
  ULONG Latency;
  ULONG DelayVariation;
  SERVICETYPE ServiceType;
  ULONG MaxSduSize;
  ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

// ---- Address families and service access points -----------------------------------------------------------
typedef ULONG NDIS_AF, *PNDIS_AF;

#define CO_ADDRESS_FAMILY_Q2931 0x00000001
#define CO_ADDRESS_FAMILY_PSCHED 0x00000002
#define CO_ADDRESS_FAMILY_L2TP 0x00000003
#define CO_ADDRESS_FAMILY_IRDA 0x00000004
#define CO_ADDRESS_FAMILY_1394 0x00000005
#define CO_ADDRESS_FAMILY_PPP 0x00000006
#define CO_ADDRESS_FAMILY_INFINIBAND 0x00000007
#define CO_ADDRESS_FAMILY_TAPI 0x00000800
#define CO_ADDRESS_FAMILY_TAPI_SA 0x00000801
#define CO_ADDRESS_FAMILY_PROXY 0x80000000

typedef struct _CO_ADDRESS_FAMILY {
  NDIS_AF AddressFamily;
  ULONG MajorVersion;
  ULONG MinorVersion;
} CO_ADDRESS_FAMILY, *PCO_ADDRESS_FAMILY;

typedef struct _CO_SAP {
  ULONG SapType;
  ULONG SapLength;
  UCHAR Sap[1];
} CO_SAP, *PCO_SAP;

// ---- Calls ------------------------------------------------------------------------------------------------
typedef struct _CO_SPECIFIC_PARAMETERS {
  ULONG ParamType;
  ULONG Length;
  UCHAR Parameters[1];
} CO_SPECIFIC_PARAMETERS, *PCO_SPECIFIC_PARAMETERS;

typedef struct _CO_CALL_MANAGER_PARAMETERS {
  FLOWSPEC Transmit;
  FLOWSPEC Receive;
  CO_SPECIFIC_PARAMETERS CallMgrSpecific;
} CO_CALL_MANAGER_PARAMETERS, *PCO_CALL_MANAGER_PARAMETERS;

typedef struct _CO_MEDIA_PARAMETERS {
  ULONG Flags;
  ULONG ReceivePriority;
  ULONG ReceiveSizeHint;
  CO_SPECIFIC_PARAMETERS MediaSpecific;
} CO_MEDIA_PARAMETERS, *PCO_MEDIA_PARAMETERS;

// Flags of CO_MEDIA_PARAMETERS.
#define RECEIVE_TIME_INDICATION 0x00000001
#define USE_TIME_STAMPS 0x00000002
#define TRANSMIT_VC 0x00000004
#define RECEIVE_VC 0x00000008
#define INDICATE_ERRED_PACKETS 0x00000010
#define INDICATE_END_OF_TX 0x00000020
#define RESERVE_RESOURCES_VC 0x00000040
#define ROUND_DOWN_FLOW 0x00000080
#define ROUND_UP_FLOW 0x00000100

typedef struct _CO_CALL_PARAMETERS {
  ULONG Flags;
  PCO_CALL_MANAGER_PARAMETERS CallMgrParameters;
  PCO_MEDIA_PARAMETERS MediaParameters;
} CO_CALL_PARAMETERS, *PCO_CALL_PARAMETERS;

// Flags of CO_CALL_PARAMETERS.
#define PERMANENT_VC 0x00000001
#define CALL_PARAMETERS_CHANGED 0x00000002
#define QUERY_CALL_PARAMETERS 0x00000004
#define BROADCAST_VC 0x00000008
#define MULTIPOINT_VC 0x00000010

UNDIS_EXTERN_C_END
