// SPDX-License-Identifier: MIT
//
// NdisDeregisterProtocol with closes that pend, filters that are set, and removals at the same time.
// Page: ndis/nf-ndis-ndisderegisterprotocol (LIFE-034, LIFE-038, LIFE-041 .. LIFE-043)
#include "registration_test.h"

namespace undis::test {
namespace {

using lab::FakeBinding;
using lab::FakeDriver;

// LIFE-041
TEST(DeregisteringAProtocolWithAPendedClose, ReleasesNothingBeforeTheCloseIsComplete) {
  // The close pends because a request of the binding is still with the miniport.
  lab::WorldOptions options;
  options.evidence = verifier::Evidence::Whole;
  lab::World world(options);
  Card nic(world, Card::Version::Ndis51);
  nic.on_request = [](lab::FakeAdapter&, NDIS_OID oid, bool) {
    return oid == OID_GEN_VENDOR_ID ? NDIS_STATUS_PENDING : NDIS_STATUS_NOT_SUPPORTED;
  };
  FakeDriver ip(world, "ip");
  ip.be_protocol5();
  ip.on_unbind = [](FakeBinding& binding) {
    NDIS_STATUS status = kGarbage;
    binding.open = false;
    NdisCloseAdapter(&status, binding.handle);
    EXPECT_EQ(status, NDIS_STATUS_PENDING);
    return NDIS_STATUS_SUCCESS;  // the driver does not wait; NDIS has to
  };
  const auto release = ip.unload_routine;
  ip.unload_routine = [&] {
    release();
    ip.note("returned");
  };
  ASSERT_EQ(world.run("load",
                      [&] {
                        nic.plug("nic0");
                        ip.load();
                      }),
            kernel::Outcome::Idle);
  const HeapUse bound = ndis_heap();
  ip.calls.clear();

  NDIS_REQUEST query{};
  ULONG vendor = 0;
  query.RequestType = NdisRequestQueryInformation;
  query.DATA.QUERY_INFORMATION.Oid = OID_GEN_VENDOR_ID;
  query.DATA.QUERY_INFORMATION.InformationBuffer = &vendor;
  query.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(vendor);
  ASSERT_EQ(world.run("unload",
                      [&] {
                        EXPECT_EQ(request(*ip.binding("nic0"), query), NDIS_STATUS_PENDING);
                        kernel::queue_work("the card answers", [&] {
                          // The unload waits by now.
                          EXPECT_EQ(ip.calls, (Lines{"Unload", "ProtocolUnbindAdapter nic0"}));
                          EXPECT_EQ(protocols(world), Lines{"ip"});
                          EXPECT_GE(ndis_heap().blocks, bound.blocks);
                          NdisMQueryInformationComplete(nic.adapter("nic0")->handle, NDIS_STATUS_SUCCESS);
                        });
                        ip.unload();
                      }),
            kernel::Outcome::Idle);
  EXPECT_EQ(ip.calls, (Lines{"Unload", "ProtocolUnbindAdapter nic0", "ProtocolRequestComplete nic0",
                             "ProtocolCloseAdapterComplete nic0", "returned"}));
  expect_trace(world, {"> ip!ProtocolCloseAdapterComplete", "< ip!ProtocolCloseAdapterComplete",
                       "protocol handle (5.x) ip: undone by NdisDeregisterProtocol"});
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_LT(ndis_heap().blocks, bound.blocks);
  ASSERT_EQ(world.run("unload", [&] { nic.unload(); }), kernel::Outcome::Idle);
  EXPECT_EQ(world.verifier().violation_lines(), Lines{});
}

// LIFE-034, LIFE-038, LIFE-041, LIFE-043
TEST(DeregisteringAProtocolUnderAnySchedule, UnbindsOnceAndReleasesAfterTheLastClose) {
  unsigned pended = 0;
  unsigned at_once = 0;
  under_schedules(300, [&](lab::World& world) {
    Card nic(world);
    FakeDriver ip(world, "ip");
    ip.be_protocol5();
    ip.on_unbind = [](FakeBinding& binding) {
      NDIS_STATUS status = kGarbage;
      binding.open = false;
      NdisCloseAdapter(&status, binding.handle);
      EXPECT_TRUE(status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_PENDING);
      return NDIS_STATUS_SUCCESS;
    };
    const auto release = ip.unload_routine;
    ip.unload_routine = [&] {
      release();
      EXPECT_EQ(protocols(world), Lines{});
      ip.note("returned");
    };
    ASSERT_EQ(world.run("load",
                        [&] {
                          nic.plug("nic0");
                          nic.plug("nic1");
                        }),
              kernel::Outcome::Idle);
    const HeapUse heap = ndis_heap();
    ASSERT_EQ(world.run("load", [&] { ip.load(); }), kernel::Outcome::Idle);
    ASSERT_EQ(ip.bindings.size(), 2U);
    ASSERT_EQ(world.run("unload", [&] { ip.unload(); }), kernel::Outcome::Idle);

    EXPECT_EQ(ip.calls.back(), "returned");
    Lines closes_and_release = world.verifier().trace();
    std::erase_if(closes_and_release, [](const std::string& line) {
      return line != "< ip!ProtocolCloseAdapterComplete" &&
             line != "protocol handle (5.x) ip: undone by NdisDeregisterProtocol";
    });
    EXPECT_EQ(closes_and_release.back(), "protocol handle (5.x) ip: undone by NdisDeregisterProtocol");
    for (const FakeBinding& binding : ip.bindings) {
      EXPECT_EQ(binding.unbinds, 1U);
      binding.close_completes == 0 ? ++at_once : ++pended;
    }
    EXPECT_EQ(ip.complaints, Lines{});
    EXPECT_TRUE(ndis_heap() == heap);
    ASSERT_EQ(world.run("unload", [&] { nic.unload(); }), kernel::Outcome::Idle);
  });
  EXPECT_GT(pended, 0U);
  EXPECT_GT(at_once, 0U);
}

// LIFE-034
TEST(DeregisteringAProtocolUnderAnySchedule, ReturnsInsideTheLastUnbindBeforeAndAfterTheClose) {
  for (const bool close_first : {true, false}) {
    SCOPED_TRACE(close_first ? "closed first" : "deregistered first");
    under_schedules(200, [&](lab::World& world) {
      Card nic(world);
      FakeDriver ip(world, "ip");
      ip.be_protocol5();
      ip.on_unbind = [&](FakeBinding& binding) {
        if (close_first) FakeDriver::close_and_wait(binding);
        EXPECT_EQ(ip.deregister_protocol5(), NDIS_STATUS_SUCCESS);
        ip.note("returned");
        FakeDriver::close_and_wait(binding);
        return NDIS_STATUS_SUCCESS;
      };
      ip.unload_routine = {};
      ASSERT_EQ(world.run("load",
                          [&] {
                            nic.plug("nic0");
                            ip.load();
                          }),
                kernel::Outcome::Idle);
      ASSERT_EQ(world.run("unplug", [&] { nic.unplug("nic0"); }), kernel::Outcome::Idle);
      EXPECT_EQ(ip.count("returned"), 1U);
      EXPECT_EQ(ip.binding("nic0")->unbinds, 1U);
      EXPECT_EQ(protocols(world), Lines{});
      EXPECT_EQ(ip.complaints, Lines{});
      ASSERT_EQ(world.run("unload",
                          [&] {
                            ip.unload();
                            nic.unload();
                          }),
                kernel::Outcome::Idle);
    });
  }
}

// LIFE-034, LIFE-038
TEST(DeregisteringAProtocolUnderAnySchedule, MeetsARemovalOfTheAdapterAtTheSameTime) {
  under_schedules(300, [](lab::World& world) {
    Card nic(world);
    FakeDriver ip(world, "ip");
    ip.be_protocol5();
    ASSERT_EQ(world.run("load",
                        [&] {
                          nic.plug("nic0");
                          nic.plug("nic1");
                          ip.load();
                        }),
              kernel::Outcome::Idle);
    world.system().spawn("unplug", [&] { nic.unplug("nic0"); });
    ASSERT_EQ(world.run("unload", [&] { ip.unload(); }), kernel::Outcome::Idle);
    for (const FakeBinding& binding : ip.bindings) EXPECT_EQ(binding.unbinds, 1U) << binding.adapter;
    EXPECT_EQ(nic.adapter("nic0")->halts, 1U);
    EXPECT_EQ(protocols(world), Lines{});
    EXPECT_EQ(ip.complaints, Lines{});
    EXPECT_EQ(nic.complaints, Lines{});
    ASSERT_EQ(world.run("unload", [&] { nic.unload(); }), kernel::Outcome::Idle);
  });
}

// LIFE-042
TEST(DeregisteringAProtocolWithFilters, ReleasesItsPartOfTheAdaptersFilters) {
  lab::World world;
  Card nic(world, Card::Version::Ndis51);
  FakeDriver ip(world, "ip");
  ip.be_protocol5();
  ip.after_open = [](FakeBinding& binding) {
    ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST;
    UCHAR groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {1, 0, 0x5e, 0, 0, 2}};
    EXPECT_EQ(set(binding, OID_802_3_MULTICAST_LIST, groups, sizeof(groups)), NDIS_STATUS_SUCCESS);
    return set(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  };
  FakeDriver other(world, "other");
  other.be_protocol5();
  other.after_open = [](FakeBinding& binding) {
    ULONG filter = NDIS_PACKET_TYPE_BROADCAST;
    UCHAR group[6] = {1, 0, 0x5e, 0, 0, 3};
    EXPECT_EQ(set(binding, OID_802_3_MULTICAST_LIST, group, sizeof(group)), NDIS_STATUS_SUCCESS);
    return set(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  };
  ASSERT_EQ(world.run("load",
                      [&] {
                        nic.plug("nic0");
                        ip.load();
                        other.load();
                      }),
            kernel::Outcome::Idle);
  const Ref<Adapter> adapter = world.adapter("nic0");
  EXPECT_EQ(adapter->merged_filter(),
            static_cast<ULONG>(NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                               NDIS_PACKET_TYPE_BROADCAST));
  EXPECT_EQ(adapter->merged_multicast().size(), 3U * 6U);
  EXPECT_EQ(nic.count("filter nic0 0xb"), 1U);
  EXPECT_EQ(nic.count("multicast nic0 3"), 1U);
  nic.calls.clear();

  ASSERT_EQ(world.run("unload", [&] { ip.unload(); }), kernel::Outcome::Idle);
  EXPECT_EQ(adapter->merged_filter(), static_cast<ULONG>(NDIS_PACKET_TYPE_BROADCAST));
  EXPECT_EQ(adapter->merged_multicast(), (std::vector<std::uint8_t>{1, 0, 0x5e, 0, 0, 3}));
  EXPECT_THAT(nic.calls, ::testing::UnorderedElementsAre("filter nic0 0x8",
                                                         "multicast nic0 1"));  // the miniport has been told
  nic.calls.clear();

  ASSERT_EQ(world.run("unload", [&] { other.unload(); }), kernel::Outcome::Idle);
  EXPECT_THAT(nic.calls, ::testing::UnorderedElementsAre("filter nic0 0x0", "multicast nic0 0"));
  ASSERT_EQ(world.run("unload", [&] { nic.unload(); }), kernel::Outcome::Idle);
  EXPECT_EQ(world.verifier().violation_lines(), Lines{});
}

}  // namespace
}  // namespace undis::test
