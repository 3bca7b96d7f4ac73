// SPDX-License-Identifier: MIT
//
// Network interfaces: their order, indexes and NET_LUIDs, and those that a driver provides itself.
#include "ndis/interface.h"

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/interface_provider.h"

using namespace undis;

namespace {

bool is_interface(NET_IFINDEX index) {
  return luid_of_interface(index).has_value();
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
  const std::optional<NET_IFINDEX> index = interface_of_luid(NetLuid);
  if (!index) return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
  *pIfIndex = *index;
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisifgetnetluidfrominterfaceindex            IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfGetNetLuidFromInterfaceIndex(NET_IFINDEX ifIndex, PNET_LUID pNetLuid) {
  const DdiCall call(Ddi::NdisIfGetNetLuidFromInterfaceIndex);
  const std::optional<NET_LUID> luid = luid_of_interface(ifIndex);
  if (!luid) return call.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
  *pNetLuid = *luid;
  return call.returns(NDIS_STATUS_SUCCESS);
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

// ---- interfaces that a driver provides ----

// Page    ndis/nf-ndis-ndisifregisterprovider                        IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfRegisterProvider(PNDIS_IF_PROVIDER_CHARACTERISTICS ProviderCharacteristics, NDIS_HANDLE,
                                   PNDIS_HANDLE pNdisIfProviderHandle) {
  const DdiCall call(Ddi::NdisIfRegisterProvider);
  if (pNdisIfProviderHandle == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  *pNdisIfProviderHandle = nullptr;
  if (ProviderCharacteristics == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (!call.check_header(ProviderCharacteristics->Header, NDIS_OBJECT_TYPE_DEFAULT,
                         NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1, "ProviderCharacteristics"))
    return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  if (ProviderCharacteristics->QueryObjectHandler == nullptr ||
      ProviderCharacteristics->SetObjectHandler == nullptr)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<IfProvider> provider(new IfProvider(call.driver(), *ProviderCharacteristics));
  if (!Library::current().services().open(*provider)) return call.returns(NDIS_STATUS_RESOURCES);
  *pNdisIfProviderHandle = provider->handle();
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisifderegisterprovider                      IRQL  PASSIVE_LEVEL
VOID NdisIfDeregisterProvider(NDIS_HANDLE NdisProviderHandle) {
  const DdiCall call(Ddi::NdisIfDeregisterProvider);
  const Ref<IfProvider> provider =
      call.find<IfProvider>("NdisProviderHandle", NdisProviderHandle, HandleKind::IfProvider);
  if (!provider) return;
  const std::vector<IfProvider::Interface> left = provider->interfaces();
  if (!left.empty())
    call.tell_breach("IfProvider", provider->name(),
                     fmt::format("{} interfaces are registered still: NdisIfDeregisterInterface comes first",
                                 left.size()));
  for (const IfProvider::Interface& one : left) provider->remove(one.index);
  Library::current().services().close(*provider);
}

// Page    ndis/nf-ndis-ndisifregisterinterface                       IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisIfRegisterInterface(NDIS_HANDLE NdisProviderHandle, NET_LUID NetLuid,
                                    NDIS_HANDLE ProviderIfContext, PNET_IF_INFORMATION pIfInfo,
                                    PNET_IFINDEX pfIndex) {
  const DdiCall call(Ddi::NdisIfRegisterInterface);
  const Ref<IfProvider> provider =
      call.find<IfProvider>("NdisProviderHandle", NdisProviderHandle, HandleKind::IfProvider);
  if (!provider || pIfInfo == nullptr || pfIndex == nullptr || NetLuid.Value == 0)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (!call.check_header(pIfInfo->Header, NDIS_OBJECT_TYPE_DEFAULT, NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1,
                         "pIfInfo"))
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (interface_of_luid(NetLuid)) return call.returns(NDIS_STATUS_DUPLICATE_OBJECTID);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  *pfIndex = provider->add(NetLuid, ProviderIfContext);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisifderegisterinterface                     IRQL  PASSIVE_LEVEL
VOID NdisIfDeregisterInterface(NET_IFINDEX ifIndex) {
  const DdiCall call(Ddi::NdisIfDeregisterInterface);
  const Ref<IfProvider> provider = provider_of(ifIndex);
  if (!provider || !provider->remove(ifIndex))
    call.tell_breach("IfProvider", fmt::format("interface {}", ifIndex),
                     "no provider has registered this interface");
}
