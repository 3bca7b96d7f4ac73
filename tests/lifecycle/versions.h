// SPDX-License-Identifier: MIT
//
// The functions as drivers see them whose build asks for one version of NDIS: ndis51.c, ndis60.c.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef void Function(void);

Function* layered_deregistration_of_51(void);
Function* protocol_deregistration_of_51(void);
Function* unload_registration_of_51(void);
Function* miniport_deregistration_of_60(void);

#ifdef __cplusplus
}
#endif
