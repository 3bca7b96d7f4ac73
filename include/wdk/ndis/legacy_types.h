// SPDX-License-Identifier: MIT
//
// What every NDIS 5.x header stands on: the NDIS base types, and forward declarations of the objects they
// pass.
#pragma once
#pragma GCC system_header

#include "../netpnp.h"
#include "../ntddndis.h"
#include "condis_types.h"
#include "status.h"
#include "types.h"

UNDIS_EXTERN_C_START

// Opaque: NDIS 5.x drivers only carry pointers to these.
typedef struct _NDIS_MINIPORT_BLOCK NDIS_MINIPORT_BLOCK, *PNDIS_MINIPORT_BLOCK;
typedef struct _NDIS_PACKET_POOL NDIS_PACKET_POOL, *PNDIS_PACKET_POOL;

typedef struct _NDIS_PACKET NDIS_PACKET, *PNDIS_PACKET, **PPNDIS_PACKET;
typedef struct _NDIS_REQUEST NDIS_REQUEST, *PNDIS_REQUEST;
typedef struct _NDIS_WAN_PACKET NDIS_WAN_PACKET, *PNDIS_WAN_PACKET;

UNDIS_EXTERN_C_END
