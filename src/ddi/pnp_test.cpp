// SPDX-License-Identifier: MIT
//
// Events passed up, adapters given up, instance names, interfaces. The bindings above are in tests of whole
// stacks.
#include "ddi/testing.h"
#include "kernel/unicode.h"
#include "ndis/interface.h"
#include "ndis/interface_provider.h"

namespace undis {
namespace {

class PlugAndPlay : public ServiceTest {
 protected:
  static NET_PNP_EVENT_NOTIFICATION event(NET_PNP_EVENT_CODE code) {
    NET_PNP_EVENT_NOTIFICATION e{};
    e.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
    e.NetPnPEvent.NetEvent = code;
    return e;
  }
};

// LIFE-303
TEST_F(PlugAndPlay, EventsOtherThanOfPortsAreForIntermediateDrivers) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    auto port = event(NetEventPortActivation);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &port), NDIS_STATUS_INVALID_PARAMETER) << "without ports";
    NDIS_PORT none{};
    none.PortCharacteristics.PortNumber = 9;
    port.NetPnPEvent.Buffer = &none;
    port.NetPnPEvent.BufferLength = sizeof none;
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &port), NDIS_STATUS_INVALID_PORT);
    auto power = event(NetEventSetPower);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &power), NDIS_STATUS_INVALID_PARAMETER);
  });
  ASSERT_EQ(seen.places.size(), 1U);
  EXPECT_EQ(seen.places[0].kind, WrongPlace::Kind::NotIntermediate);
}

// LIFE-305
TEST_F(PlugAndPlay, EventsOfOneBindingStayBelow) {
  const Ref<MiniportDriver> miniport = add_miniport6(NDIS_INTERMEDIATE_DRIVER);
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    auto power = event(NetEventQueryPower);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &power), NDIS_STATUS_SUCCESS);
    auto pause = event(NetEventPause);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &pause), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(seen.breaches, std::vector<std::string>{"NdisMNetPnPEvent: LIFE-305"});
    EXPECT_EQ(NdisIMNotifyPnPEvent(adapter->handle(), &power.NetPnPEvent), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisIMNotifyPnPEvent(this, &power.NetPnPEvent), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), nullptr), NDIS_STATUS_INVALID_PARAMETER);
  });
  EXPECT_EQ(handle_misuses(), 1U);
}

// LIFE-171
TEST_F(PlugAndPlay, AnAdapterGivenUpIsRemovedLater) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver_at(DISPATCH_LEVEL,
               [&] { EXPECT_EQ(NdisMRemoveMiniport(adapter->handle()), NDIS_STATUS_SUCCESS); });
  system->run_until_idle();
  EXPECT_TRUE(library->adapters().empty());
  as_driver([&] { EXPECT_EQ(NdisMRemoveMiniport(adapter->handle()), NDIS_STATUS_FAILURE); });
  EXPECT_EQ(handle_misuses(), 1U);
}

TEST_F(PlugAndPlay, NamesAnAdapterAsItsKeyDescribesIt) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    NDIS_STRING name{};
    ASSERT_EQ(NdisMQueryAdapterInstanceName(&name, adapter->handle()), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&name), u"nic0");
    NdisFreeString(name);
    system->registry().set_value(kAdapterKey, u"DriverDesc", kernel::RegistryValue::string("Probe Adapter"));
    ASSERT_EQ(NdisMQueryAdapterInstanceName(&name, adapter->handle()), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&name), u"Probe Adapter");
    NdisFreeString(name);
    EXPECT_EQ(NdisQueryAdapterInstanceName(&name, adapter->handle()), NDIS_STATUS_RESOURCES);
    EXPECT_EQ(NdisQueryBindInstanceName(&name, adapter->handle()), NDIS_STATUS_RESOURCES);
  });
  EXPECT_EQ(handle_misuses(), 2U);
}

TEST_F(PlugAndPlay, GivesTheDeviceObjectsThatThereAre) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    PDEVICE_OBJECT physical = nullptr;
    PCM_RESOURCE_LIST resources = nullptr;
    NdisMGetDeviceProperty(adapter->handle(), &physical, nullptr, nullptr, &resources, nullptr);
    EXPECT_EQ(physical, adapter->device_object());
    EXPECT_EQ(resources, nullptr);
    NdisMResetComplete(adapter->handle(), NDIS_STATUS_SUCCESS, FALSE);
  });
  EXPECT_EQ(seen.completions, 1U) << "no reset was pended";
}

class Interfaces : public ServiceTest {};

TEST_F(Interfaces, AreFoundByIndexAndByLuid) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  NET_LUID luid{};
  NET_IFINDEX index = 0;
  EXPECT_EQ(NdisIfGetNetLuidFromInterfaceIndex(adapter->interface_index(), &luid), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(luid.Value, net_luid_of(*adapter).Value);
  EXPECT_EQ(NdisIfGetInterfaceIndexFromNetLuid(luid, &index), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(index, adapter->interface_index());
  luid.Info.NetLuidIndex = 77;
  EXPECT_EQ(NdisIfGetInterfaceIndexFromNetLuid(luid, &index), NDIS_STATUS_INTERFACE_NOT_FOUND);
  EXPECT_EQ(NdisIfGetNetLuidFromInterfaceIndex(77, &luid), NDIS_STATUS_INTERFACE_NOT_FOUND);
}

TEST_F(Interfaces, AreStackedUntilOneGoes) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> higher = add_adapter(*miniport);
  const Ref<Adapter> lower = add_adapter(*miniport);
  const NET_IFINDEX top = higher->interface_index();
  const NET_IFINDEX bottom = lower->interface_index();
  EXPECT_EQ(NdisIfAddIfStackEntry(top, 77), NDIS_STATUS_INTERFACE_NOT_FOUND);
  EXPECT_EQ(NdisIfAddIfStackEntry(top, bottom), NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(library->interfaces().is_stacked(top, bottom));
  NdisIfDeleteIfStackEntry(top, bottom);
  EXPECT_FALSE(library->interfaces().is_stacked(top, bottom));
  NdisIfAddIfStackEntry(top, bottom);
  library->forget(*lower);
  EXPECT_FALSE(library->interfaces().is_stacked(top, bottom));
}

TEST_F(Interfaces, MayBeProvidedByADriver) {
  static int mark = 0;
  struct Seen {
    static NDIS_STATUS query(NDIS_HANDLE context, NDIS_OID oid, PULONG length, PVOID buffer) {
      *static_cast<NDIS_OID*>(buffer) = oid;
      *length = sizeof(NDIS_OID);
      return context == &mark ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
    }
    static NDIS_STATUS set(NDIS_HANDLE, NDIS_OID, ULONG, PVOID) { return NDIS_STATUS_NOT_SUPPORTED; }
  };
  NDIS_IF_PROVIDER_CHARACTERISTICS c{};
  NDIS_HANDLE provider = nullptr;
  NET_IF_INFORMATION info{};
  info.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_OBJECT_REVISION_1, NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1};
  NET_LUID luid{};
  luid.Info.IfType = IF_TYPE_TUNNEL;
  luid.Info.NetLuidIndex = 0x8001;
  NET_IFINDEX index = 0;
  NET_IFINDEX other = 0;
  as_driver([&] {
    EXPECT_EQ(NdisIfRegisterProvider(&c, nullptr, &provider), NDIS_STATUS_NOT_SUPPORTED) << "no header";
    c.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_OBJECT_REVISION_1,
                NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1};
    EXPECT_EQ(NdisIfRegisterProvider(&c, nullptr, &provider), NDIS_STATUS_INVALID_PARAMETER)
        << "no functions";
    c.QueryObjectHandler = &Seen::query;
    c.SetObjectHandler = &Seen::set;
    ASSERT_EQ(NdisIfRegisterProvider(&c, nullptr, &provider), NDIS_STATUS_SUCCESS);
    ASSERT_EQ(NdisIfRegisterInterface(provider, luid, &mark, &info, &index), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisIfRegisterInterface(provider, luid, nullptr, &info, &other),
              NDIS_STATUS_DUPLICATE_OBJECTID);
    NET_LUID found{};
    EXPECT_EQ(NdisIfGetNetLuidFromInterfaceIndex(index, &found), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(found.Value, luid.Value);
  });
  NDIS_OID answer = 0;
  ULONG length = sizeof(answer);
  EXPECT_EQ(provider_of(index)->query(index, OID_GEN_ALIAS, &answer, length), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(answer, static_cast<NDIS_OID>(OID_GEN_ALIAS));
  EXPECT_EQ(provider_of(index)->set(index, OID_GEN_ALIAS, &answer, length), NDIS_STATUS_NOT_SUPPORTED);
  as_driver([&] {
    NdisIfDeregisterInterface(index);
    EXPECT_EQ(NdisIfGetNetLuidFromInterfaceIndex(index, &luid), NDIS_STATUS_INTERFACE_NOT_FOUND);
    NdisIfDeregisterInterface(index);
    luid.Info.NetLuidIndex = 0x8002;
    luid.Info.IfType = IF_TYPE_TUNNEL;
    EXPECT_EQ(NdisIfRegisterInterface(provider, luid, nullptr, &info, &index), NDIS_STATUS_SUCCESS);
    NdisIfDeregisterProvider(provider);
    NdisIfDeregisterProvider(provider);
  });
  EXPECT_EQ(seen.breaches, (std::vector<std::string>{"NdisIfRegisterProvider: ObjectHeaderValid",
                                                     "NdisIfDeregisterInterface: IfProvider",
                                                     "NdisIfDeregisterProvider: IfProvider"}));
  EXPECT_EQ(seen.handles.size(), 1U);
  seen.handles.clear();
}

TEST_F(Interfaces, HaveLuidIndexesOfTheirType) {
  UINT32 first = 0;
  UINT32 second = 0;
  EXPECT_EQ(NdisIfAllocateNetLuidIndex(IF_TYPE_TUNNEL, &first), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NdisIfAllocateNetLuidIndex(IF_TYPE_TUNNEL, &second), NDIS_STATUS_SUCCESS);
  EXPECT_NE(first, second);
  EXPECT_EQ(NdisIfFreeNetLuidIndex(IF_TYPE_PPP, first), NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(NdisIfFreeNetLuidIndex(IF_TYPE_TUNNEL, first), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NdisIfFreeNetLuidIndex(IF_TYPE_TUNNEL, first), NDIS_STATUS_INVALID_PARAMETER);
}

TEST_F(Interfaces, AndRequestCopiesNeedABinding) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  NDIS_OID_REQUEST request{};
  NDIS_OID_REQUEST* clone = &request;
  NET_LUID luid{};
  NET_IFINDEX index = 0;
  as_driver([&] {
    EXPECT_EQ(NdisAllocateCloneOidRequest(miniport->handle(), &request, 1, &clone),
              NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(clone, nullptr);
    EXPECT_EQ(NdisIfQueryBindingIfIndex(this, &index, &luid, &index, &luid), NDIS_STATUS_INTERFACE_NOT_FOUND);
  });
  EXPECT_EQ(handle_misuses(), 2U);
}

}  // namespace
}  // namespace undis
