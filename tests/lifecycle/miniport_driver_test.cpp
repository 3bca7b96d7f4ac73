// SPDX-License-Identifier: MIT
//
// Page: ndis/nf-ndis-ndismderegisterminiportdriver (LIFE-015 .. LIFE-024)
#include <type_traits>

#include "registration_test.h"
#include "versions.h"

namespace undis::test {
namespace {

using lab::FakeDriver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeregisteringAMiniportDriver : public NdisTest {};

// LIFE-015
TEST_F(DeregisteringAMiniportDriver, ReturnsEverythingNdisKept) {
  FakeDriver nic(world, "nic");
  nic.entry = [&]() -> NTSTATUS {
    const HeapUse heap = ndis_heap();
    const std::size_t handles = world.library().handles().open_count();
    EXPECT_EQ(nic.register_miniport6(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
    EXPECT_GT(ndis_heap().blocks, heap.blocks);

    NdisMDeregisterMiniportDriver(nic.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{});
    EXPECT_TRUE(ndis_heap() == heap);
    EXPECT_EQ(world.library().handles().open_count(), handles);
    return STATUS_UNSUCCESSFUL;
  };
  run([&] { EXPECT_EQ(nic.load(), STATUS_UNSUCCESSFUL); });
}

// LIFE-015, LIFE-018
TEST_F(DeregisteringAMiniportDriver, ReturnsEverythingAfterALifeWithAdapters) {
  const HeapUse heap = ndis_heap();
  Card nic(world);
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  EXPECT_GT(ndis_heap().blocks, heap.blocks);
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_TRUE(ndis_heap() == heap);
  expect_trace(world, {"> nic!MiniportHaltEx", "< nic!MiniportHaltEx", "> nic!MiniportHaltEx",
                       "< nic!MiniportHaltEx", "> nic!MiniportDriverUnload",
                       "  nic calls NdisMDeregisterMiniportDriver", "< nic!MiniportDriverUnload"});
  expect_no_complaints(nic);
}

// LIFE-016
TEST_F(DeregisteringAMiniportDriver, IsReportedForAnyOtherHandleAndTouchesNoRegistration) {
  world.library().policy.binds = [](const ProtocolDriver&, const Adapter&) { return false; };
  Card nic(world);
  FakeDriver layered(world, "layered");
  layered.be_intermediate5();
  FakeDriver im(world, "im");
  im.be_intermediate6();
  const auto enter = im.entry;
  int no_handle = 0;
  im.entry = [&] {
    EXPECT_EQ(enter(), STATUS_SUCCESS);
    const NDIS_HANDLE adapter = world.adapter("nic0")->handle();
    for (const NDIS_HANDLE wrong : {im.protocol, adapter, layered.miniport,
                                    static_cast<NDIS_HANDLE>(&no_handle), NDIS_HANDLE{nullptr}}) {
      NdisMDeregisterMiniportDriver(wrong);
      EXPECT_EQ(miniport_drivers(world),
                (Lines{"nic (miniport)", "layered (layered miniport)", "im (intermediate miniport)"}));
      EXPECT_EQ(protocols(world), (Lines{"layered", "im"}));
    }
    return STATUS_SUCCESS;
  };
  run([&] {
    nic.plug("nic0");
    layered.load();
    EXPECT_EQ(im.load(), STATUS_SUCCESS);
  });
  EXPECT_EQ(world.adapter("nic0")->state(), AdapterState::Running);

  expect({"im: LIFE-016"});
  EXPECT_THAT(breaches(world, "LIFE-016"),
              ElementsAre(HasSubstr("is a protocol handle (6.x)"), HasSubstr("is a miniport adapter handle"),
                          HasSubstr("is a layered miniport driver handle"), HasSubstr("is no NDIS handle"),
                          HasSubstr("NULL")));
  run([&] {
    im.unload();
    layered.unload();
    nic.unload();
  });
}

// LIFE-017
TEST_F(DeregisteringAMiniportDriver, IsReportedAsMissingWhenDriverEntryFails) {
  const HeapUse heap = ndis_heap();
  FakeDriver nic(world, "nic");
  nic.entry = [&]() -> NTSTATUS {
    EXPECT_EQ(nic.register_miniport6(), NDIS_STATUS_SUCCESS);
    return STATUS_UNSUCCESSFUL;
  };
  expect({"nic: LIFE-017"});
  run([&] { EXPECT_EQ(nic.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_EQ(miniport_drivers(world), Lines{});
  EXPECT_TRUE(ndis_heap() == heap);
}

// LIFE-018, LIFE-169, LIFE-324
TEST_F(DeregisteringAMiniportDriver, IsReportedAsMissingAfterTheUnload) {
  Card nic(world);
  nic.unload_routine = {};
  expect({"nic: LIFE-018"});
  run([&] { nic.plug("nic0"); });
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(nic.count("Unload"), 1U);
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-018
TEST_F(DeregisteringAMiniportDriver, IsReportedOutsideTheUnloadRoutine) {
  Card nic(world);
  nic.on_halt = [&](lab::FakeAdapter&) { NdisMDeregisterMiniportDriver(nic.miniport); };
  expect({"nic: LIFE-018"});
  run([&] { nic.plug("nic0"); });
  run([&] { nic.unplug("nic0"); });
  EXPECT_THAT(last_violation_text(), HasSubstr("MiniportDriverUnload"));
  EXPECT_EQ(nic.adapter("nic0")->halts, 1U);
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-018
TEST_F(DeregisteringAMiniportDriver, OutsideTheUnloadRoutineHaltsTheAdaptersThatAreUp) {
  Card nic(world);
  nic.on_halt = [&](lab::FakeAdapter& adapter) {
    if (adapter.name == "nic0") NdisMDeregisterMiniportDriver(nic.miniport);
  };
  expect({"nic: LIFE-018"});
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(nic.adapter("nic0")->halts, 1U);
  EXPECT_EQ(nic.adapter("nic1")->halts, 1U);
  expect_no_complaints(nic);
}

// LIFE-019
TEST_F(DeregisteringAMiniportDriver, IsNotDueAfterARegistrationThatFailed) {
  FakeDriver nic(world, "nic");
  nic.entry = [&]() -> NTSTATUS {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c = FakeDriver::miniport6_characteristics();
    c.MajorNdisVersion = 7;
    const NDIS_STATUS status = NdisMRegisterMiniportDriver(
        nic.driver().object(), nic.driver().registry_path(), &nic, &c, &nic.miniport);
    EXPECT_EQ(status, NDIS_STATUS_BAD_VERSION);
    return status;
  };
  const HeapUse heap = ndis_heap();
  run([&] { EXPECT_EQ(nic.load(), NDIS_STATUS_BAD_VERSION); });
  EXPECT_EQ(miniport_drivers(world), Lines{});
  EXPECT_EQ(nic.driver().object()->DriverUnload, nullptr);
  EXPECT_TRUE(ndis_heap() == heap);
}

// LIFE-019
TEST_F(DeregisteringAMiniportDriver, IsReportedAfterARegistrationThatFailed) {
  FakeDriver nic(world, "nic");
  nic.entry = [&]() -> NTSTATUS {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c = FakeDriver::miniport6_characteristics();
    c.MajorNdisVersion = 7;
    const NDIS_STATUS status = NdisMRegisterMiniportDriver(
        nic.driver().object(), nic.driver().registry_path(), &nic, &c, &nic.miniport);
    NdisMDeregisterMiniportDriver(nic.miniport);
    return status;
  };
  expect({"nic: LIFE-019"});
  run([&] { EXPECT_EQ(nic.load(), NDIS_STATUS_BAD_VERSION); });
}

// LIFE-020
TEST_F(DeregisteringAMiniportDriver, IsReportedWhenCalledTwiceForOneRegistration) {
  FakeDriver other(world, "other");
  other.be_miniport6();
  Card nic(world);
  nic.unload_routine = [&] {
    NdisMDeregisterMiniportDriver(nic.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{"other (miniport)"});
    NdisMDeregisterMiniportDriver(nic.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{"other (miniport)"});
  };
  expect({"nic: LIFE-020"});
  run([&] {
    other.load();
    nic.load();
  });
  run([&] {
    nic.unload();
    other.unload();
  });
}

// LIFE-020, LIFE-021, LIFE-098
TEST_F(DeregisteringAMiniportDriver, InAFailingDriverEntryIsTheOnlyCall) {
  FakeDriver nic(world, "nic");
  nic.be_miniport6();
  nic.entry = [&]() -> NTSTATUS {
    EXPECT_EQ(nic.register_miniport6(), NDIS_STATUS_SUCCESS);
    NdisMDeregisterMiniportDriver(nic.miniport);
    nic.note("returned");
    return STATUS_UNSUCCESSFUL;
  };
  run([&] { EXPECT_EQ(nic.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_EQ(nic.calls, Lines{"returned"});  // no Unload after a DriverEntry that failed
  expect_trace(world, {"> nic!DriverEntry",
                       "miniport driver handle (6.x) nic (miniport): made by NdisMRegisterMiniportDriver",
                       "miniport driver handle (6.x) nic (miniport): undone by NdisMDeregisterMiniportDriver",
                       "< nic!DriverEntry"});
}

// LIFE-020, LIFE-021
TEST_F(DeregisteringAMiniportDriver, InTheUnloadRoutineIsTheOnlyCall) {
  Card nic(world);
  const auto release = nic.unload_routine;
  nic.unload_routine = [&] {
    EXPECT_TRUE(nic.driver().in_unload());
    release();
    nic.note("returned");
  };
  run([&] { nic.load(); });
  run([&] { nic.unload(); });
  EXPECT_EQ(nic.calls, (Lines{"Unload", "returned"}));
  expect_trace(world, {"miniport driver handle (6.x) nic (miniport): made by NdisMRegisterMiniportDriver",
                       "> nic!MiniportDriverUnload",
                       "miniport driver handle (6.x) nic (miniport): undone by NdisMDeregisterMiniportDriver",
                       "< nic!MiniportDriverUnload"});
}

// LIFE-021
TEST(DeregisteringAMiniportDriverUnderAnySchedule, ReturnsInBothPlaces) {
  under_schedules(200, [](lab::World& world) {
    FakeDriver failing(world, "failing");
    failing.entry = [&]() -> NTSTATUS {
      EXPECT_EQ(failing.register_miniport6(), NDIS_STATUS_SUCCESS);
      NdisMDeregisterMiniportDriver(failing.miniport);
      return STATUS_UNSUCCESSFUL;
    };
    Card nic(world);
    FakeDriver ip(world, "ip");
    ip.be_protocol5();
    ASSERT_EQ(world.run("load",
                        [&] {
                          failing.load();
                          ip.load();
                          nic.plug("nic0");
                          nic.plug("nic1");
                        }),
              kernel::Outcome::Idle);
    ASSERT_EQ(world.run("unload", [&] { nic.unload(); }), kernel::Outcome::Idle);
    EXPECT_EQ(nic.count("Unload"), 1U);
    EXPECT_EQ(nic.count("MiniportHaltEx"), 2U);
    EXPECT_EQ(nic.calls.back(), "Unload");
    EXPECT_EQ(miniport_drivers(world), Lines{});
    EXPECT_EQ(nic.complaints, Lines{});
    ASSERT_EQ(world.run("unload", [&] { ip.unload(); }), kernel::Outcome::Idle);
  });
}

// LIFE-022
TEST_F(DeregisteringAMiniportDriver, TakesAHandleAndReturnsNothing) {
  static_assert(std::is_same_v<decltype(NdisMDeregisterMiniportDriver), VOID(NDIS_HANDLE)>);
}

// LIFE-023
TEST_F(DeregisteringAMiniportDriver, IsReportedAboveIrqlPassive) {
  Card nic(world);
  nic.unload_routine = [&] {
    KIRQL old = PASSIVE_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NdisMDeregisterMiniportDriver(nic.miniport);
    KeLowerIrql(old);
  };
  expect({"nic: Irql_Miniport_Driver_Function"});
  run([&] { nic.load(); });
  run([&] { nic.unload(); });
  EXPECT_THAT(last_violation_text(), HasSubstr("NdisMDeregisterMiniportDriver was called at IRQL 2"));
}

// LIFE-024
TEST_F(DeregisteringAMiniportDriver, IsThereForADriverOfNdis60) {
  EXPECT_EQ(miniport_deregistration_of_60(), reinterpret_cast<Function*>(&NdisMDeregisterMiniportDriver));
  EXPECT_TRUE(is_exported("NdisMDeregisterMiniportDriver", &NdisMDeregisterMiniportDriver));

  FakeDriver nic(world, "nic");
  nic.entry = [&]() -> NTSTATUS {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c = FakeDriver::miniport6_characteristics();
    c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    c.MinorNdisVersion = 0;
    return NdisMRegisterMiniportDriver(nic.driver().object(), nic.driver().registry_path(), &nic, &c,
                                       &nic.miniport);
  };
  nic.unload_routine = [&] { NdisMDeregisterMiniportDriver(nic.miniport); };
  run([&] { EXPECT_EQ(nic.load(), STATUS_SUCCESS); });
  EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
  run([&] { nic.unload(); });
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

}  // namespace
}  // namespace undis::test
