// SPDX-License-Identifier: MIT
//
// Page: ndis/nf-ndis-ndisderegisterprotocol (LIFE-025 .. LIFE-046; the schedules and the system shutdown in
// files of their own)
#include <set>
#include <type_traits>

#include "registration_test.h"
#include "versions.h"

namespace undis::test {
namespace {

using lab::FakeBinding;
using lab::FakeDriver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeregisteringAProtocol : public NdisTest {
 protected:
  DeregisteringAProtocol() : nic(world), ip(world, "ip") { ip.be_protocol5(); }

  /// Adapters "nic0" ... and the protocol bound to each.
  void bind_to(unsigned adapters) {
    run([&] {
      for (unsigned i = 0; i < adapters; ++i) nic.plug("nic" + std::to_string(i));
      EXPECT_EQ(ip.load(), STATUS_SUCCESS);
    });
    EXPECT_EQ(ip.bindings.size(), adapters);
  }
  void unload_all() {
    run([&] {
      if (ip.driver().phase() == kernel::DriverPhase::Loaded) ip.unload();
      if (nic.driver().phase() == kernel::DriverPhase::Loaded) nic.unload();
    });
    expect_no_complaints(ip);
    expect_no_complaints(nic);
  }

  Card nic;
  FakeDriver ip;
};

// LIFE-025
TEST_F(DeregisteringAProtocol, ReturnsEverythingNdisKept) {
  const HeapUse heap = ndis_heap();
  const std::size_t handles = world.library().handles().open_count();
  bind_to(0);
  EXPECT_EQ(protocols(world), Lines{"ip"});
  EXPECT_GT(ndis_heap().blocks, heap.blocks);
  EXPECT_EQ(world.library().handles().open_count(), handles + 1);

  run([&] { ip.unload(); });
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_TRUE(ndis_heap() == heap);
  EXPECT_EQ(world.library().handles().open_count(), handles);
}

// LIFE-025, LIFE-043
TEST_F(DeregisteringAProtocol, ReturnsWhatNdisKeptForItsBindingsAndFilters) {
  run([&] {
    nic.plug("nic0");
    nic.plug("nic1");
  });
  const HeapUse heap = ndis_heap();
  const std::size_t handles = world.library().handles().open_count();
  ip.after_open = [](FakeBinding& binding) {
    ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
    return set(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  };
  run([&] { ip.load(); });
  EXPECT_GE(ndis_heap().blocks, heap.blocks + 3);  // the protocol and two bindings

  run([&] { ip.unload(); });
  EXPECT_TRUE(ndis_heap() == heap);
  EXPECT_EQ(world.library().handles().open_count(), handles);
  EXPECT_TRUE(world.adapter("nic0")->bindings().empty());
  unload_all();
}

// LIFE-026
TEST_F(DeregisteringAProtocol, SetsStatusToSuccessWhateverIsBound) {
  for (const unsigned adapters : {0U, 1U, 3U}) {
    SCOPED_TRACE(adapters);
    FakeDriver protocol(world, "protocol" + std::to_string(adapters));
    protocol.be_protocol5();
    NDIS_STATUS status = kGarbage;
    protocol.unload_routine = [&] { NdisDeregisterProtocol(&status, protocol.protocol); };
    run([&] {
      for (unsigned i = 0; i < adapters; ++i) nic.plug("nic" + std::to_string(i));
      protocol.load();
    });
    EXPECT_EQ(protocol.bindings.size(), adapters);
    run([&] { protocol.unload(); });
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    run([&] {
      for (unsigned i = 0; i < adapters; ++i) nic.unplug("nic" + std::to_string(i));
    });
  }
  unload_all();
}

// LIFE-026
TEST_F(DeregisteringAProtocol, SetsStatusToSuccessForAWrongHandleToo) {
  NDIS_STATUS status = kGarbage;
  ip.entry = [&]() -> NTSTATUS {
    NdisDeregisterProtocol(&status, nullptr);
    return STATUS_UNSUCCESSFUL;
  };
  expect({"ip: LIFE-029"});
  run([&] { ip.load(); });
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
}

// LIFE-027, LIFE-046
TEST_F(DeregisteringAProtocol, TakesStatusAndHandleAndReturnsNothing) {
  static_assert(std::is_same_v<decltype(NdisDeregisterProtocol), VOID(PNDIS_STATUS, NDIS_HANDLE)>);
  EXPECT_TRUE(is_exported("NdisDeregisterProtocol", &NdisDeregisterProtocol));
  EXPECT_EQ(protocol_deregistration_of_51(), reinterpret_cast<Function*>(&NdisDeregisterProtocol));
}

// LIFE-028
TEST_F(DeregisteringAProtocol, IsReportedForAnyOtherHandleAndTouchesNoProtocol) {
  FakeDriver im(world, "im");
  im.be_intermediate5();
  int no_handle = 0;
  const auto release = im.unload_routine;
  im.unload_routine = [&] {
    const NDIS_HANDLE adapter = world.adapter("nic0")->handle();
    const NDIS_HANDLE binding = ip.binding("nic0")->handle;
    for (const NDIS_HANDLE wrong : {im.wrapper, im.miniport, adapter, binding,
                                    static_cast<NDIS_HANDLE>(&no_handle), NDIS_HANDLE{nullptr}}) {
      NDIS_STATUS status = kGarbage;
      NdisDeregisterProtocol(&status, wrong);
      EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
      EXPECT_EQ(protocols(world), (Lines{"ip", "im"}));
    }
    release();
    NDIS_STATUS status = kGarbage;
    NdisDeregisterProtocol(&status, im.protocol);  // stale by now
    EXPECT_EQ(protocols(world), Lines{"ip"});
  };
  bind_to(1);
  run([&] { im.load(); });
  run([&] { im.unload(); });
  EXPECT_EQ(ip.binding("nic0")->unbinds, 0U);
  EXPECT_EQ(world.adapter("nic0")->state(), AdapterState::Running);

  expect({"im: LIFE-028"});
  EXPECT_THAT(breaches(world, "LIFE-028"),
              ElementsAre(HasSubstr("wrapper handle, expected"),
                          HasSubstr("is a layered miniport driver handle"),
                          HasSubstr("is a miniport adapter handle"), HasSubstr("is a binding handle"),
                          HasSubstr("is no NDIS handle"), HasSubstr("NULL"),
                          HasSubstr("was a protocol handle (5.x) and is closed")));
  unload_all();
}

// LIFE-029
TEST_F(DeregisteringAProtocol, IsReportedWhenItWasNeverRegistered) {
  FakeDriver stranger(world, "stranger");
  stranger.entry = [&]() -> NTSTATUS {
    NDIS50_PROTOCOL_CHARACTERISTICS c =
        FakeDriver::protocol5_characteristics(stranger.driver().registry_path());
    c.BindAdapterHandler = nullptr;
    NDIS_STATUS status = kGarbage;
    NdisRegisterProtocol(&status, &stranger.protocol, &c, sizeof(c));
    EXPECT_EQ(status, NDIS_STATUS_BAD_CHARACTERISTICS);
    stranger.deregister_protocol5();
    return status;
  };
  expect({"stranger: LIFE-029"});
  run([&] {
    ip.load();
    stranger.load();
  });
  EXPECT_EQ(protocols(world), Lines{"ip"});
  unload_all();
}

// LIFE-030, LIFE-039
TEST_F(DeregisteringAProtocol, UnbindsNothingWhenThereIsNoAdapter) {
  bind_to(0);
  run([&] { ip.unload(); });
  EXPECT_EQ(ip.calls, Lines{"Unload"});
  EXPECT_EQ(protocols(world), Lines{});
}

// LIFE-030, LIFE-039
TEST_F(DeregisteringAProtocol, IsDoneByADriverEntryThatFindsNothingToBindTo) {
  world.library().policy.binds = [](const ProtocolDriver&, const Adapter&) { return false; };
  ip.entry = [&]() -> NTSTATUS {
    EXPECT_EQ(ip.register_protocol5("ip"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(ip.deregister_protocol5(), NDIS_STATUS_SUCCESS);
    return STATUS_UNSUCCESSFUL;
  };
  run([&] {
    nic.plug("nic0");
    EXPECT_EQ(ip.load(), STATUS_UNSUCCESSFUL);
  });
  EXPECT_EQ(ip.calls, Lines{});
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-030
TEST_F(DeregisteringAProtocol, IsReportedAsMissingAfterTheUnloadOfAProtocolThatNeverBound) {
  ip.unload_routine = {};
  expect({"ip: LIFE-030"});
  bind_to(0);
  run([&] { ip.unload(); });
  EXPECT_EQ(protocols(world), Lines{});
}

// LIFE-031, LIFE-032, LIFE-038, LIFE-040
TEST_F(DeregisteringAProtocol, InTheUnloadRoutineUnbindsAndReturns) {
  const auto release = ip.unload_routine;
  ip.unload_routine = [&] {
    release();
    EXPECT_TRUE(world.adapter("nic0")->bindings().empty());
    EXPECT_EQ(protocols(world), Lines{});
    ip.note("returned");
  };
  bind_to(1);
  ip.calls.clear();
  run([&] { ip.unload(); });
  EXPECT_EQ(ip.calls, (Lines{"Unload", "ProtocolUnbindAdapter nic0", "returned"}));
  expect_trace(world, {"> ip!DriverUnload", "  ip calls NdisDeregisterProtocol", "> ip!ProtocolUnbindAdapter",
                       "  ip calls NdisCloseAdapter", "< ip!ProtocolUnbindAdapter",
                       "protocol handle (5.x) ip: undone by NdisDeregisterProtocol", "< ip!DriverUnload"});
  unload_all();
}

// LIFE-031
TEST_F(DeregisteringAProtocol, IsReportedAsMissingAfterTheUnloadOfAProtocolThatWasBound) {
  ip.unload_routine = {};
  expect({"ip: LIFE-031"});
  bind_to(1);
  run([&] { ip.unload(); });
  EXPECT_EQ(ip.binding("nic0")->unbinds, 1U);
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-031
TEST_F(DeregisteringAProtocol, IsReportedOnNoOccasionOfThePage) {
  ip.after_open = [&](FakeBinding&) {
    EXPECT_EQ(ip.deregister_protocol5(), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  };
  ip.unload_routine = {};
  expect({"ip: LIFE-031"});
  bind_to(1);
  EXPECT_EQ(ip.binding("nic0")->unbinds, 1U);  // what the bind then opened has been given back
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-033, LIFE-034
TEST_F(DeregisteringAProtocol, InTheUnbindOfTheLastBindingReturns) {
  ip.on_unbind = [&](FakeBinding& binding) {
    FakeDriver::close_and_wait(binding);
    EXPECT_EQ(ip.deregister_protocol5(), NDIS_STATUS_SUCCESS);
    ip.note("returned");
    return NDIS_STATUS_SUCCESS;
  };
  ip.unload_routine = {};
  bind_to(1);
  ip.calls.clear();
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(ip.calls, (Lines{"ProtocolUnbindAdapter nic0", "returned"}));
  expect_trace(world, {"> ip!ProtocolUnbindAdapter", "  ip calls NdisCloseAdapter",
                       "  ip calls NdisDeregisterProtocol",
                       "protocol handle (5.x) ip: undone by NdisDeregisterProtocol",
                       "< ip!ProtocolUnbindAdapter", "ip on nic0 UnbindComplete: Closing -> Unbound"});
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-034, LIFE-041
TEST_F(DeregisteringAProtocol, InTheLastUnbindBeforeItsCloseReleasesWhenTheUnbindIsOver) {
  ip.on_unbind = [&](FakeBinding& binding) {
    EXPECT_EQ(ip.deregister_protocol5(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(protocols(world), Lines{"ip"});  // its open is still there
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  ip.unload_routine = {};
  bind_to(1);
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(ip.binding("nic0")->unbinds, 1U);
  expect_trace(world, {"> ip!ProtocolUnbindAdapter", "  ip calls NdisDeregisterProtocol",
                       "  ip calls NdisCloseAdapter", "< ip!ProtocolUnbindAdapter",
                       "ip on nic0 UnbindComplete: Closing -> Unbound",
                       "protocol handle (5.x) ip: undone by NdisDeregisterProtocol"});
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-033
TEST_F(DeregisteringAProtocol, IsReportedInTheUnbindOfABindingThatIsNotTheLast) {
  ip.on_unbind = [&](FakeBinding& binding) {
    FakeDriver::close_and_wait(binding);
    if (binding.adapter == "nic0") ip.deregister_protocol5();
    return NDIS_STATUS_SUCCESS;
  };
  ip.unload_routine = {};
  expect({"ip: LIFE-033"});
  bind_to(3);
  run([&] { nic.unplug("nic0"); });
  for (const char* const adapter : {"nic0", "nic1", "nic2"})
    EXPECT_EQ(ip.binding(adapter)->unbinds, 1U) << adapter;
  EXPECT_THAT(last_violation_text(), HasSubstr("2 other bindings are open"));
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_EQ(world.adapter("nic1")->state(), AdapterState::Running);
  unload_all();
}

// LIFE-038
TEST_F(DeregisteringAProtocol, UnbindsEachOpenBindingOnce) {
  std::set<FakeBinding*> contexts;
  ip.on_unbind = [&](FakeBinding& binding) {
    EXPECT_TRUE(contexts.insert(&binding).second);
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  bind_to(3);
  ip.calls.clear();
  run([&] { ip.unload(); });
  EXPECT_EQ(contexts.size(), 3U);
  EXPECT_EQ(ip.calls, (Lines{"Unload", "ProtocolUnbindAdapter nic0", "ProtocolUnbindAdapter nic1",
                             "ProtocolUnbindAdapter nic2"}));
  for (const FakeBinding& binding : ip.bindings) EXPECT_EQ(binding.unbinds, 1U) << binding.adapter;
  unload_all();
}

// LIFE-038, LIFE-039
TEST_F(DeregisteringAProtocol, DoesNotUnbindWhatIsGoneOrNeverOpened) {
  ip.after_open = [](FakeBinding& binding) {
    return binding.adapter == "nic2" ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
  };
  bind_to(3);
  run([&] { nic.unplug("nic0"); });
  EXPECT_EQ(ip.count("ProtocolUnbindAdapter"), 1U);
  ip.calls.clear();
  run([&] { ip.unload(); });
  EXPECT_EQ(ip.calls, (Lines{"Unload", "ProtocolUnbindAdapter nic1"}));
  unload_all();
}

// LIFE-040
TEST_F(DeregisteringAProtocol, IsFollowedByOneCloseForEachUnbind) {
  bind_to(2);
  run([&] { ip.unload(); });
  expect_trace(world,
               {"  ip calls NdisDeregisterProtocol", "> ip!ProtocolUnbindAdapter",
                "  ip calls NdisCloseAdapter", "< ip!ProtocolUnbindAdapter", "> ip!ProtocolUnbindAdapter",
                "  ip calls NdisCloseAdapter", "< ip!ProtocolUnbindAdapter"});
  unload_all();
}

// LIFE-040
TEST_F(DeregisteringAProtocol, IsReportedWhenTheUnbindLeavesTheAdapterOpen) {
  ip.on_unbind = [](FakeBinding& binding) {
    if (binding.adapter == "nic1") FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  expect({"ip: LIFE-040"});
  bind_to(2);
  run([&] { ip.unload(); });
  ASSERT_EQ(violations().size(), 1U);
  EXPECT_EQ(world.verifier().violations()[0].object, "ip on nic0");
  EXPECT_TRUE(world.adapter("nic0")->bindings().empty());
  EXPECT_EQ(protocols(world), Lines{});
  unload_all();
}

// LIFE-044
TEST_F(DeregisteringAProtocol, IsReportedAboveIrqlPassive) {
  ip.unload_routine = [&] {
    KIRQL old = PASSIVE_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    ip.deregister_protocol5();
    KeLowerIrql(old);
  };
  expect({"ip: LIFE-044"});
  bind_to(0);
  run([&] { ip.unload(); });
  EXPECT_EQ(protocols(world), Lines{});
}

// LIFE-045
TEST_F(DeregisteringAProtocol, IsRejectedForAnNdis6Protocol) {
  FakeDriver tcp(world, "tcp");
  tcp.be_protocol6();
  tcp.unload_routine = [&] {
    NDIS_STATUS status = kGarbage;
    NdisDeregisterProtocol(&status, tcp.protocol);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(protocols(world), Lines{"tcp"});
    EXPECT_EQ(tcp.count("ProtocolUnbindAdapterEx"), 0U);
    NdisDeregisterProtocolDriver(tcp.protocol);
    EXPECT_EQ(tcp.count("ProtocolUnbindAdapterEx"), 1U);
  };
  expect({"tcp: LIFE-045"});
  run([&] {
    nic.plug("nic0");
    tcp.load();
  });
  run([&] { tcp.unload(); });
  unload_all();
}

// LIFE-046
TEST_F(DeregisteringAProtocol, LeavesNdis6AdaptersAndProtocolsRunning) {
  FakeDriver tcp(world, "tcp");
  tcp.be_protocol6();
  bind_to(1);
  run([&] { tcp.load(); });
  ASSERT_EQ(world.adapter("nic0")->bindings().size(), 2U);
  ASSERT_TRUE(world.adapter("nic0")->is_version6());

  run([&] { ip.unload(); });
  EXPECT_EQ(protocols(world), Lines{"tcp"});
  EXPECT_EQ(tcp.binding("nic0")->unbinds, 0U);
  EXPECT_TRUE(tcp.binding("nic0")->running);
  const std::vector<Ref<Binding>> left = world.adapter("nic0")->bindings();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]->state(), BindingState::Running);
  EXPECT_EQ(world.adapter("nic0")->state(), AdapterState::Running);
  run([&] { tcp.unload(); });
  expect_no_complaints(tcp);
  unload_all();
}

}  // namespace
}  // namespace undis::test
