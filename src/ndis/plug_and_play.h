// SPDX-License-Identifier: MIT
//
// What NDIS does with the plug and play IRPs of a network device: add, start, query remove, cancel, remove,
// surprise removal, stop. Pages: network/{adding,starting,stopping,removing}-a-nic,
// network/processing-the-surprise-removal-of-a-nic--windows-7-and-later-versions-,
// network/processing-the-surprise-removal-of-a-nic--windows-vista-, ndis/nc-ndis-miniport_add_device,
// ndis/nc-ndis-miniport_pnp_irp.
#pragma once

#include <ndis.h>

#include "ndis/adapter.h"

namespace undis {

/// AddDevice and IRP_MN_START_DEVICE for a new device of this driver. Empty: one of its functions or a lower
/// device failed; `status` says how. PASSIVE_LEVEL.
Ref<Adapter> plug_device(MiniportDriver& driver, AdapterConfig config, NDIS_STATUS& status);
/// IRP_MN_QUERY_REMOVE_DEVICE: what the protocols say. The removal may come all the same.
NDIS_STATUS query_remove_device(Adapter& adapter);
/// IRP_MN_CANCEL_REMOVE_DEVICE.
void cancel_remove_device(Adapter& adapter);
/// IRP_MN_REMOVE_DEVICE, also for virtual miniports. False: from inside the removal itself.
bool remove_device(Adapter& adapter, NDIS_HALT_ACTION reason = NdisHaltDeviceDisabled);
/// IRP_MN_SURPRISE_REMOVAL and the IRP_MN_REMOVE_DEVICE that follows.
bool surprise_remove_device(Adapter& adapter);
/// IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE. The device stays, to be started again.
bool stop_device(Adapter& adapter);
/// IRP_MN_CANCEL_STOP_DEVICE, after query_remove_device().
void cancel_stop_device(Adapter& adapter);
/// IRP_MN_START_DEVICE for a device that was stopped, or whose start failed.
NDIS_STATUS start_device(Adapter& adapter);

}  // namespace undis
