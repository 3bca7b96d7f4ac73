// SPDX-License-Identifier: MIT
// The NDIS library, as a driver sees it: include this one. The parts are in ndis/, one concept a file.
//
// Which version is declared follows from the driver's build words; see ndis/version.h.
#pragma once
#pragma GCC system_header

#include "undis_prelude.h"

#include "ndis/version.h"

#include "ntddk.h"

#include "ndis/object_header.h"
#include "ndis/status.h"
#include "ndis/types.h"

#include "netpnp.h"
#include "ntddndis.h"
#include "xfilter.h"

// ---- Both versions ----------------------------------------------------------------------------------------
#include "ndis/adapter.h"
#include "ndis/condis.h"
#include "ndis/config.h"
#include "ndis/counted_string.h"
#include "ndis/device.h"
#include "ndis/event.h"
#include "ndis/file_log.h"
#include "ndis/interlocked.h"
#include "ndis/intermediate.h"
#include "ndis/interrupt_dma.h"
#include "ndis/lock.h"
#include "ndis/memory.h"
#include "ndis/pnp_power.h"
#include "ndis/rss.h"
#include "ndis/system.h"
#include "ndis/timer5.h"
#include "ndis/timer_workitem.h"

// ---- NDIS 6 -----------------------------------------------------------------------------------------------
#if NDIS_SUPPORT_NDIS6
#include "ndis/condis6.h"
#include "ndis/context.h"
#include "ndis/encapsulationconfig.h"
#include "ndis/filter6.h"
#include "ndis/filter_enum.h"
#include "ndis/interface.h"
#include "ndis/ipsec_offload.h"
#include "ndis/miniport6.h"
#include "ndis/nbl8021q.h"
#include "ndis/nbl_media_info.h"
#include "ndis/nblaccessors.h"
#include "ndis/nblapi.h"
#include "ndis/nblchecksum.h"
#include "ndis/nblhash.h"
#include "ndis/nbllso.h"
#include "ndis/nblqueue.h"
#include "ndis/nblrsc.h"
#include "ndis/nbltimestamp.h"
#include "ndis/nbluso.h"
#include "ndis/oid_clone.h"
#include "ndis/oidrequest.h"
#include "ndis/optional_handlers.h"
#include "ndis/packet_direct.h"
#include "ndis/poll.h"
#include "ndis/protocol6.h"
#include "ndis/shared_memory.h"
#include "ndis/status_indication.h"
#endif

// ---- NDIS 5 -----------------------------------------------------------------------------------------------
#if NDIS_LEGACY_DRIVER
#include "ndis/buffer5.h"
#include "ndis/hardware5.h"
#include "ndis/intermediate5.h"
#include "ndis/legacy_macros.h"
#include "ndis/miniport5.h"
#include "ndis/packet5.h"
#include "ndis/protocol5.h"
#include "ndis/request5.h"
#include "ndis/task_offload5.h"
#include "ndis/wan5.h"
#endif
