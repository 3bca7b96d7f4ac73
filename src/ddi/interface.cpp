// SPDX-License-Identifier: MIT
//
// Network interfaces: their order, indexes and NET_LUIDs. Drivers cannot register interfaces of their own:
// the adapters are all there are.
#include "ndis/interface.h"

#include "ddi/ddi_call.h"
#include "ndis/binding.h"

using namespace undis;

namespace {

bool is_interface(NET_IFINDEX index) {
  for (const Ref<Adapter>& adapter : Library::current().adapters())
    if (adapter->interface_index() == index) return true;
  return false;
}

}  // namespace

// Page    ndis/nf-ndis-ndisifaddifstackentry                         IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfAddIfStackEntry(NET_IFINDEX HigherLayerIfIndex, NET_IFINDEX LowerLayerIfIndex) {
  const DdiCall call(Ddi::NdisIfAddIfStackEntry);
  if (!is_interface(HigherLayerIfIndex) || !is_interface(LowerLayerIfIndex))
    return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  Library::current().interfaces().stack(HigherLayerIfIndex, LowerLayerIfIndex);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisifdeleteifstackentry                      IRQL  PASSIVE_LEVEL
VOID NdisIfDeleteIfStackEntry(NET_IFINDEX HigherLayerIfIndex, NET_IFINDEX LowerLayerIfIndex) {
  const DdiCall call(Ddi::NdisIfDeleteIfStackEntry);
  Library::current().interfaces().unstack(HigherLayerIfIndex, LowerLayerIfIndex);
}

// Page    ndis/nf-ndis-ndisifallocatenetluidindex                    IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfAllocateNetLuidIndex(NET_IFTYPE ifType, PUINT32 pNetLuidIndex) {
  const DdiCall call(Ddi::NdisIfAllocateNetLuidIndex);
  *pNetLuidIndex = call.fails() ? 0 : Library::current().interfaces().allocate_luid_index(ifType);
  return call.returns(*pNetLuidIndex != 0 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES);
}

// Page    ndis/nf-ndis-ndisiffreenetluidindex                        IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfFreeNetLuidIndex(NET_IFTYPE ifType, UINT32 NetLuidIndex) {
  const DdiCall call(Ddi::NdisIfFreeNetLuidIndex);
  const bool freed = Library::current().interfaces().free_luid_index(ifType, NetLuidIndex);
  return call.returns(freed ? NDIS_STATUS_SUCCESS : NDIS_STATUS_INVALID_PARAMETER);
}

// Page    ndis/nf-ndis-ndisifgetinterfaceindexfromnetluid            IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfGetInterfaceIndexFromNetLuid(NET_LUID NetLuid, PNET_IFINDEX pIfIndex) {
  const DdiCall call(Ddi::NdisIfGetInterfaceIndexFromNetLuid);
  for (const Ref<Adapter>& adapter : Library::current().adapters()) {
    if (net_luid_of(*adapter).Value != NetLuid.Value) continue;
    *pIfIndex = adapter->interface_index();
    return call.returns(NDIS_STATUS_SUCCESS);
  }
  return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
}

// Page    ndis/nf-ndis-ndisifgetnetluidfrominterfaceindex            IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfGetNetLuidFromInterfaceIndex(NET_IFINDEX ifIndex, PNET_LUID pNetLuid) {
  const DdiCall call(Ddi::NdisIfGetNetLuidFromInterfaceIndex);
  for (const Ref<Adapter>& adapter : Library::current().adapters()) {
    if (adapter->interface_index() != ifIndex) continue;
    *pNetLuid = net_luid_of(*adapter);
    return call.returns(NDIS_STATUS_SUCCESS);
  }
  return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
}

// Page    ndis/nf-ndis-ndisifquerybindingifindex                     IRQL  PASSIVE_LEVEL
// Beyond  Without filter modules the highest and the lowest interface of a binding are its adapter.
NDIS_STATUS NdisIfQueryBindingIfIndex(NDIS_HANDLE NdisBindingHandle, PNET_IFINDEX pBoundIfIndex,
                                      PNET_LUID pBoundIfNetLuid, PNET_IFINDEX pLowestIfIndex,
                                      PNET_LUID pLowestIfNetLuid) {
  const DdiCall call(Ddi::NdisIfQueryBindingIfIndex);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding) return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
  *pBoundIfIndex = *pLowestIfIndex = binding->adapter().interface_index();
  *pBoundIfNetLuid = *pLowestIfNetLuid = net_luid_of(binding->adapter());
  return call.returns(NDIS_STATUS_SUCCESS);
}
