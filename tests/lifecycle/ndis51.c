// SPDX-License-Identifier: MIT
//
// A source file of an NDIS 5.1 intermediate driver.
#undef UNDIS_ALL_VERSIONS
#define NDIS_MINIPORT_DRIVER 1
#define NDIS51_MINIPORT 1
#define NDIS51 1
#include <ndis.h>

#include "versions.h"

#if NDIS_SUPPORT_NDIS6
#error "an NDIS 5.1 driver must not get the declarations of NDIS 6"
#endif

Function* layered_deregistration_of_51(void) {
  return (Function*)&NdisIMDeregisterLayeredMiniport;
}
Function* protocol_deregistration_of_51(void) {
  return (Function*)&NdisDeregisterProtocol;
}
Function* unload_registration_of_51(void) {
  return (Function*)&NdisMRegisterUnloadHandler;
}
