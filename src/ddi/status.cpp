// SPDX-License-Identifier: MIT
//
// Status indications of miniports.
#include "ddi/ddi_call.h"
#include "ndis/data_path.h"

using namespace undis;

// Page    ndis/nf-ndis-ndismindicatestatusex                         IRQL  <= DISPATCH_LEVEL
VOID NdisMIndicateStatusEx(NDIS_HANDLE MiniportAdapterHandle, PNDIS_STATUS_INDICATION StatusIndication) {
  const DdiCall call(Ddi::NdisMIndicateStatusEx);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || StatusIndication == nullptr) return;
  const NDIS_OBJECT_HEADER& header = StatusIndication->Header;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
                         "StatusIndication"))
    return;
  if (!adapter->registration_attributes_set())
    call.tell_breach("LIFE-335", adapter->name(),
                     "a status is indicated before the registration attributes are set");
  else if (adapter->state() == AdapterState::Halted &&
           !kernel::inside_callback("MiniportHaltEx", adapter.get()))
    call.tell_breach("LIFE-335", adapter->name(), "a status is indicated after the halt has returned");
  if (StatusIndication->StatusCode == NDIS_STATUS_RESET_START ||
      StatusIndication->StatusCode == NDIS_STATUS_RESET_END)
    call.tell_breach("LIFE-185", adapter->name(),
                     "NDIS itself indicates the beginning and the end of a reset");
  indicate_status6(*adapter, *StatusIndication);
}

// Page    ndis/nf-ndis-ndismindicatestatus                           IRQL  <= DISPATCH_LEVEL
VOID NdisMIndicateStatus(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                         UINT StatusBufferSize) {
  const DdiCall call(Ddi::NdisMIndicateStatus);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter) indicate_status5(*adapter, GeneralStatus, StatusBuffer, StatusBufferSize);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisMIndicateStatusComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMIndicateStatusComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter) indicate_status_complete5(*adapter);
}
