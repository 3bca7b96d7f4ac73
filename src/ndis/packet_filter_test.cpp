// SPDX-License-Identifier: MIT
//
// Packet filters and multicast lists, merged over the bindings of an adapter. Pages:
// network/oid-gen-current-packet-filter, -oid-802-3-multicast-list.
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "ndis/oid_queue_testing.h"

namespace undis::test {
namespace {

class MergedFilters : public OidQueues {
 protected:
  void three_up(int miniport_generation = 6) {
    q.be_protocol6();
    r.be_protocol6();
    up(miniport_generation, 6);
    run([&] {
      ASSERT_EQ(q.load(), STATUS_SUCCESS);
      ASSERT_EQ(r.load(), STATUS_SUCCESS);
    });
    mp.calls.clear();
  }
  void three_down() {
    run([&] {
      for (FakeDriver* driver : {&q, &r})
        if (driver->driver().phase() == kernel::DriverPhase::Loaded) driver->unload();
    });
    down();
  }
  static NDIS_HANDLE handle_of(FakeDriver& driver) { return driver.binding("nic")->handle; }
  FakeDriver q{world, "q"};
  FakeDriver r{world, "r"};
};

TEST_F(MergedFilters, ReachTheMiniportWhereTheyChangeOnly) {
  three_up();
  run([&] {
    EXPECT_EQ(set_filter(handle_of(p), NDIS_PACKET_TYPE_DIRECTED), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set_filter(handle_of(q), NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST),
              NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set_filter(handle_of(r), NDIS_PACKET_TYPE_DIRECTED), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set_filter(handle_of(p), 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set_filter(handle_of(q), NDIS_PACKET_TYPE_MULTICAST), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(mp.calls, (Lines{"filter nic 0x1", "filter nic 0x9", "filter nic 0x3"}));
  three_down();
}

TEST_F(MergedFilters, AreTakenBackWhenABindingCloses) {
  three_up();
  run([&] {
    set_filter(handle_of(p), NDIS_PACKET_TYPE_DIRECTED);
    set_filter(handle_of(q), NDIS_PACKET_TYPE_PROMISCUOUS);
    mp.calls.clear();
    EXPECT_TRUE(q.unload());
  });
  EXPECT_EQ(std::ranges::count(mp.calls, "filter nic 0x1"), 1);
  run([&] { EXPECT_TRUE(p.unload()); });
  EXPECT_EQ(std::ranges::count(mp.calls, "filter nic 0x0"), 1);
  three_down();
}

TEST_F(MergedFilters, AreReadBackByEachBindingAsItSetThem) {
  three_up();
  ULONG mine = 0;
  ULONG others = 0;
  run([&] {
    set_filter(handle_of(p), NDIS_PACKET_TYPE_DIRECTED);
    set_filter(handle_of(q), NDIS_PACKET_TYPE_BROADCAST);
    NDIS_OID_REQUEST query = query_request(OID_GEN_CURRENT_PACKET_FILTER, &mine, sizeof(mine));
    EXPECT_EQ(NdisOidRequest(handle_of(p), &query), NDIS_STATUS_SUCCESS);
    query = query_request(OID_GEN_CURRENT_PACKET_FILTER, &others, sizeof(others));
    EXPECT_EQ(NdisOidRequest(handle_of(q), &query), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(mine, NDIS_PACKET_TYPE_DIRECTED);
  EXPECT_EQ(others, NDIS_PACKET_TYPE_BROADCAST);
  three_down();
}

TEST_F(MergedFilters, ThatTheMiniportRefusesAreNotKept) {
  three_up();
  run([&] {
    EXPECT_EQ(set_filter(handle_of(p), NDIS_PACKET_TYPE_DIRECTED), NDIS_STATUS_SUCCESS);
    mp.on_request = [](FakeAdapter&, NDIS_OID, bool) { return NDIS_STATUS_NOT_SUPPORTED; };
    EXPECT_EQ(set_filter(handle_of(q), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(set_filter(handle_of(q), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_NOT_SUPPORTED)
        << "it is asked again";
    EXPECT_EQ(nic()->merged_filter(), NDIS_PACKET_TYPE_DIRECTED);
    mp.on_request = nullptr;
    EXPECT_EQ(set_filter(handle_of(q), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(mp.calls, (Lines{"filter nic 0x1", "filter nic 0x21", "filter nic 0x21", "filter nic 0x21"}));
  three_down();
}

TEST_F(MergedFilters, OfMulticastAddressesAreOneListWithoutRepetition) {
  three_up(5);
  static constexpr std::uint8_t kTwo[] = {1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 2};
  static constexpr std::uint8_t kOther[] = {1, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 3};
  run([&] {
    EXPECT_EQ(set(handle_of(p), OID_802_3_MULTICAST_LIST, kTwo, sizeof(kTwo)), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set(handle_of(q), OID_802_3_MULTICAST_LIST, kOther, sizeof(kOther)), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(set(handle_of(r), OID_802_3_MULTICAST_LIST, kOther, 6), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(mp.calls, (Lines{"multicast nic 2", "multicast nic 3"}));
  run([&] { EXPECT_TRUE(p.unload()); });
  EXPECT_EQ(mp.calls.back(), "multicast nic 2") << "the second address is still another's";
  three_down();
}

TEST_F(MergedFilters, OfOddLengthAreRefusedWithTheLengthNeeded) {
  three_up();
  NDIS_OID_REQUEST left{};
  run([&] {
    std::uint8_t bytes[7]{};
    EXPECT_EQ(set(handle_of(p), OID_802_3_MULTICAST_LIST, bytes, sizeof(bytes), &left),
              NDIS_STATUS_INVALID_LENGTH);
    EXPECT_EQ(left.DATA.SET_INFORMATION.BytesNeeded, 12U);
    EXPECT_EQ(set(handle_of(p), OID_GEN_CURRENT_PACKET_FILTER, bytes, 2, &left), NDIS_STATUS_INVALID_LENGTH);
    EXPECT_EQ(left.DATA.SET_INFORMATION.BytesNeeded, sizeof(ULONG));
    EXPECT_EQ(set(handle_of(p), OID_GEN_CURRENT_LOOKAHEAD, bytes, 0, &left), NDIS_STATUS_INVALID_LENGTH);
  });
  EXPECT_EQ(mp.calls, Lines{}) << "the miniport is not asked";
  three_down();
}

}  // namespace
}  // namespace undis::test
