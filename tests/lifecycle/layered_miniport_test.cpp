// SPDX-License-Identifier: MIT
//
// Page: ndis/nf-ndis-ndisimderegisterlayeredminiport (LIFE-001 .. LIFE-014)
#include <type_traits>

#include "registration_test.h"
#include "versions.h"

#ifdef NdisIMDeregisterLayeredMiniport
#error "NdisIMDeregisterLayeredMiniport is a function, no macro"
#endif

namespace undis::test {
namespace {

using lab::FakeDriver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeregisteringALayeredMiniport : public NdisTest {
 protected:
  /// The driver's unbind of its last binding, as the page describes it: first the protocol half, then the
  /// miniport half.
  static NDIS_STATUS release_all(FakeDriver& im, lab::FakeBinding& binding) {
    im.deinitialize_instance(FakeDriver::instance_name(im, binding));
    FakeDriver::close_and_wait(binding);
    EXPECT_EQ(im.deregister_protocol5(), NDIS_STATUS_SUCCESS);
    NdisIMDeregisterLayeredMiniport(im.miniport);
    im.note("released all");
    return NDIS_STATUS_SUCCESS;
  }
};

// LIFE-001
TEST_F(DeregisteringALayeredMiniport, ReturnsEverythingNdisKept) {
  FakeDriver im(world, "im");
  im.entry = [&]() -> NTSTATUS {
    im.initialize_wrapper();
    const HeapUse heap = ndis_heap();
    const std::size_t handles = world.library().handles().open_count();
    EXPECT_EQ(im.register_layered5(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(miniport_drivers(world), Lines{"im (layered miniport)"});
    EXPECT_GT(ndis_heap().blocks, heap.blocks);

    NdisIMDeregisterLayeredMiniport(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{});
    EXPECT_TRUE(ndis_heap() == heap);
    EXPECT_EQ(world.library().handles().open_count(), handles);
    NdisTerminateWrapper(im.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  };
  run([&] { EXPECT_EQ(im.load(), STATUS_UNSUCCESSFUL); });
}

// LIFE-001, LIFE-003, LIFE-006
TEST_F(DeregisteringALayeredMiniport, ReturnsEverythingAfterALifeWithAdapters) {
  Card nic(world);
  FakeDriver im(world, "im");
  im.be_intermediate5();
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  const HeapUse heap = ndis_heap();
  run([&] { EXPECT_EQ(im.load(), STATUS_SUCCESS); });
  EXPECT_TRUE(world.adapter("im-nic0") && world.adapter("im-nic1"));
  EXPECT_GT(ndis_heap().blocks, heap.blocks);

  run([&] { EXPECT_TRUE(im.unload()); });
  EXPECT_TRUE(ndis_heap() == heap);
  EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
  EXPECT_EQ(times_traced(world, "layered miniport driver handle (5.x) im (layered miniport): made by "
                                "NdisIMRegisterLayeredMiniport"),
            1);
  EXPECT_EQ(times_traced(world, "layered miniport driver handle (5.x) im (layered miniport): undone by "
                                "NdisIMDeregisterLayeredMiniport"),
            1);
  expect_no_complaints(im);
  run([&] { nic.unload(); });
}

// LIFE-002
TEST_F(DeregisteringALayeredMiniport, IsReportedForAnyOtherHandleAndTouchesNoRegistration) {
  Card nic(world);
  FakeDriver other(world, "other");
  other.be_intermediate5();
  FakeDriver im(world, "im");
  im.be_intermediate5();
  const auto enter = im.entry;
  int no_handle = 0;
  im.entry = [&] {
    EXPECT_EQ(enter(), STATUS_SUCCESS);
    const NDIS_HANDLE adapter = world.adapter("nic0")->handle();
    for (const NDIS_HANDLE wrong :
         {im.wrapper, im.protocol, adapter, static_cast<NDIS_HANDLE>(&no_handle), NDIS_HANDLE{nullptr}}) {
      NdisIMDeregisterLayeredMiniport(wrong);
      EXPECT_EQ(miniport_drivers(world),
                (Lines{"nic (miniport)", "other (layered miniport)", "im (layered miniport)"}));
      EXPECT_EQ(protocols(world), (Lines{"other", "im"}));
    }
    return STATUS_SUCCESS;
  };
  world.library().policy.binds = [](const ProtocolDriver&, const Adapter&) { return false; };
  run([&] {
    nic.plug("nic0");
    other.load();
    EXPECT_EQ(im.load(), STATUS_SUCCESS);
  });
  EXPECT_EQ(world.adapter("nic0")->state(), AdapterState::Running);

  expect({"im: LIFE-002"});
  EXPECT_THAT(breaches(world, "LIFE-002"),
              ElementsAre(HasSubstr("wrapper handle, expected"), HasSubstr("is a protocol handle"),
                          HasSubstr("is a miniport adapter handle"), HasSubstr("is no NDIS handle"),
                          HasSubstr("NULL")));
  run([&] {
    im.unload();
    other.unload();
    nic.unload();
  });
}

// LIFE-002
TEST_F(DeregisteringALayeredMiniport, IsReportedForTheStaleHandleOfAnotherKind) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.unload_routine = [&] {
    im.deregister_protocol5();
    NdisIMDeregisterLayeredMiniport(im.protocol);
    EXPECT_EQ(miniport_drivers(world), Lines{"im (layered miniport)"});
    NdisIMDeregisterLayeredMiniport(im.miniport);
  };
  expect({"im: LIFE-002"});
  run([&] { im.load(); });
  run([&] { im.unload(); });
  EXPECT_THAT(breaches(world, "LIFE-002"),
              ElementsAre(HasSubstr("was a protocol handle (5.x) and is closed")));
}

// LIFE-003
TEST_F(DeregisteringALayeredMiniport, IsReportedAsMissingAfterTheUnload) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.unload_routine = [&] { im.deregister_protocol5(); };
  expect({"im: LIFE-003"});
  const HeapUse heap = ndis_heap();
  run([&] { im.load(); });
  run([&] { im.unload(); });
  ASSERT_EQ(violations().size(), 1U);
  EXPECT_EQ(world.verifier().violations()[0].object, "im (layered miniport)");
  EXPECT_GT(world.verifier().violations()[0].origin.count, 0U);
  EXPECT_EQ(miniport_drivers(world), Lines{});  // NDIS takes it back, so that the run goes on
  EXPECT_TRUE(ndis_heap() == heap);
}

// LIFE-004
TEST_F(DeregisteringALayeredMiniport, IsReportedAsMissingWhenDriverEntryFails) {
  FakeDriver im(world, "im");
  im.entry = [&]() -> NTSTATUS {
    im.initialize_wrapper();
    EXPECT_EQ(im.register_layered5(), NDIS_STATUS_SUCCESS);
    NdisTerminateWrapper(im.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  };
  expect({"im: LIFE-004"});
  run([&] { EXPECT_EQ(im.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-004
TEST_F(DeregisteringALayeredMiniport, LeavesNothingWhenAFailingDriverEntryCallsIt) {
  const HeapUse heap = ndis_heap();
  FakeDriver im(world, "im");
  im.entry = [&]() -> NTSTATUS {
    im.initialize_wrapper();
    EXPECT_EQ(im.register_layered5(), NDIS_STATUS_SUCCESS);
    NdisIMDeregisterLayeredMiniport(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{});
    NdisTerminateWrapper(im.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  };
  run([&] { EXPECT_EQ(im.load(), STATUS_UNSUCCESSFUL); });
  EXPECT_TRUE(ndis_heap() == heap);
  EXPECT_EQ(im.count("Unload"), 0U);
}

// LIFE-006
TEST_F(DeregisteringALayeredMiniport, IsReportedWhenCalledTwiceForOneRegistration) {
  FakeDriver other(world, "other");
  other.be_intermediate5();
  FakeDriver im(world, "im");
  im.be_intermediate5();
  const auto release = im.unload_routine;
  im.unload_routine = [&] {
    release();
    EXPECT_EQ(miniport_drivers(world), Lines{"other (layered miniport)"});
    NdisIMDeregisterLayeredMiniport(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{"other (layered miniport)"});
  };
  expect({"im: LIFE-006"});
  run([&] {
    other.load();
    im.load();
  });
  run([&] {
    im.unload();
    other.unload();
  });
}

// LIFE-007, LIFE-008, LIFE-009
TEST_F(DeregisteringALayeredMiniport, ReturnsInsideTheUnbindOfTheLastBinding) {
  Card nic(world);
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.on_unbind = [&](lab::FakeBinding& binding) { return release_all(im, binding); };
  im.unload_routine = {};
  run([&] {
    nic.plug("nic0");
    im.load();
  });
  ASSERT_TRUE(world.adapter("im-nic0"));

  run([&] { nic.unplug("nic0"); });
  expect_trace(world, {"> im!ProtocolUnbindAdapter", "  im calls NdisIMDeInitializeDeviceInstance",
                       "> im!MiniportHalt", "< im!MiniportHalt", "  im calls NdisCloseAdapter",
                       "  im calls NdisDeregisterProtocol", "  im calls NdisIMDeregisterLayeredMiniport",
                       "< im!ProtocolUnbindAdapter", "im on nic0 UnbindComplete: Closing -> Unbound",
                       "> nic!MiniportHaltEx", "< nic!MiniportHaltEx"});
  EXPECT_EQ(im.count("released all"), 1U);
  EXPECT_EQ(im.binding("nic0")->unbinds, 1U);
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
  expect_no_complaints(im);
  run([&] {
    im.unload();
    nic.unload();
  });
}

// LIFE-007
TEST_F(DeregisteringALayeredMiniport, HaltsTheVirtualMiniportThatTheUnbindLeftUp) {
  Card nic(world);
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.on_unbind = [&](lab::FakeBinding& binding) {
    FakeDriver::close_and_wait(binding);
    im.deregister_protocol5();
    NdisIMDeregisterLayeredMiniport(im.miniport);
    return NDIS_STATUS_SUCCESS;
  };
  im.unload_routine = {};
  run([&] {
    nic.plug("nic0");
    im.load();
  });
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(im.adapter("im-nic0")->halts, 1U);
  EXPECT_FALSE(world.adapter("im-nic0"));
  EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
  run([&] {
    im.unload();
    nic.unload();
  });
}

// LIFE-007, LIFE-009
TEST(DeregisteringALayeredMiniportUnderAnySchedule, CompletesInsideTheUnbindOfTheLastBinding) {
  unsigned pended = 0;
  under_schedules(300, [&](lab::World& world) {
    Card nic(world);
    FakeDriver im(world, "im");
    im.be_intermediate5();
    unsigned released = 0;
    im.on_unbind = [&](lab::FakeBinding& binding) {
      im.deinitialize_instance(FakeDriver::instance_name(im, binding));
      FakeDriver::close_and_wait(binding);
      EXPECT_EQ(im.deregister_protocol5(), NDIS_STATUS_SUCCESS);
      NdisIMDeregisterLayeredMiniport(im.miniport);
      ++released;
      return NDIS_STATUS_SUCCESS;
    };
    im.unload_routine = {};
    ASSERT_EQ(world.run("load",
                        [&] {
                          nic.plug("nic0");
                          im.load();
                        }),
              kernel::Outcome::Idle);
    ASSERT_EQ(world.run("unplug", [&] { nic.unplug("nic0"); }), kernel::Outcome::Idle);
    EXPECT_EQ(released, 1U);
    EXPECT_EQ(times_traced(world, "im on nic0 UnbindComplete: Closing -> Unbound"), 1);
    EXPECT_EQ(protocols(world), Lines{});
    EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});
    EXPECT_EQ(im.complaints, Lines{});
    pended += im.binding("nic0")->close_completes;
    ASSERT_EQ(world.run("unload",
                        [&] {
                          im.unload();
                          nic.unload();
                        }),
              kernel::Outcome::Idle);
  });
  EXPECT_GT(pended, 0U);  // else the schedules have not shown what they are for
}

// LIFE-008
TEST_F(DeregisteringALayeredMiniport, IsReportedWhileTheProtocolIsStillRegistered) {
  Card nic(world);
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.on_unbind = {};  // a plain close: nothing of the layered miniport is left then
  im.unload_routine = [&] {
    NdisIMDeregisterLayeredMiniport(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{"nic (miniport)"});  // reported, and done all the same
    im.deregister_protocol5();
  };
  expect({"im: LIFE-008"});
  run([&] {
    nic.plug("nic0");
    im.load();
  });
  run([&] { im.unload(); });
  EXPECT_THAT(last_violation_text(), HasSubstr("protocol im is still registered"));
  run([&] { nic.unload(); });
}

// LIFE-010
TEST_F(DeregisteringALayeredMiniport, IsReportedAboveIrqlPassive) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  im.unload_routine = [&] {
    im.deregister_protocol5();
    KIRQL old = PASSIVE_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NdisIMDeregisterLayeredMiniport(im.miniport);
    KeLowerIrql(old);
  };
  expect({"im: LIFE-010"});
  run([&] { im.load(); });
  run([&] { im.unload(); });
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

// LIFE-011
TEST_F(DeregisteringALayeredMiniport, IsRejectedForAnNdis6Driver) {
  FakeDriver im(world, "im");
  im.be_intermediate6();
  im.unload_routine = [&] {
    NdisDeregisterProtocolDriver(im.protocol);
    NdisIMDeregisterLayeredMiniport(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{"im (intermediate miniport)"});
    NdisMDeregisterMiniportDriver(im.miniport);
    EXPECT_EQ(miniport_drivers(world), Lines{});
  };
  expect({"im: LIFE-011"});
  run([&] { im.load(); });
  run([&] { im.unload(); });
}

// LIFE-012
TEST_F(DeregisteringALayeredMiniport, WorksNextToNdis6Drivers) {
  world.library().policy.binds = [](const ProtocolDriver&, const Adapter& adapter) {
    return !adapter.is_virtual();
  };
  Card nic(world);
  FakeDriver im5(world, "im5");
  im5.be_intermediate5();
  FakeDriver im6(world, "im6");
  im6.be_intermediate6();
  run([&] {
    nic.plug("nic0");
    im5.load();
    im6.load();
  });
  ASSERT_TRUE(world.adapter("im5-nic0") && world.adapter("im6-nic0"));

  run([&] { im5.unload(); });
  EXPECT_EQ(miniport_drivers(world), (Lines{"nic (miniport)", "im6 (intermediate miniport)"}));
  EXPECT_EQ(protocols(world), Lines{"im6"});
  EXPECT_FALSE(world.adapter("im5-nic0"));
  EXPECT_EQ(im5.adapter("im5-nic0")->halts, 1U);
  EXPECT_EQ(world.adapter("im6-nic0")->state(), AdapterState::Running);
  EXPECT_EQ(im6.binding("nic0")->unbinds, 0U);
  run([&] {
    im6.unload();
    nic.unload();
  });
  expect_no_complaints(im5);
  expect_no_complaints(im6);
}

// LIFE-012, LIFE-013
TEST_F(DeregisteringALayeredMiniport, TakesAHandleAndReturnsNothing) {
  static_assert(std::is_same_v<decltype(NdisIMDeregisterLayeredMiniport), VOID(NDIS_HANDLE)>);
  EXPECT_EQ(layered_deregistration_of_51(), reinterpret_cast<Function*>(&NdisIMDeregisterLayeredMiniport));
}

// LIFE-014
TEST_F(DeregisteringALayeredMiniport, IsAnExportedFunction) {
  EXPECT_TRUE(is_exported("NdisIMDeregisterLayeredMiniport", &NdisIMDeregisterLayeredMiniport));
}

// ---- a driver to which the machine refuses resources ----

constexpr ULONG kTag = lab::pool_tag("Test");

/// An intermediate driver whose DriverEntry also takes memory, and which cleans up after each failure, or
/// not.
class IntermediateWithMemory : public FakeDriver {
 public:
  IntermediateWithMemory(lab::World& world, bool cleans_up) : FakeDriver(world, "im") {
    be_intermediate5();
    const auto enter = entry;
    entry = [this, enter, cleans_up]() -> NTSTATUS {
      if (const NTSTATUS status = enter(); status != STATUS_SUCCESS) return status;
      if (NdisAllocateMemoryWithTag(&memory_, 64, kTag) == NDIS_STATUS_SUCCESS) return STATUS_SUCCESS;
      deregister_protocol5();
      if (cleans_up) NdisIMDeregisterLayeredMiniport(miniport);
      NdisTerminateWrapper(wrapper, nullptr);
      return STATUS_INSUFFICIENT_RESOURCES;
    };
    const auto release = unload_routine;
    unload_routine = [this, release] {
      release();
      NdisFreeMemory(memory_, 64, 0);
    };
  }

 private:
  void* memory_ = nullptr;
};

lab::WorldOptions failing(std::uint32_t fault) {
  lab::WorldOptions options;
  options.schedule = machine::Schedule(0, fault);
  return options;
}

// LIFE-005
TEST(ADriverEntryShortOfResources, LeavesNothingWhicheverRequestFails) {
  constexpr std::uint32_t kRequests = 4;  // wrapper, layered miniport, protocol, memory
  for (std::uint32_t fault = 1; fault <= kRequests + 1; ++fault) {
    SCOPED_TRACE(fault);
    lab::World world(failing(fault));
    const HeapUse heap = ndis_heap();
    IntermediateWithMemory im(world, true);
    NTSTATUS status = STATUS_SUCCESS;
    ASSERT_EQ(world.run("load", [&] { status = im.load(); }), kernel::Outcome::Idle);
    EXPECT_EQ(NT_SUCCESS(status), fault > kRequests);
    if (NT_SUCCESS(status)) {
      ASSERT_EQ(world.run("unload", [&] { im.unload(); }), kernel::Outcome::Idle);
    }
    EXPECT_EQ(miniport_drivers(world), Lines{});
    EXPECT_EQ(protocols(world), Lines{});
    EXPECT_EQ(world.library().handles().open_count(), 0U);
    EXPECT_TRUE(ndis_heap() == heap);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
  }
}

// LIFE-005
TEST(ADriverEntryShortOfResources, IsReportedWhenItLeavesTheLayeredMiniport) {
  constexpr std::uint32_t kMemory = 4;
  lab::World world(failing(kMemory));
  IntermediateWithMemory im(world, false);
  ASSERT_EQ(world.run("load", [&] { EXPECT_EQ(im.load(), STATUS_INSUFFICIENT_RESOURCES); }),
            kernel::Outcome::Idle);
  EXPECT_EQ(world.verifier().violation_lines(), Lines{"im: LIFE-005"});
  EXPECT_THAT(world.verifier().violations()[0].text, HasSubstr("after NdisAllocateMemoryWithTag failed"));
  EXPECT_EQ(miniport_drivers(world), Lines{});
}

}  // namespace
}  // namespace undis::test
