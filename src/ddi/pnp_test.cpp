// SPDX-License-Identifier: MIT
//
// Events passed up, adapters given up, instance names. The bindings above are in tests of whole stacks.
#include "ddi/testing.h"
#include "kernel/unicode.h"

namespace undis {
namespace {

class PlugAndPlay : public ServiceTest {
 protected:
  static NET_PNP_EVENT_NOTIFICATION event(NET_PNP_EVENT_CODE code) {
    NET_PNP_EVENT_NOTIFICATION e{};
    e.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1, NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
    e.NetPnPEvent.NetEvent = code;
    return e;
  }
};

TEST_F(PlugAndPlay, EventsOtherThanOfPortsAreForIntermediateDrivers) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    auto port = event(NetEventPortActivation);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &port), NDIS_STATUS_SUCCESS);
    auto power = event(NetEventSetPower);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &power), NDIS_STATUS_INVALID_PARAMETER);
  });
  ASSERT_EQ(seen.places.size(), 1U);
  EXPECT_EQ(seen.places[0].kind, WrongPlace::Kind::NotIntermediate);
}

TEST_F(PlugAndPlay, EventsOfOneBindingStayBelow) {
  const Ref<MiniportDriver> miniport = add_miniport6(NDIS_INTERMEDIATE_DRIVER);
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    auto power = event(NetEventQueryPower);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &power), NDIS_STATUS_SUCCESS);
    auto pause = event(NetEventPause);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &pause), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(misuses(), Kinds{kernel::Misuse::BadParameter});
    EXPECT_EQ(NdisIMNotifyPnPEvent(adapter->handle(), &power.NetPnPEvent), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisIMNotifyPnPEvent(this, &power.NetPnPEvent), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), nullptr), NDIS_STATUS_INVALID_PARAMETER);
  });
  EXPECT_EQ(handle_misuses(), 1U);
}

TEST_F(PlugAndPlay, AnAdapterGivenUpIsRemovedLater) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver_at(DISPATCH_LEVEL, [&] { EXPECT_EQ(NdisMRemoveMiniport(adapter->handle()), NDIS_STATUS_SUCCESS); });
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

}  // namespace
}  // namespace undis
