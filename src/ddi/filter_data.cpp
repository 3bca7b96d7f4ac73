// SPDX-License-Identifier: MIT
//
// Net buffer lists, status indications and plug-and-play events of filter modules.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/data_path.h"
#include "ndis/filter_events.h"
#include "ndis/filter_module.h"
#include "ndis/plain_path.h"
#include "ndis/ways.h"

using namespace undis;

namespace {

Ref<FilterModule> find(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<FilterModule>("NdisFilterHandle", handle, HandleKind::FilterModule);
}

/// False, and told, while the module may not do that (FilterAttach has not succeeded yet).
bool may(const DdiCall& call, const FilterModule& module, FilterEvent operation) {
  const FilterState state = module.state();
  if (state != FilterState::Attaching && state != FilterState::Detached) return true;
  Library::current().observer().on(StateMove{"filter module", module.name(), to_text(state),
                                             to_text(operation), nullptr, &call.driver(), call.name()});
  return false;
}

// ---- the stamped way: every list is looked at ----

[[gnu::noinline]] VOID stamped_send(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferList,
                                    NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  const DdiCall call(Ddi::NdisFSendNetBufferLists);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && NetBufferList != nullptr) filter_send(*module, NetBufferList, PortNumber, SendFlags);
}

[[gnu::noinline]] VOID stamped_complete(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferList,
                                        ULONG SendCompleteFlags) {
  const DdiCall call(Ddi::NdisFSendNetBufferListsComplete);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && NetBufferList != nullptr) filter_complete(*module, NetBufferList, SendCompleteFlags);
}

[[gnu::noinline]] VOID stamped_indicate(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists,
                                        NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists,
                                        ULONG ReceiveFlags) {
  const DdiCall call(Ddi::NdisFIndicateReceiveNetBufferLists);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && NetBufferLists != nullptr)
    filter_indicate(*module, NetBufferLists, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
}

[[gnu::noinline]] VOID stamped_return(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists,
                                      ULONG ReturnFlags) {
  const DdiCall call(Ddi::NdisFReturnNetBufferLists);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && NetBufferLists != nullptr) filter_return(*module, NetBufferLists, ReturnFlags);
}

/// A hop's code fits into two lines of the cache, if it begins with one.
constexpr std::size_t kLine = 64;

}  // namespace

// Page    ndis/nf-ndis-ndisfsendnetbufferlists                       IRQL  <= DISPATCH_LEVEL
[[gnu::aligned(kLine)]] VOID NdisFSendNetBufferLists(NDIS_HANDLE NdisFilterHandle,
                                                     PNET_BUFFER_LIST NetBufferList,
                                                     NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  follow_on<Direction::Send, plain::in_full<&plain::filter_send, &stamped_send>>(
      NdisFilterHandle, NetBufferList, PortNumber, SendFlags);
}

// Page    ndis/nf-ndis-ndisfsendnetbufferlistscomplete               IRQL  <= DISPATCH_LEVEL
[[gnu::aligned(kLine)]] VOID NdisFSendNetBufferListsComplete(NDIS_HANDLE NdisFilterHandle,
                                                             PNET_BUFFER_LIST NetBufferList,
                                                             ULONG SendCompleteFlags) {
  follow_on<Direction::Complete, plain::in_full<&plain::filter_complete, &stamped_complete>>(
      NdisFilterHandle, NetBufferList, SendCompleteFlags);
}

// Page    ndis/nf-ndis-ndisfcancelsendnetbufferlists                 IRQL  <= DISPATCH_LEVEL
VOID NdisFCancelSendNetBufferLists(NDIS_HANDLE NdisFilterHandle, PVOID CancelId) {
  const DdiCall call(Ddi::NdisFCancelSendNetBufferLists);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && may(call, *module, FilterEvent::SendReceive))
    cancel_sends_below(module->adapter(), module.get(), CancelId);
}

// Page    ndis/nf-ndis-ndisfindicatereceivenetbufferlists            IRQL  <= DISPATCH_LEVEL
[[gnu::aligned(kLine)]] VOID NdisFIndicateReceiveNetBufferLists(NDIS_HANDLE NdisFilterHandle,
                                                                PNET_BUFFER_LIST NetBufferLists,
                                                                NDIS_PORT_NUMBER PortNumber,
                                                                ULONG NumberOfNetBufferLists,
                                                                ULONG ReceiveFlags) {
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags)) [[unlikely]]
    return plain::in_full<&plain::filter_indicate, &stamped_indicate>(
        NdisFilterHandle, NetBufferLists, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
  follow_on<Direction::Receive, plain::in_full<&plain::filter_indicate, &stamped_indicate>>(
      NdisFilterHandle, NetBufferLists, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
}

// Page    ndis/nf-ndis-ndisfreturnnetbufferlists                     IRQL  <= DISPATCH_LEVEL
[[gnu::aligned(kLine)]] VOID NdisFReturnNetBufferLists(NDIS_HANDLE NdisFilterHandle,
                                                       PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags) {
  follow_on<Direction::Return, plain::in_full<&plain::filter_return, &stamped_return>>(
      NdisFilterHandle, NetBufferLists, ReturnFlags);
}

// Page    ndis/nf-ndis-ndisfindicatestatus                           IRQL  <= DISPATCH_LEVEL
// Beyond  Two pages differ: here a status may be indicated from NdisFSetAttributes on,
// attaching-a-filter-module forbids it in the
//         Attaching state. It is told and goes no further. docs/decisions.md#filter-status-attaching
VOID NdisFIndicateStatus(NDIS_HANDLE NdisFilterHandle, PNDIS_STATUS_INDICATION StatusIndication) {
  const DdiCall call(Ddi::NdisFIndicateStatus);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module || StatusIndication == nullptr) return;
  const NDIS_OBJECT_HEADER& header = StatusIndication->Header;
  if (header.Type != NDIS_OBJECT_TYPE_STATUS_INDICATION ||
      header.Revision < NDIS_STATUS_INDICATION_REVISION_1 ||
      header.Size < NDIS_SIZEOF_STATUS_INDICATION_REVISION_1)
    return;
  if (module->state() == FilterState::Attaching && !module->attributes_set()) {
    may(call, *module, FilterEvent::OidRequest);
    return;
  }
  indicate_status_up(module->adapter(), module.get(), *StatusIndication);
}

// Page    ndis/nf-ndis-ndisfnetpnpevent                              IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisFNetPnPEvent(NDIS_HANDLE NdisFilterHandle,
                             PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  const DdiCall call(Ddi::NdisFNetPnPEvent);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (!module || NetPnPEventNotification == nullptr ||
      NetPnPEventNotification->Header.Revision < NET_PNP_EVENT_NOTIFICATION_REVISION_1 ||
      NetPnPEventNotification->Header.Size < NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1)
    return call.returns(NDIS_STATUS_FAILURE);
  if (kernel::inside_callback("FilterOidRequest", module.get()))
    call.tell_wrong_place(WrongPlace::Kind::InsideCallback, module.get(),
                          "an event is not passed up inside FilterOidRequest: it may deadlock");
  if (NetPnPEventNotification->NetPnPEvent.NetEvent == NetEventFilterPreDetach)
    return call.returns(NDIS_STATUS_SUCCESS);  // for this module only
  return call.returns(net_pnp_event_up(module->adapter(), module.get(), *NetPnPEventNotification));
}

// Page    ndis/nf-ndis-ndisfdevicepnpeventnotify                     IRQL  PASSIVE_LEVEL
VOID NdisFDevicePnPEventNotify(NDIS_HANDLE NdisFilterHandle, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent) {
  const DdiCall call(Ddi::NdisFDevicePnPEventNotify);
  const Ref<FilterModule> module = find(call, NdisFilterHandle);
  if (module && NetDevicePnPEvent != nullptr)
    device_pnp_event_down(module->adapter(), module.get(), *NetDevicePnPEvent);
}
