// SPDX-License-Identifier: MIT
//
// WAN, Token Ring and FDDI: the enumerations that their OIDs carry.
#pragma once
#pragma GCC system_header

#include "general.h"
#include "ioctl.h"

UNDIS_EXTERN_C_START

typedef enum _NDIS_WAN_MEDIUM_SUBTYPE {
  NdisWanMediumHub,
  NdisWanMediumX_25,
  NdisWanMediumIsdn,
  NdisWanMediumSerial,
  NdisWanMediumFrameRelay,
  NdisWanMediumAtm,
  NdisWanMediumSonet,
  NdisWanMediumSW56K,
  NdisWanMediumPPTP,
  NdisWanMediumL2TP,
  NdisWanMediumIrda,
  NdisWanMediumParallel,
  NdisWanMediumPppoe,
  NdisWanMediumSSTP,
  NdisWanMediumAgileVPN
} NDIS_WAN_MEDIUM_SUBTYPE,
    *PNDIS_WAN_MEDIUM_SUBTYPE;

typedef enum _NDIS_WAN_HEADER_FORMAT {
  NdisWanHeaderNative,
  NdisWanHeaderEthernet
} NDIS_WAN_HEADER_FORMAT,
    *PNDIS_WAN_HEADER_FORMAT;

typedef enum _NDIS_WAN_QUALITY {
  NdisWanRaw,
  NdisWanErrorControl,
  NdisWanReliable
} NDIS_WAN_QUALITY,
    *PNDIS_WAN_QUALITY;

#define WAN_PROTOCOL_KEEPS_STATS 0x00000001

typedef struct _NDIS_WAN_PROTOCOL_CAPS {
  ULONG Flags;
  ULONG Reserved;
} NDIS_WAN_PROTOCOL_CAPS, *PNDIS_WAN_PROTOCOL_CAPS;

typedef enum _NDIS_802_5_RING_STATE {
  NdisRingStateOpened = 1,
  NdisRingStateClosed,
  NdisRingStateOpening,
  NdisRingStateClosing,
  NdisRingStateOpenFailure,
  NdisRingStateRingFailure
} NDIS_802_5_RING_STATE,
    *PNDIS_802_5_RING_STATE;

typedef enum _NDIS_FDDI_ATTACHMENT_TYPE {
  NdisFddiTypeIsolated = 1,
  NdisFddiTypeLocalA,
  NdisFddiTypeLocalB,
  NdisFddiTypeLocalAB,
  NdisFddiTypeLocalS,
  NdisFddiTypeWrapA,
  NdisFddiTypeWrapB,
  NdisFddiTypeWrapAB,
  NdisFddiTypeWrapS,
  NdisFddiTypeCWrapA,
  NdisFddiTypeCWrapB,
  NdisFddiTypeCWrapS,
  NdisFddiTypeThrough
} NDIS_FDDI_ATTACHMENT_TYPE,
    *PNDIS_FDDI_ATTACHMENT_TYPE;

typedef enum _NDIS_FDDI_RING_MGT_STATE {
  NdisFddiRingIsolated = 1,
  NdisFddiRingNonOperational,
  NdisFddiRingOperational,
  NdisFddiRingDetect,
  NdisFddiRingNonOperationalDup,
  NdisFddiRingOperationalDup,
  NdisFddiRingDirected,
  NdisFddiRingTrace
} NDIS_FDDI_RING_MGT_STATE,
    *PNDIS_FDDI_RING_MGT_STATE;

typedef enum _NDIS_FDDI_LCONNECTION_STATE {
  NdisFddiStateOff = 1,
  NdisFddiStateBreak,
  NdisFddiStateTrace,
  NdisFddiStateConnect,
  NdisFddiStateNext,
  NdisFddiStateSignal,
  NdisFddiStateJoin,
  NdisFddiStateVerify,
  NdisFddiStateActive,
  NdisFddiStateMaintenance
} NDIS_FDDI_LCONNECTION_STATE,
    *PNDIS_FDDI_LCONNECTION_STATE;

typedef struct _NDIS_IRDA_PACKET_INFO {
  ULONG ExtraBOFs;
  ULONG MinTurnAroundTime;
} NDIS_IRDA_PACKET_INFO, *PNDIS_IRDA_PACKET_INFO;

typedef struct NDIS_CO_DEVICE_PROFILE {
  NDIS_VAR_DATA_DESC DeviceDescription;
  NDIS_VAR_DATA_DESC DevSpecificInfo;
  ULONG ulTAPISupplementaryPassThru;
  ULONG ulAddressModes;
  ULONG ulNumAddresses;
  ULONG ulBearerModes;
  ULONG ulMaxTxRate;
  ULONG ulMinTxRate;
  ULONG ulMaxRxRate;
  ULONG ulMinRxRate;
  ULONG ulMediaModes;
  ULONG ulGenerateToneModes;
  ULONG ulGenerateToneMaxNumFreq;
  ULONG ulGenerateDigitModes;
  ULONG ulMonitorToneMaxNumFreq;
  ULONG ulMonitorToneMaxNumEntries;
  ULONG ulMonitorDigitModes;
  ULONG ulGatherDigitsMinTimeout;
  ULONG ulGatherDigitsMaxTimeout;
  ULONG ulDevCapFlags;
  ULONG ulMaxNumActiveCalls;
  ULONG ulAnswerMode;
  ULONG ulUUIAcceptSize;
  ULONG ulUUIAnswerSize;
  ULONG ulUUIMakeCallSize;
  ULONG ulUUIDropSize;
  ULONG ulUUISendUserUserInfoSize;
  ULONG ulUUICallInfoSize;
} NDIS_CO_DEVICE_PROFILE, *PNDIS_CO_DEVICE_PROFILE;

UNDIS_EXTERN_C_END
