// SPDX-License-Identifier: MIT
//
// NDIS ports: numbers for a miniport. They are activated and deactivated by NdisMNetPnPEvent (pnp.cpp).
#include "ddi/ddi_call.h"

using namespace undis;

// Page    ndis/nf-ndis-ndismallocateport                             IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisMAllocatePort(NDIS_HANDLE NdisMiniportHandle,
                              PNDIS_PORT_CHARACTERISTICS PortCharacteristics) {
  const DdiCall call(Ddi::NdisMAllocatePort);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  if (!adapter) return call.returns(NDIS_STATUS_CLOSING);
  if (PortCharacteristics == nullptr) return call.returns(NDIS_STATUS_INVALID_DATA);
  const NDIS_OBJECT_HEADER& header = PortCharacteristics->Header;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS,
                         NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1, "PortCharacteristics") ||
      PortCharacteristics->Type >= NdisPortTypeMax)
    return call.returns(NDIS_STATUS_INVALID_DATA);
  if (adapter->removing || !adapter->registration_attributes_set()) return call.returns(NDIS_STATUS_CLOSING);
  if (call.fails() || !adapter->ports.allocate(*PortCharacteristics))
    return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismfreeport                                 IRQL  <= DISPATCH_LEVEL
// Beyond  INVALID_PORT and INVALID_DATA both say that the number is wrong: a number beyond the last one is
// INVALID_DATA. docs/decisions.md#ports
NDIS_STATUS NdisMFreePort(NDIS_HANDLE NdisMiniportHandle, NDIS_PORT_NUMBER PortNumber) {
  const DdiCall call(Ddi::NdisMFreePort);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  if (!adapter) return call.returns(NDIS_STATUS_INVALID_DATA);
  if (PortNumber > PortTable::kLastPort) return call.returns(NDIS_STATUS_INVALID_DATA);
  if (PortNumber == PortTable::kDefaultPort)
    call.tell_breach("LIFE-157", adapter->name(), "the default port is never freed by the driver");
  return call.returns(adapter->ports.free(PortNumber));
}
