// SPDX-License-Identifier: MIT
//
// The documented life of NDIS 6 miniports, from DriverEntry to initialisation, where no other test of it
// stands beside the source. Pages: ndis/nf-ndis-ndismregisterminiportdriver, ndis/nc-ndis-set_options,
// ndis/nf-ndis-ndissetoptionalhandlers,
// ndis/nc-ndis-miniport_{initialize,restart,pause,halt,shutdown,unload},
// network/version-information-requirements-for-ndis-drivers.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "miniport6.h"

namespace undis::test {
namespace {

// ---- registration ----

// LIFE-082, LIFE-090, LIFE-311
TEST_F(Miniport6, TwoRegistrationsHaveTwoHandlesAndLiveSideBySide) {
  NDIS_HANDLE intermediate = nullptr;
  mp.entry = [&] {
    EXPECT_EQ(mp.register_miniport6(), NDIS_STATUS_SUCCESS);
    const NDIS_HANDLE physical = mp.miniport;
    EXPECT_EQ(mp.register_miniport6(NDIS_INTERMEDIATE_DRIVER), NDIS_STATUS_SUCCESS);
    intermediate = mp.miniport;
    mp.miniport = physical;
    EXPECT_NE(physical, intermediate);
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
  mp.unload_routine = [&] {
    NdisMDeregisterMiniportDriver(mp.miniport);
    NdisMDeregisterMiniportDriver(intermediate);
  };
  p.be_protocol6();
  load();
  plug();
  ASSERT_TRUE(nic());
  EXPECT_FALSE(nic()->driver().is_intermediate()) << "a device is the physical half's";
  run([&] {
    NDIS_STRING name = RTL_CONSTANT_STRING(u"\\Device\\{virtual}");
    EXPECT_EQ(NdisIMInitializeDeviceInstanceEx(intermediate, &name, this), NDIS_STATUS_SUCCESS);
  });
  const Ref<Adapter> made = world.adapter("virtual");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->driver().is_intermediate());
  EXPECT_EQ(mp.adapter("virtual")->device_context, this);
  EXPECT_EQ(mp.adapter("nic")->device_context, nullptr);
  EXPECT_EQ(world.verifier().note_lines(), Lines{"host: LIFE-311"}) << "asked for outside a bind";
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(made->handle()), NDIS_STATUS_SUCCESS); });
  unplug();
  unload_both();
}

// LIFE-089
TEST_F(Miniport6, WithoutTheIntermediateFlagHasNoVirtualMiniports) {
  up();
  run([&] {
    NDIS_STRING name = RTL_CONSTANT_STRING(u"\\Device\\{virtual}");
    EXPECT_NE(NdisIMInitializeDeviceInstanceEx(mp.miniport, &name, nullptr), NDIS_STATUS_SUCCESS);
  });
  EXPECT_FALSE(world.adapter("virtual"));
  down();
  EXPECT_EQ(violations().size(), 1U);
  expect(violations());
}

// LIFE-084, LIFE-100, LIFE-102
TEST_F(Miniport6, HasItsOptionsSetInsideTheRegistrationBeforeAnythingElse) {
  NDIS_HANDLE seen = nullptr;
  mp.on_set_options = [&](NDIS_HANDLE handle) {
    seen = handle;
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    EXPECT_TRUE(mp.driver().in_driver_entry());
    EXPECT_EQ(mp.calls, Lines{}) << "no callback comes before";
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(seen, mp.miniport);
  down();
}

// LIFE-101
TEST_F(Miniport6, WhoseSetOptionsFailsAndLeavesMemoryIsTold) {
  void* kept = nullptr;
  mp.on_set_options = [&](NDIS_HANDLE) {
    kept = ExAllocatePoolWithTag(NonPagedPool, 8, 0x74736554);
    return NDIS_STATUS_RESOURCES;
  };
  mp.entry = [&] {
    EXPECT_EQ(mp.register_miniport6(), NDIS_STATUS_RESOURCES);
    ExFreePoolWithTag(kept, 0x74736554);
    return static_cast<NTSTATUS>(STATUS_INSUFFICIENT_RESOURCES);
  };
  run([&] { EXPECT_EQ(mp.load(), STATUS_INSUFFICIENT_RESOURCES); });
  expect({"mp: LIFE-101"});
}

// LIFE-103
TEST_F(Miniport6, WhoseUnloadForgetsWhatItsSetOptionsMadeIsTold) {
  mp.on_set_options = [&](NDIS_HANDLE) {
    EXPECT_NE(ExAllocatePoolWithTag(NonPagedPool, 8, 0x74736554), nullptr);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  down();
  expect({"mp: PoolLeak"});
}

// LIFE-104
TEST_F(Miniport6, OfFiveHasNoOptionalHandlers) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  mp.entry = [&] {
    mp.initialize_wrapper();
    EXPECT_EQ(mp.register_layered5(), NDIS_STATUS_SUCCESS);
    NDIS_OBJECT_HEADER header{NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS,
                              NDIS_MINIPORT_PNP_CHARACTERISTICS_REVISION_1,
                              NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1};
    status = NdisSetOptionalHandlers(mp.miniport, &header);
    NdisIMDeregisterLayeredMiniport(mp.miniport);
    NdisTerminateWrapper(mp.wrapper, nullptr);
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { mp.load(); });
  EXPECT_EQ(status, NDIS_STATUS_NOT_SUPPORTED);
}

// LIFE-105
TEST_F(Miniport6, ThatSetsOptionalHandlersLaterIsTold) {
  up();
  NDIS_MINIPORT_SS_CHARACTERISTICS suspend{};
  suspend.Header = {NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS, NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1,
                    NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1};
  run([&] {
    EXPECT_EQ(NdisSetOptionalHandlers(mp.miniport, &suspend.Header), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisSetOptionalHandlers(p.protocol, &suspend.Header), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisSetOptionalHandlers(binding()->handle(), &suspend.Header), NDIS_STATUS_FAILURE);
  });
  down();
  Lines found = violations();
  EXPECT_FALSE(found.empty());
  for (const std::string& line : found) EXPECT_EQ(line, "host: LIFE-105");
  expect(found);
}

// LIFE-106
TEST_F(Miniport6, SetsTheStructuresOfItsOwnKindOnly) {
  std::vector<NDIS_STATUS> answers;
  mp.on_set_options = [&](NDIS_HANDLE handle) {
    for (const int type : {NDIS_OBJECT_TYPE_DEFAULT, NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
                           NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS}) {
      NDIS_MINIPORT_SS_CHARACTERISTICS suspend{};
      suspend.Header = {static_cast<UCHAR>(type), NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1,
                        NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1};
      suspend.IdleNotificationHandler = [](NDIS_HANDLE, BOOLEAN) { return NDIS_STATUS_BUSY; };
      suspend.CancelIdleNotificationHandler = [](NDIS_HANDLE) {};
      answers.push_back(NdisSetOptionalHandlers(handle, &suspend.Header));
      suspend.Header.Size = 8;
      answers.push_back(NdisSetOptionalHandlers(handle, &suspend.Header));
      suspend.Header.Size = NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1;
      suspend.CancelIdleNotificationHandler = nullptr;
      answers.push_back(NdisSetOptionalHandlers(handle, &suspend.Header));
    }
    answers.push_back(NdisSetOptionalHandlers(handle, nullptr));
    return NDIS_STATUS_SUCCESS;
  };
  up();
  ASSERT_EQ(answers.size(), 10U);
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(answers[i], i == 6 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE) << i;
  down();
}

// LIFE-085
TEST_F(Miniport6, IsNotInitializedBeforeItsDriverEntryHasReturned) {
  be(6, 6);
  bool returned = false;
  kernel::Event plugging("test: the device is there");
  mp.entry = [&] {
    const NDIS_STATUS status = mp.register_miniport6();
    world.system().spawn("plug", [&] {
      plugging.set();
      world.plug(mp.driver(), "nic");
    });
    plugging.wait();
    for (int i = 0; i < 8; ++i) kernel::schedule_point("let the device start");
    EXPECT_EQ(mp.count("MiniportInitializeEx"), 0U);
    returned = true;
    return static_cast<NTSTATUS>(status);
  };
  mp.on_initialize = [&](FakeAdapter&) {
    EXPECT_TRUE(returned);
    return NDIS_STATUS_SUCCESS;
  };
  load();
  EXPECT_EQ(mp.count("MiniportInitializeEx"), 1U);
  down();
}

// LIFE-092, LIFE-093, LIFE-081
TEST_F(Miniport6, WithHandlersThatDoNotGoTogetherIsTold) {
  mp.entry = [&] {
    auto c = FakeDriver::miniport6_characteristics();
    c.CheckForHangHandlerEx = [](NDIS_HANDLE) -> BOOLEAN { return FALSE; };
    c.DirectOidRequestHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST) { return NDIS_STATUS_SUCCESS; };
    UNICODE_STRING other = RTL_CONSTANT_STRING(u"\\Registry\\Machine\\Other");
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisMRegisterMiniportDriver(mp.driver().object(), &other, nullptr, &c, &handle),
              NDIS_STATUS_SUCCESS);
    NdisMDeregisterMiniportDriver(handle);
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { mp.load(); });
  expect({"mp: LIFE-081", "mp: LIFE-092", "mp: LIFE-093"});
}

// LIFE-081
TEST_F(Miniport6, RegisteredOutsideDriverEntryIsTold) {
  mp.entry = [] { return static_cast<NTSTATUS>(STATUS_SUCCESS); };
  run([&] {
    mp.load();
    auto c = FakeDriver::miniport6_characteristics();
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(
        NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(), nullptr, &c, &handle),
        NDIS_STATUS_SUCCESS);
    NdisMDeregisterMiniportDriver(handle);
  });
  expect({"host: LIFE-081", "host: LIFE-018"});
}

// LIFE-094, LIFE-097
TEST(ACharacteristicsStructure, IsReadNoFurtherThanItsRevision) {
  const long page = sysconf(_SC_PAGESIZE);
  auto* const memory = static_cast<char*>(mmap(nullptr, static_cast<std::size_t>(2 * page),
                                               PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(memory + page, static_cast<std::size_t>(page), PROT_NONE), 0);
  {
    lab::World world;
    FakeDriver driver(world, "mp");
    auto c = FakeDriver::miniport6_characteristics();
    c.MinorNdisVersion = 0;
    c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    // The end of the structure's own revision is the end of what may be read.
    auto* const at_the_end =
        memory + page - (NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 + 7) / 8 * 8;  // aligned
    std::memcpy(at_the_end, &c, NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1);
    driver.entry = [&] {
      NDIS_HANDLE handle = nullptr;
      EXPECT_EQ(NdisMRegisterMiniportDriver(
                    driver.driver().object(), driver.driver().registry_path(), nullptr,
                    reinterpret_cast<PNDIS_MINIPORT_DRIVER_CHARACTERISTICS>(at_the_end), &handle),
                NDIS_STATUS_SUCCESS);
      NdisMDeregisterMiniportDriver(handle);
      // A header whose size does not fit its revision: nothing behind the header is read.
      auto* const header = reinterpret_cast<NDIS_OBJECT_HEADER*>(memory + page - 8);
      *header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                 NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1, sizeof(NDIS_OBJECT_HEADER)};
      EXPECT_EQ(NdisMRegisterMiniportDriver(
                    driver.driver().object(), driver.driver().registry_path(), nullptr,
                    reinterpret_cast<PNDIS_MINIPORT_DRIVER_CHARACTERISTICS>(header), &handle),
                NDIS_STATUS_BAD_CHARACTERISTICS);
      return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
    };
    world.run("test", [&] { driver.load(); });
  }
  munmap(memory, static_cast<std::size_t>(2 * page));
}

// LIFE-096
TEST_F(Miniport6, MayTryTheNewestVersionFirst) {
  world.library().policy.newest = {6, 0};
  mp.entry = [&] {
    auto c = FakeDriver::miniport6_characteristics();
    c.MinorNdisVersion = 1;
    NDIS_STATUS status = NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(),
                                                     nullptr, &c, &mp.miniport);
    EXPECT_EQ(status, NDIS_STATUS_BAD_VERSION);
    c.MinorNdisVersion = 0;
    status = NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(), nullptr, &c,
                                         &mp.miniport);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    return static_cast<NTSTATUS>(status);
  };
  mp.unload_routine = [&] { NdisMDeregisterMiniportDriver(mp.miniport); };
  run([&] {
    EXPECT_EQ(mp.load(), STATUS_SUCCESS);
    EXPECT_TRUE(mp.unload());
  });
}

// LIFE-098, LIFE-099, LIFE-170
TEST_F(Miniport6, WhoseRegistrationFailsIsNotLoadedAndNotUnloaded) {
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { c.MajorNdisVersion = 7; };
  mp.be_miniport6();
  run([&] { EXPECT_EQ(mp.load(), static_cast<NTSTATUS>(NDIS_STATUS_BAD_VERSION)); });
  EXPECT_EQ(mp.driver().phase(), kernel::DriverPhase::FailedToLoad);
  EXPECT_EQ(mp.count("Unload"), 0U);
}

// LIFE-099
TEST_F(Miniport6, ThatHidesAFailedRegistrationIsTold) {
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { c.MajorNdisVersion = 7; };
  mp.entry = [&] {
    mp.register_miniport6();
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
  run([&] { mp.load(); });
  expect({"mp: LIFE-099"});
}

TEST_F(Miniport6, ThatDeregistersInADriverEntryThatSucceedsIsTold) {
  mp.entry = [&] {
    mp.register_miniport6();
    NdisMDeregisterMiniportDriver(mp.miniport);
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
  run([&] { mp.load(); });
  expect({"mp: LIFE-018"});
}

// ---- initialisation ----

// LIFE-109
TEST_F(Miniport6, ThatSetsItsAttributesOutOfOrderIsTold) {
  mp.on_initialize = [](FakeAdapter&) { return NDIS_STATUS_SUCCESS; };
  bool spoil = true;
  mp.attributes = [&](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
    if (!std::exchange(spoil, false)) return;
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES early{};
    early.GeneralAttributes.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                                      NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                                      NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    EXPECT_EQ(NdisMSetMiniportAttributes(world.adapter("nic")->handle(), &early),
              NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(a.Header.Type, NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES);
  };
  up();
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
  expect({"mp: RegistrationAttributesFirst"});
}

// LIFE-108
TEST_F(Miniport6, ThatClaimsHardwareBeforeItsAttributesIsTold) {
  bool before = true;
  mp.attributes = [&](NDIS_MINIPORT_ADAPTER_ATTRIBUTES&) {
    if (!std::exchange(before, false)) return;
    PVOID address = nullptr;
    NDIS_PHYSICAL_ADDRESS start{};
    NdisMMapIoSpace(&address, world.adapter("nic")->handle(), start, 16);
  };
  up();
  down();
  const Lines found = violations();
  EXPECT_NE(std::ranges::find(found, "mp: NdisMMapIoSpace"), found.end());
  expect(found);
}

// LIFE-165
TEST_F(Miniport6, ThatFreesSharedMemoryInItsShutdownIsTold) {
  mp.on_shutdown = [&](FakeAdapter& card) {
    NDIS_PHYSICAL_ADDRESS nowhere{};
    NdisMFreeSharedMemory(card.handle, 16, TRUE, this, nowhere);
  };
  up();
  run([&] { world.library().shutdown(); });
  expects_nothing_left = false;
  const Lines found = violations();
  EXPECT_NE(std::ranges::find(found, "mp: NdisMFreeSharedMemory"), found.end());
  expect(found);
}

// LIFE-117
TEST_F(Miniport6, ThatSetsAddDeviceAttributesInItsInitializationIsTold) {
  up();
  run([&] {
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES add{};
    add.AddDeviceRegistrationAttributes.Header = {
        NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1};
    EXPECT_EQ(NdisMSetMiniportAttributes(nic()->handle(), &add), NDIS_STATUS_INVALID_PARAMETER);
  });
  down();
  expect({"mp: LIFE-117"});
}

// LIFE-111, LIFE-148
TEST_F(Miniport6, ThatLeavesATimerOrAWorkItemOfItsAdapterAtTheHaltIsTold) {
  NDIS_HANDLE timer = nullptr;
  NDIS_HANDLE item = nullptr;
  mp.on_initialize = [&](FakeAdapter& card) {
    NDIS_TIMER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
    c.TimerFunction = [](PVOID, PVOID, PVOID, PVOID) {};
    EXPECT_EQ(NdisAllocateTimerObject(card.handle, &c, &timer), NDIS_STATUS_SUCCESS);
    item = NdisAllocateIoWorkItem(card.handle);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  unplug();
  run([&] {
    NdisFreeTimerObject(timer);
    NdisFreeIoWorkItem(item);
  });
  down();
  expect({"mp: Init_NdisAllocateIoWorkItem"});
}

// LIFE-153
TEST_F(Miniport6, WhoseTimerIsStillSetWhenTheHaltReturnsIsTold) {
  NDIS_HANDLE timer = nullptr;
  mp.on_initialize = [&](FakeAdapter& card) {
    NDIS_TIMER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
    c.TimerFunction = [](PVOID, PVOID, PVOID, PVOID) {};
    EXPECT_EQ(NdisAllocateTimerObject(card.handle, &c, &timer), NDIS_STATUS_SUCCESS);
    LARGE_INTEGER due;
    due.QuadPart = -600'000'000;
    NdisSetTimerObject(timer, due, 0, nullptr);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  unplug();
  run([&] {
    NdisCancelTimerObject(timer);
    NdisFreeTimerObject(timer);
  });
  down();
  expect({"mp: CancelTimerObject"});
}

TEST_F(Miniport6, ThatSucceedsWithoutAnyAttributesDoesNotComeUp) {
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) {
    c.InitializeHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS) {
      return NDIS_STATUS_SUCCESS;
    };
  };
  be(6, 6);
  load();
  EXPECT_EQ(plug(), NDIS_STATUS_FAILURE);
  EXPECT_FALSE(nic());
  down();
  expect({"mp: RegistrationAttributesFirst"});
}

}  // namespace
}  // namespace undis::test
