// SPDX-License-Identifier: MIT
//
// NDIS ports: numbers, states, what protocols hear of them, and the default port that decides over bindings.
// Pages: network/{allocating,activating,deactivating,freeing}-an-ndis-port, ndis/nf-ndis-ndismallocateport,
// ndis/nf-ndis-ndismfreeport.
#include <array>

#include "lab/core_test.h"

namespace undis::test {
namespace {

class PortsOfAnAdapter : public CoreTest {
 protected:
  static NDIS_PORT_CHARACTERISTICS characteristics() {
    NDIS_PORT_CHARACTERISTICS port{};
    port.Header = {NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS, NDIS_PORT_CHARACTERISTICS_REVISION_1,
                   NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1};
    port.Type = NdisPortTypeBridge;
    return port;
  }
  static NET_PNP_EVENT_NOTIFICATION event(NET_PNP_EVENT_CODE code, void* buffer, ULONG length) {
    NET_PNP_EVENT_NOTIFICATION e{};
    e.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
    e.NetPnPEvent.NetEvent = code;
    e.NetPnPEvent.Buffer = buffer;
    e.NetPnPEvent.BufferLength = length;
    return e;
  }
  NDIS_PORT_NUMBER allocate() {
    NDIS_PORT_CHARACTERISTICS port = characteristics();
    EXPECT_EQ(NdisMAllocatePort(nic()->handle(), &port), NDIS_STATUS_SUCCESS);
    return port.PortNumber;
  }
  NDIS_STATUS activate(NDIS_HANDLE handle, std::initializer_list<NDIS_PORT_NUMBER> numbers) {
    std::vector<NDIS_PORT> ports(numbers.size());
    std::size_t i = 0;
    for (const NDIS_PORT_NUMBER number : numbers) {
      ports[i].PortCharacteristics = characteristics();
      ports[i].PortCharacteristics.PortNumber = number;
      ports[i].Next = i + 1 < ports.size() ? &ports[i + 1] : nullptr;
      ++i;
    }
    auto e = event(NetEventPortActivation, ports.data(), sizeof(NDIS_PORT));
    return NdisMNetPnPEvent(handle, &e);
  }
  NDIS_STATUS deactivate(NDIS_HANDLE handle, std::initializer_list<NDIS_PORT_NUMBER> numbers) {
    std::vector<NDIS_PORT_NUMBER> list(numbers);
    auto e = event(NetEventPortDeactivation, list.data(),
                   static_cast<ULONG>(list.size() * sizeof(NDIS_PORT_NUMBER)));
    return NdisMNetPnPEvent(handle, &e);
  }
  NDIS_STATUS free_port(NDIS_PORT_NUMBER number) { return NdisMFreePort(nic()->handle(), number); }
  void control_the_default_port() {
    mp.attributes = [](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
      if (a.Header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES)
        a.RegistrationAttributes.AttributeFlags |= NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT;
    };
  }
};

TEST_F(PortsOfAnAdapter, GetTheLowestFreeNumberAndLiveUntilTheyAreFreed) {
  up();
  run([&] {
    EXPECT_EQ(allocate(), 1U);
    EXPECT_EQ(allocate(), 2U);
    EXPECT_EQ(free_port(1), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(allocate(), 1U) << "a freed number is given out again";
    EXPECT_EQ(free_port(3), NDIS_STATUS_INVALID_PORT);
    EXPECT_EQ(free_port(0x1000000), NDIS_STATUS_INVALID_DATA);
    EXPECT_EQ(free_port(1), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(free_port(2), NDIS_STATUS_SUCCESS);
  });
  down();
}

TEST_F(PortsOfAnAdapter, NeedValidCharacteristics) {
  up();
  run([&] {
    EXPECT_EQ(NdisMAllocatePort(nic()->handle(), nullptr), NDIS_STATUS_INVALID_DATA);
    auto wrong = characteristics();
    wrong.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    EXPECT_EQ(NdisMAllocatePort(nic()->handle(), &wrong), NDIS_STATUS_INVALID_DATA);
    wrong = characteristics();
    wrong.Header.Size = sizeof(NDIS_OBJECT_HEADER);
    EXPECT_EQ(NdisMAllocatePort(nic()->handle(), &wrong), NDIS_STATUS_INVALID_DATA);
    wrong = characteristics();
    wrong.Type = NdisPortTypeMax;
    EXPECT_EQ(NdisMAllocatePort(nic()->handle(), &wrong), NDIS_STATUS_INVALID_DATA);
  });
  down();
  expect({"host: ObjectHeaderValid"});
}

TEST_F(PortsOfAnAdapter, AreToldToProtocolsWhenTheyAreActivatedAndDeactivated) {
  Lines events;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* e) {
    const auto& seen = static_cast<NET_PNP_EVENT_NOTIFICATION*>(e)->NetPnPEvent;
    if (code == NetEventPortActivation)
      for (auto* port = static_cast<NDIS_PORT*>(seen.Buffer); port != nullptr; port = port->Next)
        events.push_back("on " + std::to_string(port->PortCharacteristics.PortNumber));
    if (code == NetEventPortDeactivation)
      for (ULONG i = 0; i < seen.BufferLength / sizeof(NDIS_PORT_NUMBER); ++i)
        events.push_back("off " + std::to_string(static_cast<NDIS_PORT_NUMBER*>(seen.Buffer)[i]));
    return NDIS_STATUS_SUCCESS;
  };
  up();
  run([&] {
    allocate();
    allocate();
    EXPECT_EQ(activate(nic()->handle(), {1, 2}), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(free_port(1), NDIS_STATUS_INVALID_PORT_STATE) << "an active port is not freed";
    UCHAR buffer[512];
    NDIS_OID_REQUEST request = query_request(OID_GEN_ENUMERATE_PORTS, buffer, sizeof(buffer));
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(reinterpret_cast<NDIS_PORT_ARRAY*>(buffer)->NumberOfPorts, 3U) << "with the default port";
    EXPECT_EQ(deactivate(nic()->handle(), {2, 1}), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(free_port(1), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(free_port(2), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(events, (Lines{"on 1", "on 2", "off 2", "off 1"}));
  down();
}

// LIFE-160
TEST_F(PortsOfAnAdapter, ChangeStateTogetherOrNotAtAll) {
  up();
  run([&] {
    const NDIS_HANDLE handle = nic()->handle();
    allocate();
    allocate();
    EXPECT_EQ(activate(handle, {1, 7}), NDIS_STATUS_INVALID_PORT);
    EXPECT_FALSE(nic()->ports.is_active(1));
    EXPECT_EQ(activate(handle, {1}), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(activate(handle, {2, 1}), NDIS_STATUS_INVALID_PORT_STATE);
    EXPECT_FALSE(nic()->ports.is_active(2));
    EXPECT_EQ(deactivate(handle, {1, 7}), NDIS_STATUS_INVALID_PORT);
    EXPECT_TRUE(nic()->ports.is_active(1));
    EXPECT_EQ(deactivate(handle, {1, 2}), NDIS_STATUS_INVALID_PORT_STATE);
    EXPECT_TRUE(nic()->ports.is_active(1));
    EXPECT_EQ(deactivate(handle, {1, 0}), NDIS_STATUS_INVALID_PORT) << "the default port comes alone";
    EXPECT_EQ(activate(handle, {1, 0}), NDIS_STATUS_INVALID_PORT);
    auto nothing = event(NetEventPortDeactivation, nullptr, 0);
    EXPECT_EQ(NdisMNetPnPEvent(handle, &nothing), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(deactivate(handle, {1}), NDIS_STATUS_SUCCESS);
    free_port(1);
    free_port(2);
  });
  down();
}

// LIFE-118
TEST_F(PortsOfAnAdapter, OfADriverThatControlsTheDefaultOneDecideOverBindings) {
  control_the_default_port();
  up();
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 0U);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  run([&] { EXPECT_EQ(activate(nic()->handle(), {0}), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 1U);
  EXPECT_EQ(binding_state(), BindingState::Running);
  mp.on_halt = [&](FakeAdapter& card) { EXPECT_EQ(deactivate(card.handle, {0}), NDIS_STATUS_SUCCESS); };
  down();
}

// LIFE-159
TEST_F(PortsOfAnAdapter, WithoutTheDefaultOneHaveNoBindings) {
  up();
  run([&] { EXPECT_EQ(deactivate(nic()->handle(), {0}), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  EXPECT_FALSE(binding());
  run([&] {
    EXPECT_EQ(deactivate(nic()->handle(), {0}), NDIS_STATUS_INVALID_PORT_STATE);
    EXPECT_EQ(activate(nic()->handle(), {0}), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 2U);
  down();
}

// LIFE-157, LIFE-158
TEST_F(PortsOfAnAdapter, LeftAtTheHaltAreTold) {
  control_the_default_port();
  up();
  run([&] {
    activate(nic()->handle(), {0});
    allocate();
  });
  down();
  expect({"mp: LIFE-157", "mp: LIFE-158"});
}

// LIFE-157
TEST_F(PortsOfAnAdapter, TheDefaultOneIsNotFreed) {
  up();
  run([&] { EXPECT_EQ(free_port(0), NDIS_STATUS_INVALID_PORT); });
  down();
  expect({"host: LIFE-157"});
}

// ---- NDIS 6.50: events by which a miniport steers its stack ----

// LIFE-300
TEST_F(PortsOfAnAdapter, AndBindingsAreInhibitedAndAllowedByEvents) {
  up();
  run([&] {
    auto inhibit = event(NetEventInhibitBindsAbove, nullptr, 0);
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &inhibit), NDIS_STATUS_SUCCESS);
    EXPECT_FALSE(binding()) << "undone when the call returns";
    add_bindings(*nic());
    EXPECT_FALSE(binding());
    auto allow = event(NetEventAllowBindsAbove, nullptr, 0);
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &allow), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-299
TEST_F(PortsOfAnAdapter, AndTheStackIsPausedAndStartedByEvents) {
  up();
  run([&] {
    auto require = event(NetEventRequirePause, nullptr, 0);
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &require), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(nic_state(), AdapterState::Paused);
    EXPECT_EQ(binding_state(), BindingState::Paused);
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &require), NDIS_STATUS_SUCCESS)
        << "paused already: nothing more";
    EXPECT_EQ(mp.count("MiniportPause"), 1U);
    restart_stack(*nic());
    EXPECT_EQ(nic_state(), AdapterState::Paused) << "not before it is allowed";
    auto allow = event(NetEventAllowStart, nullptr, 0);
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &allow), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

// LIFE-301
TEST_F(PortsOfAnAdapter, EventsWithALockHeldAreTold) {
  up();
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    auto allow = event(NetEventAllowBindsAbove, nullptr, 0);
    NdisMNetPnPEvent(nic()->handle(), &allow);
  });
  down();
  Lines found = violations();
  EXPECT_NE(std::ranges::find(found, "host: LIFE-301"), found.end());
  expect(found);
}

// LIFE-302
TEST_F(PortsOfAnAdapter, EventsInsideOrDuringAnOidRequestAreTold) {
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    card = &adapter;
    return NDIS_STATUS_PENDING;
  };
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    allocate();
    activate(nic()->handle(), {1});
    NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED);
    deactivate(nic()->handle(), {1});
    free_port(1);
  });
  mp.on_request = nullptr;
  down();
  expect({"host: NdisMNetPnPEventInOIDRequest"});
}

// LIFE-303
TEST_F(PortsOfAnAdapter, OtherEventsAreForIntermediateDriversOnly) {
  up();
  run([&] {
    NET_DEVICE_POWER_STATE state = NetDeviceStateD3;
    auto power = event(NetEventSetPower, &state, sizeof(state));
    EXPECT_EQ(NdisMNetPnPEvent(nic()->handle(), &power), NDIS_STATUS_INVALID_PARAMETER);
  });
  down();
  expect({"host: WrongPlace"});
}

class ABundle : public CoreTest {};

TEST_F(ABundle, HidesItsSecondaryFromProtocolsUntilItIsPromoted) {
  up(5, 5);
  run([&] { world.plug(mp.driver(), "spare"); });
  const Ref<Adapter> spare = world.adapter("spare");
  EXPECT_NE(p.binding("spare"), nullptr);
  run([&] {
    EXPECT_EQ(NdisMSetMiniportSecondary(spare->handle(), spare->handle()), NDIS_STATUS_FAILURE)
        << "of itself";
    EXPECT_EQ(NdisMSetMiniportSecondary(this, nic()->handle()), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMSetMiniportSecondary(spare->handle(), nic()->handle()), NDIS_STATUS_SUCCESS);
  });
  EXPECT_TRUE(spare->bindings().empty());
  EXPECT_TRUE(spare->initialized());
  run([&] {
    NDIS_HANDLE driver = this;
    NdisGetDriverHandle(binding()->handle(), &driver);
    EXPECT_EQ(driver, nic()->driver().handle());
    EXPECT_EQ(NdisMPromoteMiniport(spare->handle()), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(spare->bindings().size(), 1U);
  run([&] { world.unplug(*spare); });
  down();
  expect({"host: HandleMisuse"});
}

}  // namespace
}  // namespace undis::test
