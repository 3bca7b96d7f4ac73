// SPDX-License-Identifier: MIT
//
// Sends, completions, indications and returns of 6.x drivers.
#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/data_path.h"
#include "ndis/plain_path.h"
#include "ndis/ways.h"

using namespace undis;

namespace {

// ---- the stamped way: every list is looked at ----

[[gnu::noinline]] VOID stamped_send(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists,
                                    NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  const DdiCall call(Ddi::NdisSendNetBufferLists);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding && NetBufferLists != nullptr &&
      !binding->adapter().suspend.hold_send(*binding, NetBufferLists, PortNumber, SendFlags))
    send_net_buffer_lists(*binding, NetBufferLists, PortNumber, SendFlags);
}

[[gnu::noinline]] VOID stamped_give_back(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists,
                                         ULONG ReturnFlags) {
  const DdiCall call(Ddi::NdisReturnNetBufferLists);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  if (binding && NetBufferLists != nullptr) return_net_buffer_lists(*binding, NetBufferLists, ReturnFlags);
}

[[gnu::noinline]] VOID stamped_complete(NDIS_HANDLE MiniportAdapterHandle, PNET_BUFFER_LIST NetBufferList,
                                        ULONG SendCompleteFlags) {
  const DdiCall call(Ddi::NdisMSendNetBufferListsComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && NetBufferList != nullptr)
    complete_net_buffer_lists(*adapter, NetBufferList, SendCompleteFlags);
}

[[gnu::noinline]] VOID stamped_indicate(NDIS_HANDLE MiniportAdapterHandle, PNET_BUFFER_LIST NetBufferList,
                                        NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists,
                                        ULONG ReceiveFlags) {
  const DdiCall call(Ddi::NdisMIndicateReceiveNetBufferLists);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && NetBufferList != nullptr)
    indicate_net_buffer_lists(*adapter, NetBufferList, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
}

}  // namespace

namespace {

/// Whether a schedule point may be passed without a look (kernel::passing_point).
bool passes() noexcept {
  std::uint32_t& passing = machine::processor_here->passing;
  if (passing == 0) [[unlikely]]
    return false;
  --passing;
  return true;
}

[[gnu::always_inline]] inline VOID send_on(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port,
                                           ULONG flags) {
  if (NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK)) [[unlikely]]
    return plain::in_full<&plain::send, &stamped_send>(binding, chain, port, flags);
  follow_in<Direction::Send, plain::in_full<&plain::send, &stamped_send>>(binding, chain, port, flags);
}
[[gnu::always_inline]] inline VOID indicate_on(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain,
                                               NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) [[unlikely]]
    return plain::in_full<&plain::indicate, &stamped_indicate>(adapter, chain, port, count, flags);
  follow_in<Direction::Receive, plain::in_full<&plain::indicate, &stamped_indicate>>(adapter, chain, port,
                                                                                     count, flags);
}

/// The same after a schedule point; a driver that is watched has one in the stamped way.
template <auto kOn, class... A>
[[gnu::noinline]] VOID after_point(const char* name, A... args) {
  if (!kernel::watches_all()) kernel::schedule_point(name);
  kOn(args...);
}

}  // namespace

// Page    ndis/nf-ndis-ndissendnetbufferlists                        IRQL  <= DISPATCH_LEVEL
VOID NdisSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists,
                            NDIS_PORT_NUMBER PortNumber, ULONG SendFlags) {
  if (!passes()) [[unlikely]]
    return after_point<&send_on>("NdisSendNetBufferLists", NdisBindingHandle, NetBufferLists, PortNumber,
                                 SendFlags);
  send_on(NdisBindingHandle, NetBufferLists, PortNumber, SendFlags);
}

// Page    ndis/nf-ndis-ndiscancelsendnetbufferlists                  IRQL  <= DISPATCH_LEVEL
VOID NdisCancelSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PVOID CancelId) {
  const DdiCall call(Ddi::NdisCancelSendNetBufferLists);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) cancel_net_buffer_lists(*binding, CancelId);
}

// Page    ndis/nf-ndis-ndisreturnnetbufferlists                      IRQL  <= DISPATCH_LEVEL
// Beyond  Lists go back until the close is complete, so also after NdisCloseAdapterEx was called.
VOID NdisReturnNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists,
                              ULONG ReturnFlags) {
  follow_back<Direction::Return, plain::in_full<&plain::give_back, &stamped_give_back>>(
      NdisBindingHandle, NetBufferLists, ReturnFlags);
}

// Page    ndis/nf-ndis-ndismsendnetbufferlistscomplete               IRQL  <= DISPATCH_LEVEL
VOID NdisMSendNetBufferListsComplete(NDIS_HANDLE MiniportAdapterHandle, PNET_BUFFER_LIST NetBufferList,
                                     ULONG SendCompleteFlags) {
  follow_back<Direction::Complete, plain::in_full<&plain::complete, &stamped_complete>>(
      MiniportAdapterHandle, NetBufferList, SendCompleteFlags);
}

// Page    ndis/nf-ndis-ndismindicatereceivenetbufferlists            IRQL  <= DISPATCH_LEVEL
VOID NdisMIndicateReceiveNetBufferLists(NDIS_HANDLE MiniportAdapterHandle, PNET_BUFFER_LIST NetBufferList,
                                        NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists,
                                        ULONG ReceiveFlags) {
  if (!passes()) [[unlikely]]
    return after_point<&indicate_on>("NdisMIndicateReceiveNetBufferLists", MiniportAdapterHandle,
                                     NetBufferList, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
  indicate_on(MiniportAdapterHandle, NetBufferList, PortNumber, NumberOfNetBufferLists, ReceiveFlags);
}
