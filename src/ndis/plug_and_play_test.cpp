// SPDX-License-Identifier: MIT
//
// The plug and play IRPs of a device, one test for each documented sequence.
// Pages: network/{adding,starting,stopping,removing}-a-nic, network/processing-the-surprise-removal-*,
// ndis/nc-ndis-miniport_add_device, ndis/nc-ndis-miniport_remove_device, ndis/nf-ndis-ndismremoveminiport.
#include <ntddk.h>

#include <fmt/format.h>

#include "lab/core_test.h"

namespace undis::test {
namespace {

const char* name_of(UCHAR minor) {
  switch (minor) {
  case IRP_MN_START_DEVICE:
    return "START";
  case IRP_MN_STOP_DEVICE:
    return "STOP";
  case IRP_MN_REMOVE_DEVICE:
    return "REMOVE";
  case IRP_MN_SURPRISE_REMOVAL:
    return "SURPRISE";
  case IRP_MN_FILTER_RESOURCE_REQUIREMENTS:
    return "FILTER";
  default:
    return "?";
  }
}

class PlugAndPlay : public CoreTest {
 protected:
  void watch_protocol() {
    p.on_pnp_event = [this](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
      if (code == NetEventQueryRemoveDevice) events.push_back("QueryRemove");
      if (code == NetEventCancelRemoveDevice) events.push_back("CancelRemove");
      if (code == NetEventPause) events.push_back("protocol pauses");
      return code == NetEventQueryRemoveDevice ? answer : NDIS_STATUS_SUCCESS;
    };
    p.on_unbind = [this](FakeBinding& one) {
      events.push_back("unbind");
      FakeDriver::close_and_wait(one);
      return NDIS_STATUS_SUCCESS;
    };
    mp.on_pause = [this](FakeAdapter&) {
      events.push_back("miniport pauses");
      return NDIS_STATUS_SUCCESS;
    };
    mp.on_halt = [this](FakeAdapter& card) {
      events.push_back(fmt::format("halt {}", static_cast<int>(card.halt_action)));
    };
    mp.on_initialize = [this](FakeAdapter&) {
      events.push_back("initialize");
      return init_status;
    };
    mp.on_device_event = [this](FakeAdapter&, NDIS_DEVICE_PNP_EVENT event, void* buffer) {
      if (event != NdisDevicePnPEventSurpriseRemoved) return;
      EXPECT_EQ(buffer, nullptr);
      events.push_back("SurpriseRemoved");
    };
  }
  /// With a lower device that is watched.
  NDIS_STATUS plug_watched() {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] {
      for (const Ref<MiniportDriver>& miniport : world.library().miniport_drivers_of(mp.driver())) {
        AdapterConfig config;
        config.name = "nic";
        config.device_name = u"\\Device\\{nic}";
        config.configuration_key = u"\\Registry\\Machine\\nic";
        config.lower_devices = [this](UCHAR minor) {
          events.push_back(fmt::format("lower {}", name_of(minor)));
          return lower_status;
        };
        device = plug_device(*miniport, std::move(config), status);
      }
    });
    return status;
  }
  void TearDown() override {
    device = nullptr;
    CoreTest::TearDown();
  }
  void expect_events(Lines lines) {
    EXPECT_EQ(events, lines);
    events.clear();
  }

  Lines events;
  Ref<Adapter> device;
  NDIS_STATUS answer = NDIS_STATUS_SUCCESS;
  NDIS_STATUS init_status = NDIS_STATUS_SUCCESS;
  NTSTATUS lower_status = STATUS_SUCCESS;
};

// LIFE-207
TEST_F(PlugAndPlay, ADeviceIsInitializedWhenTheLowerDevicesHaveStarted) {
  be(6, 6);
  load();
  watch_protocol();
  EXPECT_EQ(plug_watched(), NDIS_STATUS_SUCCESS);
  expect_events({"lower FILTER", "lower START", "initialize"});
  down();
}

// LIFE-207, LIFE-112, LIFE-200, LIFE-206
TEST_F(PlugAndPlay, ADeviceWhoseInitializationFailedIsNeitherBoundNorHaltedNorTold) {
  be(6, 6);
  load();
  watch_protocol();
  init_status = NDIS_STATUS_FAILURE;
  EXPECT_EQ(plug_watched(), NDIS_STATUS_FAILURE);
  expect_events({"lower FILTER", "lower START", "initialize", "lower REMOVE"});
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 0U);
  EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
  // A lower device that fails its start: nothing is initialised at all.
  init_status = NDIS_STATUS_SUCCESS;
  lower_status = STATUS_UNSUCCESSFUL;
  EXPECT_EQ(plug_watched(), NDIS_STATUS_FAILURE);
  expect_events({"lower FILTER", "lower START", "lower REMOVE"});
  down();
}

// LIFE-198, LIFE-199, LIFE-200, LIFE-201, LIFE-212
TEST_F(PlugAndPlay, ARemovalWithoutAQueryPausesUnbindsHaltsAndGoesDown) {
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  run([&] { remove_device(*device); });
  expect_events({"protocol pauses", "miniport pauses", "unbind",
                 fmt::format("halt {}", int{NdisHaltDeviceDisabled}), "lower REMOVE"});
  EXPECT_FALSE(nic());
  down();
}

// LIFE-195, LIFE-197
TEST_F(PlugAndPlay, ARefusedQueryIsReportedAndTheRemovalMayComeAllTheSame) {
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  answer = NDIS_STATUS_FAILURE;
  run([&] { EXPECT_EQ(query_remove_device(*device), NDIS_STATUS_FAILURE); });
  expect_events({"QueryRemove"});
  EXPECT_EQ(nic_state(), AdapterState::Running);
  run([&] { remove_device(*device); });
  EXPECT_EQ(events.back(), "lower REMOVE");
  down();
}

// LIFE-202
TEST_F(PlugAndPlay, ACancelledRemovalTearsNothingDown) {
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  run([&] {
    EXPECT_EQ(query_remove_device(*device), NDIS_STATUS_SUCCESS);
    cancel_remove_device(*device);
  });
  expect_events({"QueryRemove", "CancelRemove"});
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-194, LIFE-204, LIFE-154
TEST_F(PlugAndPlay, ASurpriseRemovalIsToldTornDownAndOnlyThenGoesDown) {
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  run([&] { surprise_remove_device(*device); });
  expect_events({"QueryRemove", "SurpriseRemoved", "protocol pauses", "miniport pauses", "unbind",
                 fmt::format("halt {}", int{NdisHaltDeviceSurpriseRemoved}), "lower SURPRISE",
                 "lower REMOVE"});
  down();
}

// LIFE-205
TEST_F(PlugAndPlay, ASurpriseRemovalAsOfVistaGoesDownFirst) {
  world.library().policy.vista_surprise_removal = true;
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  run([&] { surprise_remove_device(*device); });
  expect_events({"SurpriseRemoved", "lower SURPRISE", "protocol pauses", "miniport pauses", "unbind",
                 fmt::format("halt {}", int{NdisHaltDeviceDisabled}), "lower REMOVE"});
  down();
}

// LIFE-193
TEST_F(PlugAndPlay, ARequestThatSucceedsAfterASurpriseRemovalIsTold) {
  for (const bool correct : {true, false}) {
    if (correct) up();
    if (!correct) plug();
    mp.on_request = [&](FakeAdapter& card, NDIS_OID, bool query) {
      if (query) *card.asked.done = sizeof(ULONG);
      return correct ? NDIS_STATUS_NOT_ACCEPTED : NDIS_STATUS_SUCCESS;
    };
    ULONG number = 0;
    NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
    mp.on_pause = [&](FakeAdapter&) {  // between the notice and the halt
      NdisOidRequest(binding()->handle(), &request);
      return NDIS_STATUS_SUCCESS;
    };
    run([&] { surprise_remove_device(*nic()); });
    EXPECT_EQ(violations().size(), correct ? 0U : 1U);
    mp.on_request = nullptr;
    mp.on_pause = nullptr;
  }
  down();
  expect({"mp: LIFE-193"});
}

// LIFE-203, LIFE-154
TEST_F(PlugAndPlay, AStoppedDeviceIsTornDownAndStartsAgainAsTheSameDevice) {
  be(6, 6);
  load();
  watch_protocol();
  plug_watched();
  events.clear();
  run([&] {
    EXPECT_EQ(query_remove_device(*device), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(stop_device(*device));
  });
  expect_events({"QueryRemove", "protocol pauses", "miniport pauses", "unbind",
                 fmt::format("halt {}", int{NdisHaltDeviceStopped}), "lower STOP"});
  EXPECT_TRUE(nic()) << "the device stays";
  EXPECT_EQ(nic_state(), AdapterState::Halted);
  run([&] { EXPECT_EQ(start_device(*device), NDIS_STATUS_SUCCESS); });
  expect_events({"lower START", "initialize"});
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-171, LIFE-154
TEST_F(PlugAndPlay, AMiniportThatGivesUpAnAdapterLosesThatOneOnly) {
  up();
  run([&] { world.plug(mp.driver(), "other"); });
  watch_protocol();
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    EXPECT_EQ(NdisMRemoveMiniport(nic()->handle()), NDIS_STATUS_SUCCESS);
  });
  EXPECT_FALSE(nic());
  EXPECT_NE(std::ranges::find(events, fmt::format("halt {}", int{NdisHaltDeviceFailed})), events.end());
  ASSERT_TRUE(world.adapter("other"));
  EXPECT_EQ(world.adapter("other")->state(), AdapterState::Running);
  run([&] { world.unplug(*world.adapter("other")); });
  down();
}

// LIFE-147
TEST_F(PlugAndPlay, ThePauseForARemovalSaysSoToADriverOfSixForty) {
  for (const UCHAR minor : {UCHAR{30}, UCHAR{40}}) {
    mp.miniport6 = [minor](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { c.MinorNdisVersion = minor; };
    be(6, 6);
    load();
    plug();
    run([&] {
      pause_stack(*nic());
      EXPECT_EQ(mp.last_pause_reason, ULONG{NDIS_PAUSE_NDIS_INTERNAL});
      restart_stack(*nic());
    });
    unplug();
    EXPECT_EQ(mp.last_pause_reason,
              minor >= 40 ? ULONG{NDIS_PAUSE_MINIPORT_DEVICE_REMOVE} : ULONG{NDIS_PAUSE_NDIS_INTERNAL});
    if (minor == 30) {
      run([&] {
        EXPECT_TRUE(p.unload());
        EXPECT_TRUE(mp.unload());
      });
      return;  // one registration a world: the other half is below
    }
  }
}

TEST_F(PlugAndPlay, ThePauseForARemovalIsTheLastThatSuchADriverSees) {
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { c.MinorNdisVersion = 40; };
  up();
  unplug();
  EXPECT_EQ(mp.last_pause_reason, ULONG{NDIS_PAUSE_MINIPORT_DEVICE_REMOVE});
  EXPECT_EQ(mp.calls.back(), "MiniportHaltEx nic");
  down();
}

// ---- optional handlers: AddDevice and the rest ----

class AddingADevice : public PlugAndPlay {
 protected:
  static AddingADevice* test;
  static NDIS_STATUS add(NDIS_HANDLE adapter, NDIS_HANDLE) {
    test->events.push_back("add");
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    if (test->add_status != NDIS_STATUS_SUCCESS) {
      if (test->leaks) test->leaked = ExAllocatePoolWithTag(NonPagedPool, 16, 0x6B61654C);
      return test->add_status;
    }
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
    attributes.AddDeviceRegistrationAttributes.Header = {
        NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1};
    attributes.AddDeviceRegistrationAttributes.MiniportAddDeviceContext = test;
    EXPECT_EQ(NdisMSetMiniportAttributes(adapter, &attributes), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  }
  static VOID remove(NDIS_HANDLE context) {
    EXPECT_EQ(context, test);
    test->events.push_back("remove");
  }
  static NDIS_STATUS filter(NDIS_HANDLE context, PIRP irp) {
    EXPECT_EQ(context, test);
    EXPECT_EQ(IoGetCurrentIrpStackLocation(irp)->MinorFunction, IRP_MN_FILTER_RESOURCE_REQUIREMENTS);
    test->events.push_back("filter");
    return NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS start(NDIS_HANDLE context, PIRP irp) {
    EXPECT_EQ(context, test);
    EXPECT_EQ(IoGetCurrentIrpStackLocation(irp)->MinorFunction, IRP_MN_START_DEVICE);
    test->events.push_back("start");
    return NDIS_STATUS_SUCCESS;
  }

  void SetUp() override {
    test = this;
    mp.on_set_options = [](NDIS_HANDLE handle) {
      NDIS_MINIPORT_PNP_CHARACTERISTICS pnp{};
      pnp.Header = {NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS,
                    NDIS_MINIPORT_PNP_CHARACTERISTICS_REVISION_1,
                    NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1};
      pnp.MiniportAddDeviceHandler = &add;
      pnp.MiniportRemoveDeviceHandler = &remove;
      pnp.MiniportFilterResourceRequirementsHandler = &filter;
      pnp.MiniportStartDeviceHandler = &start;
      return NdisSetOptionalHandlers(handle, &pnp.Header);
    };
    be(6, 6);
    load();
    watch_protocol();
  }
  NDIS_STATUS add_status = NDIS_STATUS_SUCCESS;
  bool leaks = false;
  void* leaked = nullptr;
};
AddingADevice* AddingADevice::test = nullptr;

// LIFE-191, LIFE-207
TEST_F(AddingADevice, IsFollowedByOneRemoveWhateverStopsAndStartsComeBetween) {
  EXPECT_EQ(plug_watched(), NDIS_STATUS_SUCCESS);
  expect_events({"add", "filter", "lower FILTER", "start", "lower START", "initialize"});
  run([&] {
    stop_device(*device);
    start_device(*device);
    remove_device(*device);
  });
  EXPECT_EQ(std::ranges::count(events, "add"), 0);
  EXPECT_EQ(std::ranges::count(events, "initialize"), 1);
  EXPECT_EQ(std::ranges::count(events, "remove"), 1);
  down();
}

// LIFE-189, LIFE-190
TEST_F(AddingADevice, ThatFailsInitializesNothingAndMustLeaveNothing) {
  add_status = NDIS_STATUS_RESOURCES;
  EXPECT_EQ(plug_watched(), NDIS_STATUS_RESOURCES);
  expect_events({"add"});
  EXPECT_EQ(violations(), Lines{});
  leaks = true;
  EXPECT_EQ(plug_watched(), NDIS_STATUS_RESOURCES);
  EXPECT_EQ(mp.count("MiniportInitializeEx"), 0U);
  run([&] { ExFreePoolWithTag(leaked, 0x6B61654C); });
  down();
  expect({"mp: LIFE-190"});
}

}  // namespace
}  // namespace undis::test
