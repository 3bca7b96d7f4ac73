// SPDX-License-Identifier: MIT
//
// Indications of NDIS 5 media that undis does not carry: ARCNET and WAN. Each is accepted, told once with
// what is missing, and goes nowhere. docs/decisions.md#media
//
// Pages   none is left (NDIS 5)
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"

using namespace undis;

namespace {

void tell_not_carried(const DdiCall& call, NDIS_HANDLE handle, const char* medium) {
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportAdapterHandle", handle, HandleKind::Adapter);
  if (adapter)
    tell_breach(
        "MediumNotCarried", call.driver(), call.name(), adapter->name(),
        fmt::format("{} is not carried by undis: what {} indicates reaches nobody", medium, adapter->name()));
}

}  // namespace

// IRQL  DISPATCH_LEVEL
VOID NdisMArcIndicateReceive(NDIS_HANDLE MiniportAdapterHandle, PUCHAR pRawHeader, PUCHAR pData,
                             UINT Length) {
  const DdiCall call(Ddi::NdisMArcIndicateReceive);
  UNREFERENCED_PARAMETER(pRawHeader);
  UNREFERENCED_PARAMETER(pData);
  UNREFERENCED_PARAMETER(Length);
  tell_not_carried(call, MiniportAdapterHandle, "ARCNET");
}

// IRQL  DISPATCH_LEVEL
VOID NdisMArcIndicateReceiveComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMArcIndicateReceiveComplete);
  call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMWanIndicateReceive(PNDIS_STATUS Status, NDIS_HANDLE MiniportAdapterHandle,
                             NDIS_HANDLE NdisLinkContext, PUCHAR Packet, ULONG PacketSize) {
  const DdiCall call(Ddi::NdisMWanIndicateReceive);
  UNREFERENCED_PARAMETER(NdisLinkContext);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(PacketSize);
  tell_not_carried(call, MiniportAdapterHandle, "WAN");
  if (Status != nullptr) *Status = call.returns(NDIS_STATUS_UNSUPPORTED_MEDIA);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMWanIndicateReceiveComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE NdisLinkContext) {
  const DdiCall call(Ddi::NdisMWanIndicateReceiveComplete);
  UNREFERENCED_PARAMETER(NdisLinkContext);
  call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisMWanSendComplete(NDIS_HANDLE MiniportAdapterHandle, PNDIS_WAN_PACKET Packet, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMWanSendComplete);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Status);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter)
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "MiniportWanSend was never called");
}
