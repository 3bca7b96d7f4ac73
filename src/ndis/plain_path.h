// SPDX-License-Identifier: MIT
//
// The way of net buffer lists while drivers are not watched (kernel::Watch below All): whole chains from
// handler to handler, without a stamp on any list.
//
// Goes by    the handle that was passed, and SourceHandle, as the pages have it: it says whose a list is.
// Counts     calls that run, not lists: what is outstanding at a pause or a close is its drivers' to wait
// for, as their pages say
//            (docs/decisions.md#watch-levels).
// Plain      lists between 6.x neighbours where no more than one binding takes what is received, none only
// shows
//            (NDIS_RECEIVE_FLAGS_RESOURCES), nothing is looped back. Everything else goes the stamped way
//            (data_path6.cpp, filter_data.cpp); a list that is on it says so (is_stamped), until that leg is
//            over.
// Lifetime   each call is a visit to its stack (visit.h): no lock, no reference, two counters a round trip.
#pragma once

#include <ndis.h>

#include "kernel/watch.h"

namespace undis::plain {

// What the plain way does not take is handed to `stamped`: the same call, carried out the other way. A chain
// of both kinds is split.
using Send = VOID(NDIS_HANDLE, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG);
using Receive = VOID(NDIS_HANDLE, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG, ULONG);
using Back = VOID(NDIS_HANDLE, NET_BUFFER_LIST*, ULONG);

void send(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags, Send* stamped);
void complete(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped);
void indicate(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count, ULONG flags,
              Receive* stamped);
void give_back(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped);

void filter_send(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags,
                 Send* stamped);
void filter_complete(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped);
void filter_indicate(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                     ULONG flags, Receive* stamped);
void filter_return(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped);

/// What has no way of its own (ways.h): lists that need a look, and drivers that are watched.
template <auto kPlain, auto kStamped, class Function = decltype(kStamped)>
struct InFull;
template <auto kPlain, auto kStamped, class... A>
struct InFull<kPlain, kStamped, VOID (*)(NDIS_HANDLE, NET_BUFFER_LIST*, A...)> {
  static VOID call(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
    if (kernel::watches_all()) return kStamped(handle, chain, args...);
    kPlain(handle, chain, args..., kStamped);
  }
};
template <auto kPlain, auto kStamped>
inline constexpr auto in_full = &InFull<kPlain, kStamped>::call;

}  // namespace undis::plain
