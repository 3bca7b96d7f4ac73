// SPDX-License-Identifier: MIT
//
// The way of net buffer lists while drivers are not watched (kernel::Watch below All): whole chains from
// handler to handler, without a stamp on any list.
//
// Goes by    the handle that was passed, and SourceHandle, as the pages have it: it says whose a list is. A
// chain
//            is walked once at each end of a stack, for its length; a filter module costs no walk.
// Plain      lists between 6.x neighbours where no more than one binding takes what is received, none only
// shows
//            (NDIS_RECEIVE_FLAGS_RESOURCES), nothing is looped back. Everything else goes the stamped way
//            (data_path6.cpp, filter_data.cpp); a list that is on it says so (is_stamped), until that leg is
//            over.
// Lifetime   a handle is looked up, and the gates that keep its object are entered, within one section
//            (machine/section.h): no lock, no reference.
#pragma once

#include <ndis.h>

namespace undis::plain {

// Each returns what of the chain is left for the stamped way: all of it, nothing (nullptr), or the lists that
// are on that way.
NET_BUFFER_LIST* send(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags);
NET_BUFFER_LIST* complete(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, ULONG flags);
NET_BUFFER_LIST* indicate(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags);
NET_BUFFER_LIST* give_back(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, ULONG flags);

NET_BUFFER_LIST* filter_send(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags);
NET_BUFFER_LIST* filter_complete(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags);
NET_BUFFER_LIST* filter_indicate(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port,
                                 ULONG count, ULONG flags);
NET_BUFFER_LIST* filter_return(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags);

}  // namespace undis::plain
