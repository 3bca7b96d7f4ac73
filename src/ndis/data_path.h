// SPDX-License-Identifier: MIT
//
// Sends, completions, indications and returns between bindings and adapters of both generations. A border
// between 5.x and 6.x is crossed here (packets <-> net buffer lists); where both sides are of one generation
// the driver's own structures pass through.
#pragma once

#include <ndis.h>

namespace undis {

class Adapter;
class Binding;
class FilterModule;

// ---- 6.x side ----
void send_net_buffer_lists(Binding& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags);
void complete_net_buffer_lists(Adapter& by, NET_BUFFER_LIST* chain, ULONG flags);
void indicate_net_buffer_lists(Adapter& by, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                               ULONG flags);
void return_net_buffer_lists(Binding& from, NET_BUFFER_LIST* chain, ULONG flags);
void cancel_net_buffer_lists(Binding& from, void* cancel_id);

// ---- filters ----
void filter_send(FilterModule& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags);
void filter_complete(FilterModule& from, NET_BUFFER_LIST* chain, ULONG flags);
void filter_indicate(FilterModule& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                     ULONG flags);
void filter_return(FilterModule& from, NET_BUFFER_LIST* chain, ULONG flags);
/// To the next below `from` that takes cancellations; nullptr: from the top.
void cancel_sends_below(Adapter& adapter, const FilterModule* from, void* cancel_id);

// ---- 5.x side ----
NDIS_STATUS send_packet(Binding& from, NDIS_PACKET* packet);          ///< NdisSend
void send_packets(Binding& from, NDIS_PACKET** packets, UINT count);  ///< NdisSendPackets
void cancel_packets(Binding& from, void* cancel_id);
void complete_packet(Adapter& by, NDIS_PACKET* packet, NDIS_STATUS status);  ///< NdisMSendComplete
void send_resources_available(Adapter& by);                                  ///< NdisMSendResourcesAvailable
void indicate_packets(Adapter& by, NDIS_PACKET** packets, UINT count);       ///< NdisMIndicateReceivePacket
void return_packets(NDIS_PACKET** packets, UINT count);                      ///< NdisReturnPackets
void indicate_lookahead(Adapter& by, NDIS_HANDLE receive_context, void* header, UINT header_size,
                        void* lookahead, UINT lookahead_size,
                        UINT packet_size);    ///< NdisMEthIndicateReceive
void indicate_receive_complete(Adapter& by);  ///< NdisMEthIndicateReceiveComplete
NDIS_STATUS transfer_data(Binding& to, NDIS_HANDLE receive_context, UINT offset, UINT bytes,
                          NDIS_PACKET* packet, UINT* transferred);
NDIS_PACKET*
received_packet(Binding& to,
                NDIS_HANDLE receive_context);  ///< NdisGetReceivedPacket; nullptr: none was indicated
void complete_transfer(Adapter& by, NDIS_PACKET* packet, NDIS_STATUS status, UINT transferred);

// ---- status indications ----
void indicate_status6(Adapter& by, const NDIS_STATUS_INDICATION& indication);
/// The end of an indication's way up through filters.
void indicate_status_to_bindings(Adapter& adapter, const NDIS_STATUS_INDICATION& indication);
void indicate_status5(Adapter& by, NDIS_STATUS status, void* buffer, UINT length);
void indicate_status_complete5(Adapter& by);

}  // namespace undis
