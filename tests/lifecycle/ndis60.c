// SPDX-License-Identifier: MIT
//
// A source file of an NDIS 6.0 miniport driver.
#undef UNDIS_ALL_VERSIONS
#define NDIS_MINIPORT_DRIVER 1
#define NDIS60_MINIPORT 1
#include <ndis.h>

#include "versions.h"

#if NDIS_SUPPORT_NDIS61
#error "an NDIS 6.0 driver must not get the declarations of NDIS 6.1"
#endif

Function* miniport_deregistration_of_60(void) {
  return (Function*)&NdisMDeregisterMiniportDriver;
}
