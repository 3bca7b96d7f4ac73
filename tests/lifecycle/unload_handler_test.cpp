// SPDX-License-Identifier: MIT
//
// Page: ndis/nf-ndis-ndismregisterunloadhandler (LIFE-063 .. LIFE-080)
#include <type_traits>

#include "registration_test.h"
#include "versions.h"

namespace undis::test {
namespace {

using lab::FakeAdapter;
using lab::FakeBinding;
using lab::FakeDriver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ULONG kTag = lab::pool_tag("Test");
constexpr UINT kSize = 64;

void* allocate() {
  void* memory = nullptr;
  EXPECT_EQ(NdisAllocateMemoryWithTag(&memory, kSize, kTag), NDIS_STATUS_SUCCESS);
  return memory;
}

class RegisteringAnUnloadHandler : public NdisTest {
 protected:
  RegisteringAnUnloadHandler() : nic(world, Card::Version::Ndis51) {}
  Card nic;  ///< the driver under test where an NDIS 5.1 miniport is
};

// LIFE-063
TEST_F(RegisteringAnUnloadHandler, HasItCalledOnceWhenTheDriverIsUnloaded) {
  run([&] { EXPECT_EQ(nic.load(), STATUS_SUCCESS); });
  EXPECT_EQ(nic.count("Unload"), 0U);
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(nic.calls, Lines{"Unload"});
  expect_trace(world,
               {"> nic!DriverUnload", "> nic!UnloadHandler", "< nic!UnloadHandler", "< nic!DriverUnload"});
}

// LIFE-063
TEST_F(RegisteringAnUnloadHandler, HasItNotCalledWhenDriverEntryFails) {
  const auto enter = nic.entry;
  nic.entry = [&]() -> NTSTATUS {
    EXPECT_EQ(enter(), STATUS_SUCCESS);
    NdisTerminateWrapper(nic.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  };
  run([&] { EXPECT_EQ(nic.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_EQ(nic.calls, Lines{});
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-064
TEST_F(RegisteringAnUnloadHandler, IsReportedForAnyHandleButTheWrappers) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  int no_handle = 0;
  im.entry = [&]() -> NTSTATUS {
    im.initialize_wrapper();
    EXPECT_EQ(im.register_layered5(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(im.register_protocol5("im"), NDIS_STATUS_SUCCESS);
    const PDRIVER_UNLOAD own = im.driver().object()->DriverUnload;  // of NDIS, for a driver without a handler
    for (const NDIS_HANDLE wrong :
         {im.miniport, im.protocol, static_cast<NDIS_HANDLE>(&no_handle), NDIS_HANDLE{nullptr}})
      NdisMRegisterUnloadHandler(
          wrong, [](PDRIVER_OBJECT) { ADD_FAILURE() << "registered with a wrong handle, and called"; });
    EXPECT_EQ(im.driver().object()->DriverUnload, own);
    im.register_unload_handler();
    EXPECT_NE(im.driver().object()->DriverUnload, nullptr);
    return STATUS_SUCCESS;
  };
  expect({"im: LIFE-064"});
  run([&] { EXPECT_EQ(im.load(), STATUS_SUCCESS); });
  EXPECT_THAT(breaches(world, "LIFE-064"),
              ElementsAre(HasSubstr("is a layered miniport driver handle"), HasSubstr("is a protocol handle"),
                          HasSubstr("is no NDIS handle"), HasSubstr("NULL")));
  run([&] { im.unload(); });
  EXPECT_EQ(im.calls, Lines{"Unload"});
}

// LIFE-064
TEST_F(RegisteringAnUnloadHandler, IsReportedForAWrapperThatIsTerminated) {
  nic.entry = [&]() -> NTSTATUS {
    nic.initialize_wrapper();
    EXPECT_EQ(nic.register_miniport5(), NDIS_STATUS_SUCCESS);
    NdisTerminateWrapper(nic.wrapper, nullptr);
    nic.register_unload_handler();
    return STATUS_UNSUCCESSFUL;
  };
  expect({"nic: LIFE-064"});
  run([&] { nic.load(); });
  EXPECT_THAT(last_violation_text(), HasSubstr("wrapper handle and is closed"));
}

// LIFE-065, LIFE-080
TEST_F(RegisteringAnUnloadHandler, TakesARoutineOfTheDriverUnloadForm) {
  static_assert(std::is_same_v<PDRIVER_UNLOAD, VOID (*)(PDRIVER_OBJECT)>);
  static_assert(std::is_same_v<decltype(NdisMRegisterUnloadHandler), VOID(NDIS_HANDLE, PDRIVER_UNLOAD)>);
  EXPECT_TRUE(is_exported("NdisMRegisterUnloadHandler", &NdisMRegisterUnloadHandler));
  EXPECT_EQ(unload_registration_of_51(), reinterpret_cast<Function*>(&NdisMRegisterUnloadHandler));
}

std::vector<PDRIVER_OBJECT> g_unloaded;

VOID NTAPI remember_unload(PDRIVER_OBJECT object) {
  g_unloaded.push_back(object);
}

// LIFE-066
TEST_F(RegisteringAnUnloadHandler, HasItCalledWithTheDriversOwnObject) {
  g_unloaded.clear();
  FakeDriver second(world, "second");
  for (FakeDriver* const driver : {static_cast<FakeDriver*>(&nic), &second}) {
    driver->entry = [driver]() -> NTSTATUS {
      driver->initialize_wrapper();
      EXPECT_EQ(driver->register_miniport5(), NDIS_STATUS_SUCCESS);
      NdisMRegisterUnloadHandler(driver->wrapper, &remember_unload);
      return STATUS_SUCCESS;
    };
  }
  run([&] {
    nic.load();
    second.load();
  });
  run([&] { second.unload(); });
  EXPECT_EQ(g_unloaded, std::vector{second.driver().object()});
  run([&] { nic.unload(); });
  EXPECT_EQ(g_unloaded, (std::vector{second.driver().object(), nic.driver().object()}));
}

// LIFE-067
TEST_F(RegisteringAnUnloadHandler, IsReportedOutsideDriverEntry) {
  nic.on_initialize = [&](FakeAdapter&) {
    nic.register_unload_handler();
    return NDIS_STATUS_SUCCESS;
  };
  expect({"nic: LIFE-067"});
  run([&] { nic.plug("nic0"); });
  run([&] { nic.unload(); });
  EXPECT_EQ(nic.count("Unload"), 1U);
}

// LIFE-068
TEST_F(RegisteringAnUnloadHandler, IsReportedBeforeTheMiniportIsRegistered) {
  nic.entry = [&]() -> NTSTATUS {
    nic.initialize_wrapper();
    nic.register_unload_handler();
    return nic.register_miniport5();
  };
  expect({"nic: LIFE-068"});
  run([&] { EXPECT_EQ(nic.load(), STATUS_SUCCESS); });
  run([&] { nic.unload(); });
}

// LIFE-068, LIFE-069
TEST_F(RegisteringAnUnloadHandler, WorksAfterNdisMRegisterMiniport) {
  nic.entry = [&]() -> NTSTATUS {
    nic.initialize_wrapper();
    EXPECT_EQ(nic.register_miniport5(), NDIS_STATUS_SUCCESS);
    nic.register_unload_handler();
    return STATUS_SUCCESS;
  };
  run([&] { EXPECT_EQ(nic.load(), STATUS_SUCCESS); });
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(nic.calls, Lines{"Unload"});
}

// LIFE-068, LIFE-069
TEST_F(RegisteringAnUnloadHandler, WorksAfterNdisIMRegisterLayeredMiniport) {
  FakeDriver im(world, "im");
  im.entry = [&]() -> NTSTATUS {
    im.initialize_wrapper();
    EXPECT_EQ(im.register_layered5(), NDIS_STATUS_SUCCESS);
    im.register_unload_handler();
    return STATUS_SUCCESS;
  };
  im.unload_routine = [&] { NdisIMDeregisterLayeredMiniport(im.miniport); };
  run([&] { EXPECT_EQ(im.load(), STATUS_SUCCESS); });
  run([&] { EXPECT_TRUE(im.unload()); });
  EXPECT_EQ(im.calls, Lines{"Unload"});
  EXPECT_EQ(miniport_drivers(world), Lines{});
  expect({"im: LIFE-328"});  // half a driver
}

// LIFE-070
TEST_F(RegisteringAnUnloadHandler, LetsAnEmptyRoutineDo) {
  const HeapUse heap = ndis_heap();
  nic.unload_routine = {};
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  EXPECT_GT(ndis_heap().blocks, heap.blocks);
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(miniport_drivers(world),
            Lines{});  // NdisMRegisterMiniport has no counterpart: NDIS gives it back itself
  EXPECT_TRUE(ndis_heap() == heap);
  EXPECT_EQ(nic.driver().phase(), kernel::DriverPhase::Unloaded);
}

// LIFE-071
TEST_F(RegisteringAnUnloadHandler, IsReportedWhenTheRoutineLeavesTheProtocolOfAnIntermediateDriver) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.unload_routine = [] {};
  expect({"im: LIFE-071", "im: LIFE-003"});  // nothing is taken back at all
  run([&] {
    nic.plug("nic0");
    im.load();
  });
  run([&] { im.unload(); });
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_EQ(im.binding("nic0")->unbinds, 1U);
  run([&] { nic.unload(); });
}

// LIFE-071, LIFE-072
TEST_F(RegisteringAnUnloadHandler, LetsTheRoutineDeregisterTheProtocolOfAnIntermediateDriver) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
    im.load();
  });
  ASSERT_EQ(im.bindings.size(), 2U);
  const auto release = im.unload_routine;
  im.unload_routine = [&] {
    release();
    EXPECT_EQ(protocols(world), Lines{});
    im.note("returned");
  };
  im.calls.clear();
  run([&] { EXPECT_TRUE(im.unload()); });
  EXPECT_EQ(im.calls, (Lines{"MiniportHalt im-nic0", "MiniportHalt im-nic1", "Unload",
                             "ProtocolUnbindAdapter nic0", "ProtocolUnbindAdapter nic1", "returned"}));
  expect_trace(world,
               {"> im!UnloadHandler", "  im calls NdisDeregisterProtocol", "> im!ProtocolUnbindAdapter",
                "< im!ProtocolUnbindAdapter", "> im!ProtocolUnbindAdapter", "< im!ProtocolUnbindAdapter",
                "  im calls NdisIMDeregisterLayeredMiniport", "< im!UnloadHandler"});
  expect_no_complaints(im);
  run([&] { nic.unload(); });
}

// LIFE-072, LIFE-075, LIFE-076
TEST(UnloadingUnderAnySchedule, HaltsEachInstanceThenCallsTheRoutineOnce) {
  under_schedules(200, [](lab::World& world) {
    world.library().policy.binds = [](const ProtocolDriver& protocol, const Adapter& adapter) {
      return adapter.is_virtual() == (protocol.name() == "ip");
    };
    Card nic(world, Card::Version::Ndis51);
    FakeDriver im(world, "im");
    im.be_intermediate5();
    FakeDriver ip(world, "ip");
    ip.be_protocol5();
    ASSERT_EQ(world.run("load",
                        [&] {
                          nic.plug("nic0");
                          nic.plug("nic1");
                          im.load();
                          ip.load();
                        }),
              kernel::Outcome::Idle);
    ASSERT_EQ(ip.bindings.size(), 2U);
    ASSERT_EQ(world.run("unload", [&] { im.unload(); }), kernel::Outcome::Idle);
    EXPECT_EQ(im.count("MiniportHalt"), 2U);
    EXPECT_EQ(im.count("Unload"), 1U);
    const auto at = [&](std::string_view call) {
      return std::ranges::find(im.calls, call) - im.calls.begin();
    };
    EXPECT_LT(at("MiniportHalt im-nic0"), at("Unload"));
    EXPECT_LT(at("MiniportHalt im-nic1"), at("Unload"));
    for (const FakeBinding& binding : im.bindings) EXPECT_EQ(binding.unbinds, 1U) << binding.adapter;
    for (const FakeBinding& binding : ip.bindings) EXPECT_EQ(binding.unbinds, 1U) << binding.adapter;
    EXPECT_EQ(protocols(world), Lines{"ip"});
    EXPECT_EQ(im.complaints, Lines{});
    ASSERT_EQ(world.run("unload",
                        [&] {
                          ip.unload();
                          nic.unload();
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(nic.calls.back(), "Unload");
  });
}

// LIFE-073
TEST_F(RegisteringAnUnloadHandler, IsReportedWhenTheRoutineLeavesMemoryOfTheProtocolHalf) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.after_open = [](FakeBinding&) {
    allocate();
    return NDIS_STATUS_SUCCESS;
  };
  im.on_unbind = {};
  expect({"im: LIFE-073"});
  run([&] {
    nic.plug("nic0");
    im.load();
  });
  run([&] { im.unload(); });
  EXPECT_THAT(last_violation_text(), HasSubstr("'Test'"));
  run([&] { nic.unload(); });
}

// LIFE-073
TEST_F(RegisteringAnUnloadHandler, LetsTheRoutineFreeWhatTheProtocolHalfAllocated) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  std::vector<void*> memory;
  im.after_open = [&](FakeBinding&) {
    memory.push_back(allocate());
    return NDIS_STATUS_SUCCESS;
  };
  im.on_unbind = {};
  const auto release = im.unload_routine;
  im.unload_routine = [&] {
    release();
    for (void* const block : memory) NdisFreeMemory(block, kSize, 0);
  };
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
    im.load();
  });
  EXPECT_EQ(memory.size(), 2U);
  run([&] { im.unload(); });
  run([&] { nic.unload(); });
}

/// A miniport whose instances share memory: the first to come allocates it, the unload routine frees it, or
/// not.
void share_memory(Card& nic, void*& shared, bool frees) {
  nic.on_initialize = [&shared](FakeAdapter&) {
    if (shared == nullptr) shared = allocate();
    return NDIS_STATUS_SUCCESS;
  };
  nic.on_halt = [&shared](FakeAdapter& adapter) {
    EXPECT_NE(shared, nullptr) << adapter.name << " needs it until it is halted";
  };
  nic.unload_routine = [&shared, frees] {
    if (frees) NdisFreeMemory(shared, kSize, 0);
    shared = nullptr;
  };
}

// LIFE-074, LIFE-075
TEST_F(RegisteringAnUnloadHandler, LetsTheRoutineFreeWhatTheInstancesShare) {
  void* shared = nullptr;
  share_memory(nic, shared, true);
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  EXPECT_NE(shared, nullptr);
  run([&] { nic.unload(); });
  EXPECT_EQ(shared, nullptr);
}

// LIFE-074
TEST_F(RegisteringAnUnloadHandler, IsReportedWhenTheRoutineLeavesWhatTheInstancesShare) {
  void* shared = nullptr;
  share_memory(nic, shared, false);
  expect({"nic: LIFE-074"});
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  run([&] { nic.unload(); });
}

// LIFE-074
TEST_F(RegisteringAnUnloadHandler, OfOneInstanceThatLeavesMemoryIsNoMatterOfWhatInstancesShare) {
  void* shared = nullptr;
  share_memory(nic, shared, false);
  expect({"nic: PoolLeak"});
  run([&] { nic.plug("nic0"); });
  run([&] { nic.unload(); });
}

// LIFE-075, LIFE-076
TEST_F(RegisteringAnUnloadHandler, HasItCalledOnceAfterEachInstanceIsHalted) {
  run([&] {
    for (const char* const name : {"nic0", "nic1", "nic2"}) nic.plug(name);
  });
  nic.calls.clear();
  run([&] { nic.unload(); });
  EXPECT_EQ(nic.calls, (Lines{"MiniportHalt nic0", "MiniportHalt nic1", "MiniportHalt nic2", "Unload"}));
  expect_no_complaints(nic);
}

// LIFE-076
TEST_F(RegisteringAnUnloadHandler, HasItNotCalledWhenTheLastInstanceIsHalted) {
  run([&] { nic.plug("nic0"); });
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(nic.count("MiniportHalt"), 1U);
  EXPECT_EQ(nic.count("Unload"), 0U);
  run([&] { nic.plug("nic0"); });  // the driver is still there
  run([&] { nic.unload(); });
  EXPECT_EQ(nic.count("MiniportHalt"), 2U);
  EXPECT_EQ(nic.count("Unload"), 1U);
}

// LIFE-077
TEST_F(RegisteringAnUnloadHandler, LeavesTheOtherInstancesWorkingWhenOneIsHalted) {
  FakeDriver ip(world, "ip");
  ip.be_protocol5();
  run([&] {
    for (const char* const name : {"nic0", "nic1", "nic2"}) nic.plug(name);
    ip.load();
  });
  run([&] { nic.unplug("nic1"); });
  EXPECT_EQ(nic.adapter("nic1")->halts, 1U);
  for (const char* const name : {"nic0", "nic2"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(nic.adapter(name)->halts, 0U);
    EXPECT_EQ(world.adapter(name)->state(), AdapterState::Running);
    EXPECT_EQ(ip.binding(name)->unbinds, 0U);
    run([&] {
      ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
      EXPECT_EQ(set(*ip.binding(name), OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter)),
                NDIS_STATUS_SUCCESS);
    });
    EXPECT_EQ(nic.count("filter " + std::string(name) + " 0x1"), 1U);
  }
  run([&] {
    ip.unload();
    nic.unload();
  });
}

// LIFE-077
TEST_F(RegisteringAnUnloadHandler, IsReportedWhenMiniportHaltFreesWhatAnotherInstanceMade) {
  std::map<std::string, NDIS_HANDLE> pools;
  nic.on_initialize = [&](FakeAdapter& adapter) {
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisAllocatePacketPool(&status, &pools[adapter.name], 8, 0);
    return status;
  };
  nic.on_halt = [&](FakeAdapter& adapter) {
    for (const char* const name : {"nic0", "nic1"}) {
      const bool mine_or_first =
          adapter.name == name || adapter.name == "nic1";  // nic1 is halted first and frees all
      if (mine_or_first && pools[name] != nullptr) NdisFreePacketPool(std::exchange(pools[name], nullptr));
    }
  };
  expect({"nic: LIFE-077"});
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  run([&] { nic.unplug("nic1"); });
  EXPECT_THAT(last_violation_text(), HasSubstr("made for nic0"));
  run([&] { nic.unload(); });
}

// LIFE-078
TEST_F(RegisteringAnUnloadHandler, IsReportedAboveIrqlPassive) {
  nic.entry = [&]() -> NTSTATUS {
    nic.initialize_wrapper();
    EXPECT_EQ(nic.register_miniport5(), NDIS_STATUS_SUCCESS);
    KIRQL old = PASSIVE_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    nic.register_unload_handler();
    KeLowerIrql(old);
    return STATUS_SUCCESS;
  };
  expect({"nic: LIFE-078"});
  run([&] { EXPECT_EQ(nic.load(), STATUS_SUCCESS); });
  run([&] { nic.unload(); });
}

// LIFE-079
TEST_F(RegisteringAnUnloadHandler, IsReportedForAnNdis6DriverWhoseOwnHandlerIsCalledInstead) {
  FakeDriver six(world, "six");
  six.be_miniport6();
  const auto enter = six.entry;
  six.entry = [&]() -> NTSTATUS {
    six.initialize_wrapper();
    EXPECT_EQ(enter(), STATUS_SUCCESS);
    NdisMRegisterUnloadHandler(
        six.wrapper, [](PDRIVER_OBJECT) { ADD_FAILURE() << "the handler of an NDIS 5 driver was called"; });
    NdisMRegisterUnloadHandler(
        six.miniport, [](PDRIVER_OBJECT) { ADD_FAILURE() << "the handler of an NDIS 5 driver was called"; });
    return STATUS_SUCCESS;
  };
  expect({"six: LIFE-079"});
  run([&] { EXPECT_EQ(six.load(), STATUS_SUCCESS); });
  EXPECT_EQ(breaches(world, "LIFE-079").size(), 2U);
  run([&] { EXPECT_TRUE(six.unload()); });
  EXPECT_EQ(six.calls, Lines{"Unload"});
  expect_trace(world, {"> six!MiniportDriverUnload", "< six!MiniportDriverUnload"});
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-080
TEST_F(RegisteringAnUnloadHandler, WorksForAnNdis51DriverNextToNdis6Drivers) {
  FakeDriver six(world, "six");
  six.be_miniport6();
  FakeDriver tcp(world, "tcp");
  tcp.be_protocol6();
  run([&] {
    six.load();
    EXPECT_TRUE(world.plug(six.driver(), "six0"));
    nic.plug("nic0");
    tcp.load();
  });
  ASSERT_EQ(tcp.bindings.size(), 2U);
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(nic.count("Unload"), 1U);
  EXPECT_EQ(miniport_drivers(world), Lines{"six (miniport)"});
  EXPECT_EQ(tcp.binding("nic0")->unbinds, 1U);
  EXPECT_EQ(tcp.binding("six0")->unbinds, 0U);
  EXPECT_EQ(world.adapter("six0")->state(), AdapterState::Running);
  run([&] {
    tcp.unload();
    six.unload();
  });
}

}  // namespace
}  // namespace undis::test
