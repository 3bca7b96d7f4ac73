// SPDX-License-Identifier: MIT
//
// One adapter: initialisation, attributes, pause and restart in each way a driver may complete them, halt,
// shutdown. Pages: ndis/nc-ndis-miniport_{initialize,pause,restart,halt,shutdown},
// ndis/nf-ndis-ndismsetminiportattributes, -ndismpausecomplete, -ndismrestartcomplete,
// network/halting-a-miniport-adapter.
#include <fmt/format.h>

#include "kernel/registry.h"
#include "lab/core_test.h"

namespace undis::test {
namespace {

// ---- pause ----

class PausingAnAdapter : public CoreTest {
 protected:
  /// Unplugs on a thread of its own and comes back when MiniportPause has been called and pended.
  void unplug_until_the_pause_pends() {
    mp.on_pause = [this](FakeAdapter&) {
      pausing.set();
      return NDIS_STATUS_PENDING;
    };
    world.system().spawn("unplug", [this] { world.unplug(*nic()); });
    pausing.wait();
  }
  kernel::Event pausing{"test: MiniportPause pends"};
};

TEST_F(PausingAnAdapter, IsCompleteWhenTheCallbackSaysSo) {
  up();
  down();
  EXPECT_EQ(mp.calls, (Lines{"MiniportInitializeEx nic", "MiniportRestart nic", "MiniportPause nic",
                             "MiniportHaltEx nic", "Unload"}));
}

TEST_F(PausingAnAdapter, MayBeCompletedFromInsideTheCallback) {
  up();
  mp.on_pause = [](FakeAdapter& card) {
    NdisMPauseComplete(card.handle);
    return NDIS_STATUS_PENDING;
  };
  down();
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
}

// LIFE-144, LIFE-214
TEST_F(PausingAnAdapter, ThatPendsIsWaitedForBeforeAnythingElse) {
  up();
  run([&] {
    unplug_until_the_pause_pends();
    EXPECT_EQ(nic_state(), AdapterState::Pausing);
    EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 0U);
    EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
    NdisMPauseComplete(nic()->handle());
  });
  EXPECT_FALSE(nic());
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  down();
}

// LIFE-146
TEST_F(PausingAnAdapter, MayBeCompletedAtDispatchLevel) {
  up();
  run([&] {
    unplug_until_the_pause_pends();
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMPauseComplete(nic()->handle());
  });
  EXPECT_FALSE(nic());
  down();
}

// LIFE-146
TEST_F(PausingAnAdapter, CompletedTwiceIsTold) {
  up();
  run([&] {
    unplug_until_the_pause_pends();
    const NDIS_HANDLE handle = nic()->handle();
    NdisMPauseComplete(handle);
    NdisMPauseComplete(handle);
  });
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  down();
  expect({"host: DoubleComplete"});
}

TEST_F(PausingAnAdapter, CompletedUnaskedIsTold) {
  up();
  run([&] { NdisMPauseComplete(nic()->handle()); });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_NE(last_violation_text().find("no pause of the adapter is pended"), std::string::npos);
  down();
  expect({"host: DoubleComplete"});
}

// LIFE-139
TEST_F(PausingAnAdapter, CannotFail) {
  up();
  mp.on_pause = [](FakeAdapter&) { return NDIS_STATUS_RESOURCES; };
  down();
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U) << "it counts as paused";
  expect({"mp: MiniportPause_Return"});
}

// LIFE-143
TEST_F(PausingAnAdapter, LeavesRequestsWorking) {
  up();
  run([&] {
    unplug_until_the_pause_pends();
    ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
    EXPECT_EQ(
        nic()->oids.ask(NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter)),
        NDIS_STATUS_SUCCESS);
    EXPECT_EQ(mp.calls.back(), "filter nic 0x1");
    NdisMPauseComplete(nic()->handle());
  });
  down();
}

// ---- restart ----

class RestartingAnAdapter : public CoreTest {
 protected:
  /// Loads, plugs the card in on a thread of its own and comes back when MiniportRestart has pended.
  void plug_until_the_restart_pends() {
    mp.on_restart = [this](FakeAdapter&) {
      restarting.set();
      return NDIS_STATUS_PENDING;
    };
    world.system().spawn("plug", [this] { world.plug(mp.driver(), "nic"); });
    restarting.wait();
  }
  kernel::Event restarting{"test: MiniportRestart pends"};
};

TEST_F(RestartingAnAdapter, MayBeCompletedFromInsideTheCallback) {
  mp.on_restart = [](FakeAdapter& card) {
    NdisMRestartComplete(card.handle, NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_PENDING;
  };
  up();
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-132, LIFE-215
TEST_F(RestartingAnAdapter, ThatPendsIsWaitedForBeforeProtocolsRestart) {
  be(6, 6);
  load();
  run([&] {
    plug_until_the_restart_pends();
    EXPECT_EQ(nic_state(), AdapterState::Restarting);
    EXPECT_EQ(binding_state(), BindingState::Paused);
    EXPECT_EQ(p.count("NetEventRestart"), 0U);
    NdisMRestartComplete(nic()->handle(), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(p.count("NetEventRestart"), 1U);
  down();
}

// LIFE-133
TEST_F(RestartingAnAdapter, ThatFailsLeavesItPaused) {
  mp.on_restart = [](FakeAdapter&) { return NDIS_STATUS_FAILURE; };
  up();
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  EXPECT_EQ(p.count("NetEventRestart"), 0U);
  down();
}

TEST_F(RestartingAnAdapter, ThatPendsMayStillFail) {
  be(6, 6);
  load();
  run([&] {
    plug_until_the_restart_pends();
    mp.adapter("nic")->state = FakeAdapter::State::Paused;
    NdisMRestartComplete(nic()->handle(), NDIS_STATUS_RESOURCES);
  });
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  EXPECT_EQ(p.count("NetEventRestart"), 0U);
  down();
}

TEST_F(RestartingAnAdapter, ThatFailedOnceMaySucceedLater) {
  mp.on_restart = [](FakeAdapter&) { return NDIS_STATUS_RESOURCES; };
  up();
  mp.on_restart = nullptr;
  run([&] { EXPECT_EQ(restart_stack(*nic()), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-138
TEST_F(RestartingAnAdapter, CompletedTwiceOrUnaskedIsTold) {
  be(6, 6);
  load();
  run([&] {
    plug_until_the_restart_pends();
    const NDIS_HANDLE handle = nic()->handle();
    NdisMRestartComplete(handle, NDIS_STATUS_SUCCESS);
    NdisMRestartComplete(handle, NDIS_STATUS_FAILURE);
  });
  EXPECT_EQ(nic_state(), AdapterState::Running) << "the first counts";
  EXPECT_NE(last_violation_text().find("no restart of the adapter is pended"), std::string::npos);
  down();
  expect({"host: DoubleComplete"});
}

// ---- initialisation and attributes ----

class InitializingAnAdapter : public CoreTest {
 protected:
  static NDIS_MINIPORT_ADAPTER_ATTRIBUTES registration(void* context) {
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES a{};
    a.RegistrationAttributes.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                                       NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                                       NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
    a.RegistrationAttributes.MiniportAdapterContext = context;
    return a;
  }
  static NDIS_MINIPORT_ADAPTER_ATTRIBUTES general() {
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES a{};
    a.GeneralAttributes.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                                  NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                                  NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    a.GeneralAttributes.MediaType = NdisMedium802_3;
    a.GeneralAttributes.MtuSize = 1500;
    return a;
  }
  /// A 6.x miniport driver whose MiniportInitializeEx is the test's own.
  NDIS_STATUS plug_with(NDIS_STATUS (*initialize)(NDIS_HANDLE, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS)) {
    mp.be_miniport6();
    mp.entry = [this, initialize] {
      NDIS_MINIPORT_DRIVER_CHARACTERISTICS c = FakeDriver::miniport6_characteristics();
      c.InitializeHandlerEx = initialize;
      return static_cast<NTSTATUS>(NdisMRegisterMiniportDriver(
          mp.driver().object(), mp.driver().registry_path(), this, &c, &mp.miniport));
    };
    run([&] { ASSERT_EQ(mp.load(), STATUS_SUCCESS); });
    return plug();
  }
};

// LIFE-113, LIFE-115
TEST_F(InitializingAnAdapter, GivesTheDriverContextTheHandleAndAnInterfaceIndex) {
  static void* context;
  static NET_IFINDEX index;
  static bool is_adapter;
  const NDIS_STATUS status = plug_with(
      [](NDIS_HANDLE handle, NDIS_HANDLE driver_context, PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
        context = driver_context;
        index = parameters->IfIndex;
        is_adapter = Library::current().handles().view(handle).kind == HandleKind::Adapter;
        EXPECT_EQ(parameters->Header.Type, NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS);
        return static_cast<NDIS_STATUS>(NDIS_STATUS_ADAPTER_NOT_FOUND);
      });
  EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_FOUND);
  EXPECT_EQ(context, this);
  EXPECT_TRUE(is_adapter);
  EXPECT_NE(index, 0U);
  EXPECT_FALSE(nic());
  down();
}

// LIFE-116
TEST_F(InitializingAnAdapter, TakesTheStatusOfEachAttributeStructureAsDocumented) {
  static std::vector<NDIS_STATUS> statuses;
  statuses.clear();
  plug_with([](NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS) {
    const auto set = [&](NDIS_MINIPORT_ADAPTER_ATTRIBUTES a) {
      statuses.push_back(NdisMSetMiniportAttributes(handle, &a));
    };
    statuses.push_back(NdisMSetMiniportAttributes(handle, nullptr));
    set(general());  // registration attributes come first
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES a = registration(handle);
    a.RegistrationAttributes.Header.Revision = 0;
    set(a);
    a.RegistrationAttributes.Header.Revision = 99;
    set(a);
    a = registration(handle);
    a.RegistrationAttributes.Header.Size = 4;
    set(a);
    a = registration(handle);
    a.RegistrationAttributes.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    set(a);
    set(registration(handle));
    a = general();
    a.GeneralAttributes.Header.Revision = 99;
    set(a);
    a = general();
    a.GeneralAttributes.Header.Size = 4;
    set(a);
    set(general());
    return static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
  });
  EXPECT_EQ(statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_INVALID_PARAMETER,
                                                NDIS_STATUS_BAD_VERSION, NDIS_STATUS_BAD_VERSION,
                                                NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_INVALID_PARAMETER,
                                                NDIS_STATUS_SUCCESS, NDIS_STATUS_BAD_VERSION,
                                                NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_SUCCESS}));
  down();
  expect({"mp: RegistrationAttributesFirst", "mp: ObjectHeaderValid"});
}

// LIFE-109
TEST_F(InitializingAnAdapter, WithSuccessAndWithoutGeneralAttributesIsTold) {
  static FakeDriver* driver;
  driver = &mp;
  plug_with([](NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS) {
    FakeAdapter& card = driver->adapters.emplace_back();
    card.driver = driver;
    card.name = "nic";
    card.handle = handle;
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES a = registration(&card);
    return NdisMSetMiniportAttributes(handle, &a);
  });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
  expect({"mp: RegistrationAttributesFirst"});
}

TEST_F(InitializingAnAdapter, KeepsWhatTheAttributesSay) {
  up();
  const AdapterTraits& traits = nic()->traits();
  EXPECT_EQ(traits.medium, NdisMedium802_3);
  EXPECT_EQ(traits.mtu, 1500U);
  EXPECT_EQ(traits.transmit_speed, 1'000'000'000U);
  EXPECT_EQ(traits.connect_state, MediaConnectStateConnected);
  EXPECT_EQ(traits.address_length, 6U);
  EXPECT_EQ(traits.permanent_address[4], 6U);
  EXPECT_EQ(traits.supported_oids, std::vector<NDIS_OID>{OID_GEN_CURRENT_PACKET_FILTER});
  EXPECT_EQ(nic()->attribute_flags(),
            NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER);
  EXPECT_EQ(nic()->context(), mp.adapter("nic"));
  down();
}

TEST_F(InitializingAnAdapter, OfFiveAsksTheMiniportForWhatSixSaysInAttributes) {
  up(5, 5);
  const AdapterTraits& traits = nic()->traits();
  EXPECT_EQ(traits.medium, NdisMedium802_3);
  EXPECT_EQ(traits.mtu, 1500U);
  EXPECT_EQ(traits.transmit_speed, 1'000'000'000U) << "OID_GEN_LINK_SPEED counts 100 bit/s";
  EXPECT_EQ(traits.connect_state, MediaConnectStateConnected);
  EXPECT_EQ(traits.current_address[4], 5U);
  EXPECT_FALSE(nic()->is_serialized());
  down();
}

// LIFE-112
TEST_F(InitializingAnAdapter, IsNotHaltedWhereItFailed) {
  for (const int generation : {5, 6}) {
    FakeDriver other(world, fmt::format("other{}", generation));
    if (generation == 5) {
      other.be_miniport5();
    } else {
      other.be_miniport6();
    }
    other.on_initialize = [](FakeAdapter&) { return NDIS_STATUS_RESOURCES; };
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] {
      ASSERT_EQ(other.load(), STATUS_SUCCESS);
      EXPECT_FALSE(world.plug(other.driver(), "bad", &status));
      EXPECT_TRUE(other.unload());
    });
    EXPECT_EQ(status, NDIS_STATUS_RESOURCES);
    EXPECT_EQ(other.count("MiniportHalt"), 0U);
    EXPECT_EQ(other.complaints, Lines{});
  }
}

TEST_F(InitializingAnAdapter, NumbersInterfacesInOrderOfArrival) {
  up();
  Ref<Adapter> second;
  run([&] { second = world.plug(mp.driver(), "nic2"); });
  EXPECT_EQ(second->interface_index(), nic()->interface_index() + 1);
  run([&] { world.unplug(*second); });
  down();
}

// ---- halt ----

class HaltingAnAdapter : public CoreTest {};

// LIFE-149
TEST_F(HaltingAnAdapter, WaitsForRequestsUnderWay) {
  be(6, 6);
  load();
  plug();
  kernel::Event asked("test: the request is at the miniport");
  kernel::Event unbound("test: unbound");
  mp.on_request = [&](FakeAdapter&, NDIS_OID oid, bool) -> NDIS_STATUS {
    if (oid != OID_GEN_VENDOR_ID) return NDIS_STATUS_SUCCESS;
    asked.set();
    return NDIS_STATUS_PENDING;
  };
  std::optional<NDIS_STATUS> answered;
  run([&] {
    world.system().spawn("ask", [&] {
      ULONG id = 0;
      answered = nic()->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &id, sizeof(id));
    });
    asked.wait();
    const Ref<Adapter> card = nic();
    p.on_unbind = [&](FakeBinding& of) {
      FakeDriver::close_and_wait(of);
      unbound.set();
      return NDIS_STATUS_SUCCESS;
    };
    world.system().spawn("unplug", [&] { world.unplug(*card); });
    unbound.wait();
    EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
    NdisMOidRequestComplete(card->handle(), mp.adapter("nic")->asked.request, NDIS_STATUS_SUCCESS);
  });
  p.on_unbind = nullptr;
  EXPECT_EQ(answered, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  down();
}

// LIFE-154, LIFE-200
TEST_F(HaltingAnAdapter, ByPnpSaysTheDeviceIsDisabled) {
  up();
  down();
  EXPECT_EQ(mp.adapter("nic")->halt_action, NdisHaltDeviceDisabled);
  EXPECT_EQ(mp.adapter("nic")->halts, 1U);
}

TEST_F(HaltingAnAdapter, OfFiveDriversComesOnceAndIsFollowedByNothing) {
  up(5, 6);
  const std::size_t from = mark();
  down();
  const Lines of_the_card =
      callbacks({"MiniportHalt", "MiniportQuery", "MiniportSet", "MiniportShutdown"}, from);
  ASSERT_FALSE(of_the_card.empty());
  EXPECT_EQ(of_the_card.back(), "mp!MiniportHalt");
  EXPECT_EQ(std::ranges::count(of_the_card, "mp!MiniportHalt"), 1);
}

TEST_F(HaltingAnAdapter, OfTwoThreadsIsDoneByOne) {
  up();
  const Ref<Adapter> card = nic();
  run([&] {
    for (int i = 0; i < 3; ++i) world.system().spawn("unplug", [&] { world.unplug(*card); });
  });
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  down();
}

// ---- shutdown ----

class ShuttingAnAdapterDown : public CoreTest {
 protected:
  void SetUp() override { expects_nothing_left = false; }
};

TEST_F(ShuttingAnAdapterDown, CallsTheHandlerOfEachGenerationOnce) {
  up(5, 6);
  FakeDriver six(world, "six");
  six.be_miniport6();
  run([&] {
    six.load();
    world.plug(six.driver(), "nic6");
    world.library().shutdown();
    world.library().shutdown();
  });
  EXPECT_EQ(mp.count("MiniportShutdown"), 1U);
  EXPECT_EQ(six.count("MiniportShutdownEx"), 1U);
  EXPECT_EQ(mp.count("MiniportHalt"), 0U);
  EXPECT_EQ(six.count("MiniportHaltEx"), 0U);
}

TEST_F(ShuttingAnAdapterDown, CallsAHandlerThatAFiveDriverRegisteredForTheAdapter) {
  static int calls;
  static void* with;
  calls = 0;
  for (const bool taken_back : {false, true}) {
    FakeDriver five(world, taken_back ? "five-b" : "five-a");
    five.be_miniport5();
    five.entry = [&] {
      five.initialize_wrapper();
      NDIS51_MINIPORT_CHARACTERISTICS c = FakeDriver::miniport5_characteristics();
      c.AdapterShutdownHandler = nullptr;
      const NDIS_STATUS status = NdisMRegisterMiniport(five.wrapper, &c, sizeof(c));
      five.register_unload_handler();
      return static_cast<NTSTATUS>(status);
    };
    five.on_initialize = [&](FakeAdapter& card) {
      NdisMRegisterAdapterShutdownHandler(card.handle, &card, [](PVOID context) {
        ++calls;
        with = context;
      });
      if (taken_back) NdisMDeregisterAdapterShutdownHandler(card.handle);
      return NDIS_STATUS_SUCCESS;
    };
    run([&] {
      ASSERT_EQ(five.load(), STATUS_SUCCESS);
      ASSERT_TRUE(world.plug(five.driver(), five.driver().name() + "-nic"));
      world.library().shutdown();
    });
    EXPECT_EQ(calls, 1) << "called while registered, not after it was taken back";
    if (!taken_back) {
      EXPECT_EQ(with, five.adapter("five-a-nic"));
    }
  }
}

class AnAdapter : public CoreTest {};

TEST_F(AnAdapter, IsDescribedInTheRegistryAsWindowsDoes) {
  up();
  const auto value = [&](std::u16string_view key, std::u16string_view name) {
    const auto found =
        world.system().registry().value(nic()->config().configuration_key + std::u16string(key), name);
    return found ? found->as_string() : std::u16string();
  };
  EXPECT_EQ(value(u"", u"MiniportName"), nic()->config().device_name);
  EXPECT_EQ(u"\\Device\\" + value(u"", u"NetCfgInstanceId"), nic()->config().device_name);
  const auto exported =
      world.system().registry().value(nic()->config().configuration_key + u"\\Linkage", u"Export");
  ASSERT_TRUE(exported.has_value());
  EXPECT_EQ(exported->type, kernel::RegistryType::MultiString);
  down();
}

}  // namespace
}  // namespace undis::test
