// SPDX-License-Identifier: MIT
//
// Device power states: who is told in which order, who is paused, halted, started again.
// Pages: network/oid-pnp-set-power, network/power-management-for-old-miniport-drivers,
// network/handling-pnp-events-and-power-management-events-in-a-protocol-driver.
#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/power.h"

namespace undis::test {
namespace {

class PoweringAnAdapter : public CoreTest {
 protected:
  /// What everybody sees from now on, in order: "down 3" for NetEventSetPower, "query 3", "oid set 3" ...
  void watch() {
    p.on_pnp_event = [this](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
      const auto& seen = p_is_five ? *static_cast<NET_PNP_EVENT*>(event)
                                   : static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
      const auto state = [&seen] {
        return static_cast<int>(*static_cast<NET_DEVICE_POWER_STATE*>(seen.Buffer)) - 1;
      };
      if (code == NetEventSetPower) events.push_back(fmt::format("event D{}", state()));
      if (code == NetEventQueryPower) events.push_back(fmt::format("ask D{}", state()));
      if (code == NetEventPause) events.push_back("protocol pauses");
      if (code == NetEventRestart) events.push_back("protocol restarts");
      return answer;
    };
    mp.on_request = [this](FakeAdapter& card, NDIS_OID oid, bool query) {
      if (oid != OID_PNP_SET_POWER && oid != OID_PNP_QUERY_POWER) {
        if (!query && oid == OID_GEN_CURRENT_PACKET_FILTER) events.push_back("filter");
        return query ? NDIS_STATUS_NOT_SUPPORTED : NDIS_STATUS_SUCCESS;
      }
      const int state = static_cast<int>(*static_cast<NDIS_DEVICE_POWER_STATE*>(card.asked.buffer)) - 1;
      events.push_back(fmt::format("oid {} D{}", query ? "query" : "set", state));
      if (query) *card.asked.done = sizeof(ULONG);
      return oid_answer;
    };
    mp.on_pause = [this](FakeAdapter&) {
      events.push_back("miniport pauses");
      return NDIS_STATUS_SUCCESS;
    };
    mp.on_restart = [this](FakeAdapter&) {
      events.push_back("miniport restarts");
      return NDIS_STATUS_SUCCESS;
    };
    mp.on_halt = [this](FakeAdapter& card) {
      events.push_back(fmt::format("halt {}", static_cast<int>(card.halt_action)));
    };
    mp.on_device_event = [this](FakeAdapter&, NDIS_DEVICE_PNP_EVENT event, void* buffer) {
      if (event == NdisDevicePnPEventPowerProfileChanged)
        events.push_back(fmt::format("profile {}", *static_cast<ULONG*>(buffer)));
    };
    events.clear();
  }
  void flags(ULONG value) {
    mp.attributes = [this, value](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
      if (a.Header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES)
        a.RegistrationAttributes.AttributeFlags = value;
      if (managed && a.Header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES)
        a.GeneralAttributes.PowerManagementCapabilities = &capabilities;
    };
  }
  NDIS_STATUS set(NDIS_DEVICE_POWER_STATE to) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] { status = set_power(*nic(), to); });
    return status;
  }

  Lines events;
  NDIS_STATUS answer = NDIS_STATUS_SUCCESS;
  NDIS_STATUS oid_answer = NDIS_STATUS_SUCCESS;
  bool managed = false;
  bool p_is_five = false;
  NDIS_PNP_CAPABILITIES capabilities{};
};

// LIFE-192
TEST_F(PoweringAnAdapter, TellsTheMiniportOfThePowerProfileOnceItIsInitialized) {
  mp.on_device_event = [this](FakeAdapter&, NDIS_DEVICE_PNP_EVENT event, void* buffer) {
    EXPECT_EQ(event, NdisDevicePnPEventPowerProfileChanged);
    events.push_back(fmt::format("profile {}", *static_cast<ULONG*>(buffer)));
  };
  up();
  EXPECT_EQ(events, (Lines{"profile 1"}));
  down();
}

// LIFE-119, LIFE-120, LIFE-192, LIFE-268
TEST_F(PoweringAnAdapter, DownAndUpTellsAndPausesAndTellsAndRestartsInThatOrder) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
  up();
  watch();
  EXPECT_EQ(set(NdisDeviceStateD3), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(events, (Lines{"event D3", "protocol pauses", "miniport pauses", "oid set D3"}));
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  EXPECT_TRUE(nic()->is_low_power());
  events.clear();
  EXPECT_EQ(set(NdisDeviceStateD0), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(events, (Lines{"oid set D0", "miniport restarts", "protocol restarts", "event D0", "profile 1"}));
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
  down();
}

// LIFE-120
TEST_F(PoweringAnAdapter, WithoutAPauseWhereEverybodyIsOfSixThirtyAndTheMiniportCanDoWithout) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND);
  up();
  watch();
  set(NdisDeviceStateD2);
  EXPECT_EQ(events, (Lines{"event D2", "oid set D2"}));
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(nic()->refusal(), NDIS_STATUS_LOW_POWER_STATE);
  events.clear();
  set(NdisDeviceStateD0);
  EXPECT_EQ(events, (Lines{"oid set D0", "event D0", "profile 1"}));
  down();
}

// LIFE-120
TEST_F(PoweringAnAdapter, WithAPauseWhereAProtocolIsOlderThanSixThirty) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND);
  p.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) { c.MinorNdisVersion = 20; };
  up();
  watch();
  set(NdisDeviceStateD3);
  EXPECT_EQ(events, (Lines{"event D3", "protocol pauses", "miniport pauses", "oid set D3"}));
  set(NdisDeviceStateD0);
  down();
}

// LIFE-323, LIFE-322, LIFE-154
TEST_F(PoweringAnAdapter, HaltsAMiniportThatKnowsNothingOfPowerAndKeepsItsBindings) {
  flags(0);
  up();
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  watch();
  set(NdisDeviceStateD3);
  EXPECT_EQ(events, (Lines{"event D3", "protocol pauses", "miniport pauses",
                           fmt::format("halt {}", int{NdisHaltDevicePoweredDown})}));
  EXPECT_EQ(nic_state(), AdapterState::Halted);
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 0U);
  EXPECT_TRUE(binding()->is_open());
  events.clear();
  set(NdisDeviceStateD0);
  EXPECT_EQ(events, (Lines{"profile 1", "filter", "miniport restarts", "protocol restarts", "event D0",
                           "profile 1"}));
  EXPECT_EQ(mp.count("MiniportInitializeEx"), 2U);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

// LIFE-323
TEST_F(PoweringAnAdapter, OfFiveIsHaltedOrToldAsItsAttributesSay) {
  for (const bool told : {false, true}) {
    mp.attribute_flags5 = told ? NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND : 0;
    p_is_five = true;
    if (told) {
      plug();
    } else {
      up(5, 5);
    }
    watch();
    set(NdisDeviceStateD3);
    EXPECT_EQ(mp.count("MiniportHalt"), 1U) << "with the flag it is told instead";
    EXPECT_EQ(events.front(), "event D3");
    if (told) {
      EXPECT_EQ(events.back(), "oid set D3");
    }
    set(NdisDeviceStateD0);
    EXPECT_EQ(nic_state(), AdapterState::Running);
    mp.on_request = nullptr;
    mp.calls.clear();
    unplug();
  }
  down();
}

// LIFE-267
TEST_F(PoweringAnAdapter, IsAskedBeforeAndARefusalIsCancelled) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
  managed = true;
  up();
  watch();
  run([&] { EXPECT_EQ(query_power(*nic(), NdisDeviceStateD3), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(events, (Lines{"ask D3", "oid query D3"}));
  events.clear();
  oid_answer = NDIS_STATUS_FAILURE;
  run([&] { EXPECT_EQ(query_power(*nic(), NdisDeviceStateD3), NDIS_STATUS_FAILURE); });
  EXPECT_EQ(events, (Lines{"ask D3", "oid query D3", "event D0"}));
  oid_answer = NDIS_STATUS_SUCCESS;
  events.clear();
  set(NdisDeviceStateD0);
  EXPECT_EQ(events, (Lines{"event D0"})) << "the current state cancels a query";
  down();
}

// LIFE-269
TEST_F(PoweringAnAdapter, ARequestInLowPowerFailsAndIsTold) {
  up();
  watch();
  set(NdisDeviceStateD3);
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_LOW_POWER_STATE); });
  set(NdisDeviceStateD0);
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_NOT_SUPPORTED); });
  down();
  expect({"p: LIFE-269"});
}

// LIFE-154, LIFE-339
TEST_F(PoweringAnAdapter, ThatCannotComeBackIsHaltedAsFailed) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
  managed = true;
  up();
  watch();
  set(NdisDeviceStateD3);
  oid_answer = NDIS_STATUS_FAILURE;
  events.clear();
  EXPECT_EQ(set(NdisDeviceStateD0), NDIS_STATUS_FAILURE);
  EXPECT_FALSE(nic());
  EXPECT_EQ(events.back(), fmt::format("halt {}", int{NdisHaltDeviceFailed}));
  down();
  expect({"mp: NdisOidComplete"});
}

// LIFE-263
TEST_F(PoweringAnAdapter, OfWhichAProtocolOfFiveKnowsNothingUnbindsIt) {
  p_is_five = true;
  up(6, 5);
  watch();
  answer = NDIS_STATUS_NOT_SUPPORTED;
  set(NdisDeviceStateD3);
  EXPECT_FALSE(binding());
  EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 1U);
  set(NdisDeviceStateD0);
  down();
}

// LIFE-263, LIFE-264
TEST_F(PoweringAnAdapter, AnsweredByAProtocolOfSixWithAFailureIsTold) {
  up();
  watch();
  answer = NDIS_STATUS_NOT_SUPPORTED;
  run([&] { binding()->notify(NetEventPnPCapabilities, nullptr, 0); });
  answer = NDIS_STATUS_FAILURE;
  run([&] { binding()->notify(NetEventCancelRemoveDevice, nullptr, 0); });
  run([&] { binding()->notify(NetEventQueryRemoveDevice, nullptr, 0); });
  run([&] { binding()->notify(NetEventPortActivation, nullptr, 0); });
  answer = NDIS_STATUS_SUCCESS;
  down();
  expect({"p: LIFE-263", "p: LIFE-264"});
}

// LIFE-270
TEST_F(PoweringAnAdapter, DoesNotNeedTheProtocolToWaitForItsRequests) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND);
  up();
  FakeAdapter* card = nullptr;
  bool told = false;
  kernel::Event hears("test: NetEventSetPower");
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID oid, bool) {
    if (oid == OID_PNP_SET_POWER) return NDIS_STATUS_SUCCESS;
    card = &adapter;
    return NDIS_STATUS_PENDING;
  };
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  p.on_pnp_event = [&](FakeBinding& seen, NET_PNP_EVENT_CODE code, void*) {
    told = told || (code == NetEventSetPower && seen.answered.empty());
    if (told) hears.set();
    return NDIS_STATUS_SUCCESS;  // at once, with its request outstanding
  };
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    kernel::Event down_now("test: power is down");
    world.system().spawn("power", [&] {
      set_power(*nic(), NdisDeviceStateD3);
      down_now.set();
    });
    hears.wait();
    NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED);
    down_now.wait();
  });
  EXPECT_TRUE(told);
  EXPECT_TRUE(nic()->is_low_power());
  set(NdisDeviceStateD0);
  mp.on_request = nullptr;
  down();
}

// LIFE-320, LIFE-321
TEST_F(PoweringAnAdapter, OfAVirtualMiniportIsItsOwnAndARequestPassedDownIsTold) {
  up();
  NDIS_DEVICE_POWER_STATE state = NdisDeviceStateD3;
  NDIS_OID_REQUEST request = set_request(OID_PNP_SET_POWER, &state, sizeof(state));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  down();
  expect({"host: LIFE-321"});
}

}  // namespace
}  // namespace undis::test
