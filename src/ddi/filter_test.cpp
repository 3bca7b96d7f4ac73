// SPDX-License-Identifier: MIT
//
// Registration of filter drivers: each documented status; what is found when a filter breaks what its pages
// say. Pages: ndis/nf-ndis-ndisfregisterfilterdriver, network/initializing-a-filter-driver,
// ndis/nc-ndis-filter_attach, -pause, -detach.
#include <fmt/format.h>

#include "kernel/unicode.h"
#include "lab/filter_test.h"

namespace undis::test {
namespace {

class RegisteringAFilterDriver : public FilterTest {
 protected:
  /// The status of a registration whose characteristics are spoiled by `shape`.
  NDIS_STATUS registered(std::function<void(NDIS_FILTER_DRIVER_CHARACTERISTICS&)> shape) {
    FakeFilter one(world.system(), world.library(), fmt::format("try{}", ++tries_));
    one.shape = std::move(shape);
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    one.entry = [&] {
      status = one.register_filter();
      return static_cast<NTSTATUS>(status);
    };
    run([&] { one.load(); });
    if (status == NDIS_STATUS_SUCCESS) run([&] { one.unload(); });
    return status;
  }

 private:
  unsigned tries_ = 0;
};

// LIFE-272, LIFE-273
TEST_F(RegisteringAFilterDriver, GivesAHandleThatIsGivenBack) {
  load_filters({&f});
  EXPECT_NE(f.handle, nullptr);
  EXPECT_EQ(f.calls, Lines{"FilterSetOptions"});
  EXPECT_EQ(world.library().filter_drivers().size(), 1U);
  unload(f);
  EXPECT_TRUE(world.library().filter_drivers().empty());
}

// LIFE-273
TEST_F(RegisteringAFilterDriver, FailsWithABadVersion) {
  EXPECT_EQ(registered([](auto& c) { c.MajorNdisVersion = 5; }), NDIS_STATUS_BAD_VERSION);
  EXPECT_EQ(registered([](auto& c) { c.MinorNdisVersion = 2; }), NDIS_STATUS_BAD_VERSION);
}

// LIFE-273, LIFE-274
TEST_F(RegisteringAFilterDriver, FailsWithBadCharacteristics) {
  const auto bad = [&](auto shape) { EXPECT_EQ(registered(shape), NDIS_STATUS_BAD_CHARACTERISTICS); };
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.Header.Type = NDIS_OBJECT_TYPE_DEFAULT; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.Header.Revision = 0; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.Header.Size = 16; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.AttachHandler = nullptr; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.DetachHandler = nullptr; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.RestartHandler = nullptr; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.PauseHandler = nullptr; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.UniqueName = {}; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.ServiceName = {}; });
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.FriendlyName = {}; });
  // A revision that is older than the version asks for.
  bad([](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_1;
    c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1;
  });
}

TEST_F(RegisteringAFilterDriver, TakesEachRevision) {
  EXPECT_EQ(registered([](auto& c) {
              c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_1;
              c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1;
              c.MinorNdisVersion = 0;
            }),
            NDIS_STATUS_SUCCESS);
  EXPECT_EQ(registered([](auto& c) { c.MinorNdisVersion = 20; }), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(registered([](auto& c) {
              c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_3;
              c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3;
              c.MinorNdisVersion = 86;
            }),
            NDIS_STATUS_SUCCESS);
}

// LIFE-273
TEST_F(RegisteringAFilterDriver, FailsWithBadArguments) {
  NDIS_STATUS none = NDIS_STATUS_SUCCESS;
  NDIS_STATUS driver = NDIS_STATUS_SUCCESS;
  NDIS_STATUS handle = NDIS_STATUS_SUCCESS;
  f.entry = [&] {
    NDIS_FILTER_DRIVER_CHARACTERISTICS c = f.characteristics();
    none = NdisFRegisterFilterDriver(f.driver().object(), nullptr, nullptr, &f.handle);
    driver = NdisFRegisterFilterDriver(nullptr, nullptr, &c, &f.handle);
    handle = NdisFRegisterFilterDriver(f.driver().object(), nullptr, &c, nullptr);
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { f.load(); });
  EXPECT_EQ(none, NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(driver, NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(handle, NDIS_STATUS_INVALID_PARAMETER);
}

// LIFE-273
TEST_F(RegisteringAFilterDriver, FailsForAUniqueNameThatIsTaken) {
  load_filters({&f});
  const std::u16string taken = f.unique_name();
  EXPECT_EQ(registered([&](auto& c) { c.UniqueName = kernel::counted(taken); }), NDIS_STATUS_FAILURE);
  unload(f);
}

TEST_F(RegisteringAFilterDriver, FailsWithTheStatusOfFilterSetOptions) {
  f.on_set_options = [] { return NDIS_STATUS_RESOURCES; };
  NTSTATUS status = STATUS_SUCCESS;
  run([&] { status = f.load(); });
  EXPECT_EQ(status, static_cast<NTSTATUS>(NDIS_STATUS_RESOURCES));
  EXPECT_EQ(f.handle, nullptr);
  EXPECT_TRUE(world.library().filter_drivers().empty());
}

// LIFE-276
TEST_F(RegisteringAFilterDriver, WithoutHandlersThatOthersNeedIsReported) {
  EXPECT_EQ(registered([](auto& c) { c.StatusHandler = nullptr; }), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(registered([](auto& c) { c.OidRequestHandler = nullptr; }), NDIS_STATUS_SUCCESS);
  expect({"try1: FilterMustReturnHandler", "try2: OidHandlersPair"});
}

TEST_F(RegisteringAFilterDriver, AtARaisedIrqlIsReported) {
  f.entry = [&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    return static_cast<NTSTATUS>(f.register_filter());
  };
  load_filters({&f});
  unload(f);
  expect({"f: Irql_Filter_Driver_Function"});
}

// ---- deregistration ----

class DeregisteringAFilterDriver : public FilterTest {};

// LIFE-277
TEST_F(DeregisteringAFilterDriver, IsReportedWhenItIsForgotten) {
  f.unload_routine = [] {};
  all_up({&f});
  unload(f);
  EXPECT_EQ(f.count("FilterDetach"), 1U);  // undis goes on: the module is taken away
  all_down({&f});
  expect({"f: NdisFDeregisterFilterDriver"});
}

TEST_F(DeregisteringAFilterDriver, TwiceIsReported) {
  f.unload_routine = [&] {
    NdisFDeregisterFilterDriver(f.handle);
    NdisFDeregisterFilterDriver(f.handle);
  };
  all_up({&f});
  unload(f);
  all_down({&f});
  expect({"f: NdisFDeregisterFilterDriver"});
}

TEST_F(DeregisteringAFilterDriver, InsideOneOfItsCallbacksIsReportedAndDoneLater) {
  all_up({&f});
  bool once = true;
  f.on_pause = [&](FakeModule&) {
    if (std::exchange(once, false)) NdisFDeregisterFilterDriver(f.handle);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_TRUE(world.library().filter_drivers().empty());
  EXPECT_EQ(names(), Lines{});
  f.on_pause = nullptr;
  f.unload_routine = [] {};
  all_down({&f});
  expect({"f: WrongPlace"});
}

TEST_F(DeregisteringAFilterDriver, LeftToNdisByAFailingDriverEntryIsReported) {
  f.entry = [&] {
    EXPECT_EQ(f.register_filter(), NDIS_STATUS_SUCCESS);
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { EXPECT_EQ(f.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_TRUE(world.library().filter_drivers().empty());
  expect({"f: DriverEntryFailCleanup"});
}

// ---- modules ----

class AttachingAFilterModule : public FilterTest {};

TEST_F(AttachingAFilterModule, TellsWhatIsBelow) {
  all_up({&f, &g});
  const NDIS_FILTER_ATTACH_PARAMETERS& low = f.module().attach;
  EXPECT_EQ(low.Header.Revision, NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4);
  EXPECT_EQ(low.BaseMiniportIfIndex, nic()->interface_index());
  EXPECT_EQ(low.LowerIfIndex, nic()->interface_index());
  EXPECT_EQ(low.MiniportMediaType, NdisMedium802_3);
  EXPECT_EQ(low.MacAddressLength, 6);
  EXPECT_EQ(low.MediaConnectState, MediaConnectStateConnected);
  EXPECT_EQ(low.XmitLinkSpeed, 1'000'000'000U);
  EXPECT_EQ(g.module().attach.LowerIfIndex, low.IfIndex);
  all_down({&f, &g});
}

TEST_F(AttachingAFilterModule, GivesAnOlderDriverTheStructureItKnows) {
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.MinorNdisVersion = 20; };
  all_up({&f});
  EXPECT_EQ(f.module().attach.Header.Revision, NDIS_FILTER_ATTACH_PARAMETERS_REVISION_3);
  all_down({&f});
}

// LIFE-281
TEST_F(AttachingAFilterModule, WithoutNdisFSetAttributesIsReported) {
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.AttachHandler = [](NDIS_HANDLE, NDIS_HANDLE, PNDIS_FILTER_ATTACH_PARAMETERS) {
      return NDIS_STATUS_SUCCESS;
    };
    c.DetachHandler = [](NDIS_HANDLE) {};
    c.RestartHandler = [](NDIS_HANDLE, PNDIS_FILTER_RESTART_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    c.PauseHandler = [](NDIS_HANDLE, PNDIS_FILTER_PAUSE_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    c.NetPnPEventHandler = nullptr;
    c.OidRequestHandler = nullptr;
    c.OidRequestCompleteHandler = nullptr;
  };
  all_up({&f});
  all_down({&f});
  expect({"f: FilterSetsAttributes"});
}

// LIFE-282, LIFE-287
TEST_F(AttachingAFilterModule, ThatFailsAndLeavesAPoolIsReported) {
  NDIS_HANDLE pool = nullptr;
  f.on_attach = [&](FakeModule& module) {
    NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    parameters.PoolTag = 0x6C6F6F50;
    pool = NdisAllocateNetBufferListPool(module.handle, &parameters);
    return NDIS_STATUS_FAILURE;
  };
  all_up({&f});
  all_down({&f});
  expect({"f: LIFE-287"});
}

// LIFE-287
TEST_F(AttachingAFilterModule, WhosePoolOutlivesFilterDetachIsReported) {
  f.on_attach = [&](FakeModule& module) {
    NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    parameters.PoolTag = 0x6C6F6F50;
    EXPECT_NE(NdisAllocateNetBufferListPool(module.handle, &parameters), nullptr);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f});
  all_down({&f});
  expect({"f: LIFE-287"});
}

TEST_F(AttachingAFilterModule, SetsAttributesInFilterAttachOnly) {
  all_up({&f});
  NDIS_FILTER_ATTRIBUTES attributes{};
  attributes.Header = {NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES, NDIS_FILTER_ATTRIBUTES_REVISION_1,
                       NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1};
  run([&] { EXPECT_EQ(NdisFSetAttributes(f.module().handle, &f, &attributes), NDIS_STATUS_FAILURE); });
  all_down({&f});
  expect({"host: WrongPlace"});
}

TEST_F(AttachingAFilterModule, RefusesAttributesWithAWrongHeader) {
  NDIS_STATUS wrong = NDIS_STATUS_SUCCESS;
  f.on_attach = [&](FakeModule& module) {
    NDIS_FILTER_ATTRIBUTES attributes{};
    attributes.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_FILTER_ATTRIBUTES_REVISION_1,
                         NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1};
    wrong = NdisFSetAttributes(module.handle, &module, &attributes);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f});
  EXPECT_EQ(wrong, NDIS_STATUS_FAILURE);
  all_down({&f});
}

class RestartingAFilterModule : public FilterTest {
 protected:
  static void change(NDIS_FILTER_RESTART_PARAMETERS& parameters) {
    reinterpret_cast<NDIS_RESTART_GENERAL_ATTRIBUTES*>(parameters.RestartAttributes->Data)->MtuSize -= 4;
  }
};

// LIFE-294
TEST_F(RestartingAFilterModule, ThatChangesAttributesWithoutAnOidHandlerIsReported) {
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.OidRequestHandler = nullptr;
    c.OidRequestCompleteHandler = nullptr;
  };
  f.on_restart = [](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS& parameters) {
    change(parameters);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f});
  all_down({&f});
  expect({"f: LIFE-294"});
}

// LIFE-294
TEST_F(RestartingAFilterModule, ThatFailsAndChangesAttributesIsReported) {
  f.on_restart = [](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS& parameters) {
    change(parameters);
    return NDIS_STATUS_FAILURE;
  };
  all_up({&f});
  EXPECT_EQ(names(), Lines{});
  all_down({&f});
  expect({"f: LIFE-294"});
}

class PausingAFilterModule : public FilterTest {};

// LIFE-289, LIFE-292
TEST_F(PausingAFilterModule, ThatFailsIsReported) {
  all_up({&f});
  f.on_pause = [](FakeModule&) { return NDIS_STATUS_FAILURE; };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  f.on_pause = nullptr;
  all_down({&f});
  expect({"f: NdisFilterTimedPauseComplete"});
}

// LIFE-292
TEST_F(PausingAFilterModule, ThatTakesMoreThanTenSecondsIsReported) {
  all_up({&f});
  f.on_pause = [this](FakeModule& module) {
    kernel::queue_work("much later", [this, &module] {
      world.system().advance(110'000'000);
      NdisFPauseComplete(module.handle);
    });
    return NDIS_STATUS_PENDING;
  };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  f.on_pause = nullptr;
  all_down({&f});
  expect({"f: NdisFilterTimedPauseComplete"});
}

// LIFE-292
TEST_F(PausingAFilterModule, ThatTakesNineSecondsIsNotReported) {
  all_up({&f});
  f.on_pause = [this](FakeModule& module) {
    kernel::queue_work("later", [this, &module] {
      world.system().advance(90'000'000);
      NdisFPauseComplete(module.handle);
    });
    return NDIS_STATUS_PENDING;
  };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  f.on_pause = nullptr;
  all_down({&f});
}

// LIFE-292
TEST_F(PausingAFilterModule, ThatIsCompletedTwiceIsReported) {
  all_up({&f});
  f.on_pause = [](FakeModule& module) {
    NdisFPauseComplete(module.handle);
    NdisFPauseComplete(module.handle);
    return NDIS_STATUS_PENDING;
  };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  f.on_pause = nullptr;
  all_down({&f});
  expect({"f: NdisFilterTimedPauseComplete"});
}

TEST_F(PausingAFilterModule, IsNotCompletedWhenNoneIsPended) {
  all_up({&f});
  run([&] {
    NdisFPauseComplete(f.module().handle);
    NdisFRestartComplete(f.module().handle, NDIS_STATUS_SUCCESS);
  });
  all_down({&f});
  expect({"host: NdisFilterTimedPauseComplete", "host: DoubleComplete"});
}

// ---- enumeration ----

class EnumeratingFilterModules : public FilterTest {};

TEST_F(EnumeratingFilterModules, GivesTheUppermostFirst) {
  f.be_of_class("vpn");
  g.be_of_class("scheduler");
  g.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.SendNetBufferListsHandler = nullptr; };
  all_up({&f, &g});
  run([&] {
    for (NDIS_HANDLE handle : {nic()->handle(), binding()->handle(), f.module().handle}) {
      ULONG needed = 0;
      ULONG written = 0;
      EXPECT_EQ(NdisEnumerateFilterModules(handle, nullptr, 0, &needed, &written),
                NDIS_STATUS_BUFFER_TOO_SHORT);
      std::vector<std::uint64_t> memory(needed / sizeof(std::uint64_t) + 1);
      EXPECT_EQ(NdisEnumerateFilterModules(handle, memory.data(), needed, &needed, &written),
                NDIS_STATUS_SUCCESS);
      EXPECT_EQ(written, needed);
      const auto* const list = reinterpret_cast<const NDIS_ENUM_FILTERS*>(memory.data());
      ASSERT_EQ(list->NumberOfFilters, 2U);
      EXPECT_EQ(kernel::view(&list->Filter[0].FilterClass), u"scheduler");
      EXPECT_EQ(kernel::view(&(&list->Filter[0])[1].FilterClass), u"vpn");
      EXPECT_EQ(list->Filter[0].Flags,
                static_cast<ULONG>(NDIS_FILTER_INTERFACE_LW_FILTER | NDIS_FILTER_INTERFACE_SEND_BYPASS));
      EXPECT_EQ(list->Filter[0].IfIndex, g.module().attach.IfIndex);
    }
  });
  all_down({&f, &g});
}

TEST_F(EnumeratingFilterModules, TakesHandlesOfStacksOnly) {
  load_filters({&f});
  run([&] {
    ULONG needed = 0;
    ULONG written = 0;
    EXPECT_EQ(NdisEnumerateFilterModules(f.handle, nullptr, 0, &needed, &written),
              NDIS_STATUS_INVALID_PARAMETER);
  });
  unload(f);
  expect({"host: HandleMisuse"});
}

}  // namespace
}  // namespace undis::test
