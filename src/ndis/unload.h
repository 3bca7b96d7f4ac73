// SPDX-License-Identifier: MIT
//
// The Unload routine that NDIS puts into a miniport driver's DRIVER_OBJECT. Pages:
// ndis/nf-ndis-ndismregisterunloadhandler, ndis/nc-ndis-miniport_unload.
#pragma once

#include <wdm.h>

#include "kernel/driver.h"

namespace undis {

/// Puts NDIS' own Unload routine into the driver object (6.x registration, or NdisMRegisterUnloadHandler).
void install_unload(kernel::Driver& driver);

}  // namespace undis
