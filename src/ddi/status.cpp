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
  if (header.Type != NDIS_OBJECT_TYPE_STATUS_INDICATION ||
      header.Revision < NDIS_STATUS_INDICATION_REVISION_1 ||
      header.Size < NDIS_SIZEOF_STATUS_INDICATION_REVISION_1)
    return;
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
