// SPDX-License-Identifier: MIT
//
// Net buffer lists on virtual connections, and status indications of connection-oriented miniports.
#include "ndis/co_data.h"
#include "ddi/co_call.h"

using namespace undis;

// Page    ndis/nf-ndis-ndiscosendnetbufferlists                      IRQL  <= DISPATCH_LEVEL
// Calls   MiniportCoSendNetBufferLists
VOID NdisCoSendNetBufferLists(NDIS_HANDLE NdisVcHandle, PNET_BUFFER_LIST NetBufferLists, ULONG SendFlags) {
  const DdiCall call(Ddi::NdisCoSendNetBufferLists);
  CoSide side{};
  const Ref<Vc> vc = find_vc_of_either(call, NdisVcHandle, side);
  if (!vc || NetBufferLists == nullptr) return;
  if (vc->binding(side) == nullptr) {  // the page: an integrated call manager never calls it
    call.tell_breach("CoManagerKind", vc->name(), "an integrated call manager sends without NDIS");
    return;
  }
  co_data::send(caller_of(call), *vc, side, NetBufferLists, SendFlags);
}

// Page    ndis/nf-ndis-ndismcosendnetbufferlistscomplete             IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoSendNetBufferListsComplete
VOID NdisMCoSendNetBufferListsComplete(NDIS_HANDLE NdisVcHandle, PNET_BUFFER_LIST NetBufferLists,
                                       ULONG SendCompleteFlags) {
  const DdiCall call(Ddi::NdisMCoSendNetBufferListsComplete);
  const Ref<Vc> vc = find_vc_of_miniport(call, "NdisVcHandle", NdisVcHandle);
  if (vc && NetBufferLists != nullptr) co_data::complete(*vc, NetBufferLists, SendCompleteFlags);
}

// Page    ndis/nf-ndis-ndismcoindicatereceivenetbufferlists          IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoReceiveNetBufferLists
VOID NdisMCoIndicateReceiveNetBufferLists(NDIS_HANDLE NdisVcHandle, PNET_BUFFER_LIST NetBufferLists,
                                          ULONG NumberOfNetBufferLists, ULONG CoReceiveFlags) {
  const DdiCall call(Ddi::NdisMCoIndicateReceiveNetBufferLists);
  UNREFERENCED_PARAMETER(NumberOfNetBufferLists);
  const Ref<Vc> vc = find_vc_of_miniport(call, "NdisVcHandle", NdisVcHandle);
  if (vc && NetBufferLists != nullptr)
    co_data::indicate(caller_of(call), *vc, NetBufferLists, CoReceiveFlags);
}

// Page    ndis/nf-ndis-ndismcoindicatestatusex                       IRQL  <= DISPATCH_LEVEL
// Calls   ProtocolCoStatusEx
VOID NdisMCoIndicateStatusEx(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE NdisVcHandle,
                             PNDIS_STATUS_INDICATION StatusIndication) {
  const DdiCall call(Ddi::NdisMCoIndicateStatusEx);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || StatusIndication == nullptr) return;
  Ref<Vc> vc;
  if (NdisVcHandle != nullptr) {
    vc = find_vc_of_miniport(call, "NdisVcHandle", NdisVcHandle);
    if (!vc) return;
  }
  co_data::indicate_status(*adapter, vc.get(), *StatusIndication);
}
