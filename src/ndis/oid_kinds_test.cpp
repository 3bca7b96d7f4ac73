// SPDX-License-Identifier: MIT
//
// Direct and synchronous requests, time-outs, outcomes that the miniport may not give, lengths.
// Pages: ndis/nf-ndis-ndisdirectoidrequest, ndis/nf-ndis-ndissynchronousoidrequest,
// ndis/nf-ndis-ndismdirectoidrequestcomplete, devtest/ndis-ndistimedoidcomplete,
// devtest/ndis-ndisoidcomplete, oidrequest/ns-oidrequest-ndis_oid_request.
#include <cstring>

#include "lab/core_test.h"
#include "ndis/oids.h"

namespace undis::test {
namespace {

constexpr std::uint64_t kSecond = 10'000'000;  // 100 ns units

class DirectRequests : public CoreTest {
 protected:
  NDIS_STATUS direct(NDIS_OID_REQUEST& request) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] { status = NdisDirectOidRequest(binding()->handle(), &request); });
    return status;
  }
  NDIS_OID_REQUEST query(void* id = nullptr) {
    return query_request(OID_GEN_VENDOR_ID, &number_, sizeof(number_), id);
  }
  ULONG number_ = 0;
};

TEST_F(DirectRequests, AreAnsweredAtOnceWithoutACallback) {
  mp.on_direct_request = [](FakeAdapter&, NDIS_OID_REQUEST* request) {
    *static_cast<ULONG*>(request->DATA.QUERY_INFORMATION.InformationBuffer) = 7;
    request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(ULONG);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  NDIS_OID_REQUEST request = query();
  EXPECT_EQ(direct(request), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(number_, 7U);
  EXPECT_EQ(request.DATA.QUERY_INFORMATION.BytesWritten, sizeof(ULONG));
  EXPECT_TRUE(p.bindings.front().answered.empty());
  down();
}

TEST_F(DirectRequests, RunBesideEachOtherAndBesideTheQueue) {
  std::vector<NDIS_OID_REQUEST*> at_miniport;
  mp.on_direct_request = [&](FakeAdapter&, NDIS_OID_REQUEST* request) {
    at_miniport.push_back(request);
    return NDIS_STATUS_PENDING;
  };
  mp.on_request = [](FakeAdapter&, NDIS_OID, bool) { return NDIS_STATUS_PENDING; };
  up();
  NDIS_OID_REQUEST queued = query();
  NDIS_OID_REQUEST first = query(&first);
  NDIS_OID_REQUEST second = query(&second);
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &queued), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &first), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &second), NDIS_STATUS_PENDING);
    EXPECT_EQ(nic()->direct_oids.pending(), 2U);
    NdisCancelDirectOidRequest(binding()->handle(), &second);
    EXPECT_EQ(mp.calls.back(), "MiniportCancelDirectOidRequest nic");
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport[1], NDIS_STATUS_REQUEST_ABORTED);
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport[0], NDIS_STATUS_SUCCESS);
    NdisMOidRequestComplete(nic()->handle(), mp.adapters.front().asked.request, NDIS_STATUS_NOT_SUPPORTED);
  });
  const auto& answered = p.bindings.front().answered;
  ASSERT_EQ(answered.size(), 3U);
  EXPECT_EQ(answered[0].request, &second);
  EXPECT_EQ(answered[0].status, NDIS_STATUS_REQUEST_ABORTED);
  EXPECT_EQ(answered[1].request, &first);
  EXPECT_EQ(answered[2].request, &queued);
  mp.on_request = nullptr;
  down();
}

TEST_F(DirectRequests, MayBeCompletedFromInsideTheCallback) {
  mp.on_direct_request = [](FakeAdapter& card, NDIS_OID_REQUEST* request) {
    NdisMDirectOidRequestComplete(card.handle, request, NDIS_STATUS_INVALID_DATA);
    return NDIS_STATUS_PENDING;
  };
  up();
  NDIS_OID_REQUEST request = query();
  EXPECT_EQ(direct(request), NDIS_STATUS_INVALID_DATA);
  EXPECT_TRUE(p.bindings.front().answered.empty()) << "it is not told twice";
  down();
}

TEST_F(DirectRequests, AreNotSupportedByADriverWithoutTheHandlerAndNeedTheProtocolsOwn) {
  p.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) { c.DirectOidRequestCompleteHandler = nullptr; };
  up();
  NDIS_OID_REQUEST request = query();
  EXPECT_EQ(direct(request), NDIS_STATUS_NOT_SUPPORTED);
  request.Header.Size = 4;
  EXPECT_EQ(direct(request), NDIS_STATUS_FAILURE);
  down();
  expect({"host: LIFE-093", "host: ObjectHeaderValid"});
}

TEST_F(DirectRequests, CompletedTwiceOrWithPendingAreTold) {
  NDIS_OID_REQUEST* at_miniport = nullptr;
  mp.on_direct_request = [&](FakeAdapter&, NDIS_OID_REQUEST* request) {
    at_miniport = request;
    return NDIS_STATUS_PENDING;
  };
  up();
  NDIS_OID_REQUEST request = query();
  run([&] {
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    NDIS_OID_REQUEST* const kept = at_miniport;
    NdisMDirectOidRequestComplete(nic()->handle(), kept, NDIS_STATUS_PENDING);
    NdisMDirectOidRequestComplete(nic()->handle(), kept, NDIS_STATUS_SUCCESS);
  });
  down();
  expect({"host: NdisOidComplete", "host: NdisOidDoubleComplete"});
}

TEST_F(DirectRequests, SynchronousOnesAlwaysEndAtOnce) {
  NDIS_STATUS answer = NDIS_STATUS_SUCCESS;
  mp.on_synchronous_request = [&](FakeAdapter&, NDIS_OID_REQUEST* request) {
    request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(ULONG);
    return answer;
  };
  up();
  NDIS_OID_REQUEST request = query();
  run([&] { EXPECT_EQ(NdisSynchronousOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(request.DATA.QUERY_INFORMATION.BytesWritten, sizeof(ULONG));
  answer = NDIS_STATUS_PENDING;
  run([&] { EXPECT_EQ(NdisSynchronousOidRequest(binding()->handle(), &request), NDIS_STATUS_FAILURE); });
  down();
  expect({"mp: CallbackStatus"});
}

TEST_F(DirectRequests, SynchronousOnesAreNotSupportedByADriverWithoutTheHandler) {
  up();
  NDIS_OID_REQUEST request = query();
  run([&] {
    EXPECT_EQ(NdisSynchronousOidRequest(binding()->handle(), &request), NDIS_STATUS_NOT_SUPPORTED);
  });
  down();
}

// ---- time ----

class OverdueRequests : public CoreTest {
 protected:
  void pend_requests() {
    mp.on_request = [this](FakeAdapter& adapter, NDIS_OID, bool) {
      card = &adapter;
      return NDIS_STATUS_PENDING;
    };
  }
  void complete() {
    run([&] { NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED); });
    mp.on_request = nullptr;
  }
  FakeAdapter* card = nullptr;
  ULONG number = 0;
};

// LIFE-341
TEST_F(OverdueRequests, AreToldAfterTwelveSeconds) {
  pend_requests();
  up();
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING); });
  world.system().advance(11 * kSecond);
  EXPECT_EQ(violations(), Lines{});
  world.system().advance(2 * kSecond);
  EXPECT_EQ(violations(), Lines{"mp: NdisTimedOidComplete"});
  EXPECT_NE(last_violation_text().find("OID_GEN_VENDOR_ID"), std::string::npos);
  complete();
  down();
  expect({"mp: NdisTimedOidComplete"});
}

// LIFE-341
TEST_F(OverdueRequests, ThatEndInTimeAreNotTold) {
  pend_requests();
  up();
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING); });
  world.system().advance(11 * kSecond);
  complete();
  world.system().advance(20 * kSecond);
  down();
}

TEST_F(OverdueRequests, WithATimeOutOfTheirOwnAreCancelledThen) {
  pend_requests();
  up();
  mp.on_cancel_request = [](FakeAdapter& adapter, void*) {
    NdisMOidRequestComplete(adapter.handle, adapter.asked.request, NDIS_STATUS_REQUEST_ABORTED);
  };
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number), &request);
  request.Timeout = 3;
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING); });
  world.system().advance(2 * kSecond);
  EXPECT_TRUE(p.bindings.front().answered.empty());
  world.system().advance(2 * kSecond);
  ASSERT_EQ(p.bindings.front().answered.size(), 1U);
  EXPECT_EQ(p.bindings.front().answered[0].status, NDIS_STATUS_REQUEST_ABORTED);
  mp.on_request = nullptr;
  down();
}

// ---- outcomes ----

// LIFE-339
TEST_F(OverdueRequests, ThatMayNotFailAreToldWhereTheyDo) {
  struct Case {
    NDIS_OID oid;
    NDIS_STATUS status;
    bool told;
  };
  static constexpr Case kCases[] = {
      {OID_PM_REMOVE_WOL_PATTERN, NDIS_STATUS_SUCCESS, false},
      {OID_PM_REMOVE_WOL_PATTERN, NDIS_STATUS_REQUEST_ABORTED, false},
      {OID_PM_REMOVE_WOL_PATTERN, NDIS_STATUS_NOT_ACCEPTED, false},
      {OID_GEN_CURRENT_LOOKAHEAD, NDIS_STATUS_RESOURCES, false},
      {OID_PM_REMOVE_WOL_PATTERN, NDIS_STATUS_RESOURCES, true},
  };
  up();
  for (const Case& one : kCases) {
    mp.on_request = [&](FakeAdapter&, NDIS_OID, bool) { return one.status; };
    ULONG id = 1;
    NDIS_OID_REQUEST request = set_request(one.oid, &id, sizeof(id));
    run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), one.status); });
    EXPECT_EQ(violations().size(), one.told ? 1U : 0U) << oid_name(one.oid) << " " << one.status;
  }
  mp.on_request = nullptr;
  down();
  expect({"mp: NdisOidComplete"});
}

TEST_F(OverdueRequests, WithALengthThatIsNotTheOidsAreTold) {
  up();
  mp.on_request = [](FakeAdapter& adapter, NDIS_OID, bool) {
    *adapter.asked.done = 2;
    return NDIS_STATUS_SUCCESS;
  };
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  mp.on_request = nullptr;
  down();
  EXPECT_NE(last_violation_text().find("the information has 4 bytes"), std::string::npos)
      << last_violation_text();
  expect({"mp: OidLength"});
}

TEST_F(OverdueRequests, ThatClaimMoreThanTheBufferHasAreTold) {
  up();
  mp.on_request = [](FakeAdapter& adapter, NDIS_OID, bool) {
    *adapter.asked.done = 8;
    return NDIS_STATUS_SUCCESS;
  };
  NDIS_OID_REQUEST request = query_request(OID_GEN_XMIT_OK, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  mp.on_request = nullptr;
  down();
  expect({"mp: OidLength"});
}

// ---- the table ----

TEST(OidTable, KnowsNamesKindsAndLengths) {
  const OidInfo* const filter = find_oid(OID_GEN_CURRENT_PACKET_FILTER);
  ASSERT_NE(filter, nullptr);
  EXPECT_STREQ(filter->name, "OID_GEN_CURRENT_PACKET_FILTER");
  EXPECT_TRUE(filter->query && filter->set && !filter->method);
  EXPECT_TRUE(fits(*filter, 4) && !fits(*filter, 3) && !fits(*filter, 8));
  EXPECT_EQ(expected_length(*filter), "4");
  const OidInfo* const list = find_oid(OID_802_3_MULTICAST_LIST);
  ASSERT_NE(list, nullptr);
  EXPECT_TRUE(fits(*list, 0) && fits(*list, 12) && !fits(*list, 7));
  EXPECT_EQ(expected_length(*list), "a multiple of 6");
  const OidInfo* const count = find_oid(OID_GEN_RCV_OK);
  ASSERT_NE(count, nullptr);
  EXPECT_TRUE(fits(*count, 4) && fits(*count, 8) && !fits(*count, 6));
  EXPECT_EQ(expected_length(*count), "4 or 8");
  const OidInfo* const statistics = find_oid(OID_GEN_STATISTICS);
  ASSERT_NE(statistics, nullptr);
  EXPECT_TRUE(fits(*statistics, sizeof(NDIS_STATISTICS_INFO)) && !fits(*statistics, 8));
  EXPECT_EQ(find_oid(0x12345678), nullptr);
  EXPECT_EQ(oid_name(0x12345678), "OID 0x12345678");
}

TEST(OidTable, IsInOrderAndNamesEachOnce) {
  const auto rows = all_oids();
  EXPECT_GT(rows.size(), 140U);
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1].oid, rows[i].oid) << rows[i].name;
}

}  // namespace
}  // namespace undis::test
