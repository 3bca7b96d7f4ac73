// SPDX-License-Identifier: MIT
//
// Net buffer lists on virtual connections. Pages: network/sending-net-buffer-structures-from-condis-drivers,
// network/receiving-net-buffer-structures-in-condis-drivers. Filter modules have no part in it.
#pragma once

#include <cstddef>

#include <ndis.h>

#include "ndis/co_adapter.h"

namespace undis::co_data {

/// NdisCoSendNetBufferLists of that side.
void send(const CoCaller& by, Vc& vc, CoSide from, NET_BUFFER_LIST* chain, ULONG flags);
/// NdisMCoSendNetBufferListsComplete.
void complete(Vc& vc, NET_BUFFER_LIST* chain, ULONG flags);
/// NdisMCoIndicateReceiveNetBufferLists.
void indicate(const CoCaller& by, Vc& vc, NET_BUFFER_LIST* chain, ULONG flags);
/// Lists that the miniport has indicated on it and that are not returned.
std::size_t indicated_on(const Vc& vc);

/// NdisMCoIndicateStatusEx; `vc` nullptr: to all bindings.
void indicate_status(Adapter& adapter, Vc* vc, const NDIS_STATUS_INDICATION& indication);

}  // namespace undis::co_data
