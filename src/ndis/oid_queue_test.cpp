// SPDX-License-Identifier: MIT
//
// The queue of OID requests of one adapter: one at a time and in order, completed inside the call or later,
// cancelled; what NDIS answers from attributes. Pages:
// ndis/nf-ndis-ndisoidrequest, -ndiscanceloidrequest, -ndismoidrequestcomplete,
// network/miniport-adapter-oid-requests.
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "ndis/oid_queue_testing.h"

namespace undis::test {
namespace {

// ---- order and completion ----

class OidOrder : public OidQueues, public ::testing::WithParamInterface<int> {};

// LIFE-342
TEST_P(OidOrder, GivesTheMiniportOneAtATimeInTheOrderOfTheProtocol) {
  up(GetParam(), 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    for (NDIS_OID_REQUEST& request : three.requests)
      EXPECT_EQ(NdisOidRequest(handle(), &request), NDIS_STATUS_PENDING);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(at_miniport.size(), i + 1) << "the next comes when this one is complete";
      EXPECT_EQ(at_miniport.back(), kOids[i]);
      EXPECT_EQ(p.binding("nic")->answered.size(), i);
      answer(100 + static_cast<ULONG>(i));
    }
  });
  const auto& answered = p.binding("nic")->answered;
  ASSERT_EQ(answered.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answered[i].request, &three.requests[i]);
    EXPECT_EQ(answered[i].status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(three.numbers[i], 100 + i);
    EXPECT_EQ(three.requests[i].DATA.QUERY_INFORMATION.BytesWritten, sizeof(ULONG));
  }
  EXPECT_TRUE(nic()->oids.idle());
  mp.on_request = nullptr;
  down();
}

TEST_P(OidOrder, MixesProtocolsOfBothGenerationsInOneQueue) {
  up(GetParam(), 6);
  FakeDriver five(world, "five");
  five.be_protocol5();
  run([&] { ASSERT_EQ(five.load(), STATUS_SUCCESS); });
  pend_queries();
  ULONG first = 0;
  ULONG second = 0;
  NDIS_OID_REQUEST six = query_request(OID_GEN_XMIT_OK, &first, sizeof(first));
  NDIS_REQUEST old{};
  old.RequestType = NdisRequestQueryInformation;
  old.DATA.QUERY_INFORMATION.Oid = OID_GEN_RCV_OK;
  old.DATA.QUERY_INFORMATION.InformationBuffer = &second;
  old.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(second);
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &six), NDIS_STATUS_PENDING);
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisRequest(&status, five.binding("nic")->handle, &old);
    EXPECT_EQ(status, NDIS_STATUS_PENDING);
    EXPECT_EQ(at_miniport, std::vector<NDIS_OID>{OID_GEN_XMIT_OK});
    answer(7);
    answer(8, NDIS_STATUS_NOT_SUPPORTED);
  });
  EXPECT_EQ(first, 7U);
  EXPECT_EQ(second, 8U);
  EXPECT_EQ(old.DATA.QUERY_INFORMATION.BytesWritten, sizeof(ULONG));
  ASSERT_EQ(five.binding("nic")->answered.size(), 1U);
  EXPECT_EQ(five.binding("nic")->answered[0].request, &old);
  EXPECT_EQ(five.binding("nic")->answered[0].status, NDIS_STATUS_NOT_SUPPORTED);
  mp.on_request = nullptr;
  run([&] { EXPECT_TRUE(five.unload()); });
  down();
}

// LIFE-258
TEST_P(OidOrder, GivesTheStatusAtOnceWhereTheMiniportDoes) {
  up(GetParam(), 6);
  mp.on_request = [](FakeAdapter&, NDIS_OID, bool) { return NDIS_STATUS_RESOURCES; };
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_XMIT_OK, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(handle(), &request), NDIS_STATUS_RESOURCES); });
  EXPECT_TRUE(p.binding("nic")->answered.empty()) << "after a status there is no completion";
  mp.on_request = nullptr;
  down();
}

// LIFE-258
TEST_P(OidOrder, TakesACompletionFromInsideTheMiniportsFunction) {
  up(GetParam(), 6);
  mp.on_request = [&](FakeAdapter& card, NDIS_OID, bool query) {
    if (!query) return NDIS_STATUS_SUCCESS;
    under_way = card.asked;
    answer(5);
    return NDIS_STATUS_PENDING;
  };
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_XMIT_OK, &number, sizeof(number));
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  run([&] { status = NdisOidRequest(handle(), &request); });
  EXPECT_EQ(number, 5U);
  // The answer comes one way: as the status, or after PENDING by callback.
  EXPECT_EQ(p.binding("nic")->answered.size(), status == NDIS_STATUS_PENDING ? 1U : 0U);
  EXPECT_TRUE(status == NDIS_STATUS_PENDING || status == NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(nic()->oids.idle());
  mp.on_request = nullptr;
  down();
}

// LIFE-340
TEST_P(OidOrder, TellsOfACompletionThatNobodyAskedFor) {
  up(GetParam(), 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    answer(1);
    complete(under_way, NDIS_STATUS_SUCCESS);  // the same again
  });
  EXPECT_EQ(p.binding("nic")->answered.size(), 1U);
  EXPECT_EQ(p.binding("nic")->answered[0].status, NDIS_STATUS_SUCCESS);
  mp.on_request = nullptr;
  down();
  expect({GetParam() == 6 ? "host: NdisOidDoubleComplete" : "host: RequestDoubleComplete"});
}

TEST_P(OidOrder, TellsOfAStructureThatIsHandedOverAgain) {
  up(GetParam(), 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[1]), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[1]), NDIS_STATUS_FAILURE) << "it stands in line";
    answer(1);
    answer(2);
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING)
        << "it is its source's again";
    answer(1);
  });
  EXPECT_EQ(p.binding("nic")->answered.size(), 3U);
  mp.on_request = nullptr;
  down();
  expect({"p: OidRequestReused"});
}

// LIFE-339
TEST_P(OidOrder, CannotBeCompletedWithPending) {
  up(GetParam(), 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    answer(1, NDIS_STATUS_PENDING);
  });
  ASSERT_EQ(p.binding("nic")->answered.size(), 1U);
  EXPECT_EQ(p.binding("nic")->answered[0].status, NDIS_STATUS_FAILURE);
  mp.on_request = nullptr;
  down();
  expect({GetParam() == 6 ? "host: NdisOidComplete" : "host: CallbackStatus"});
}

INSTANTIATE_TEST_SUITE_P(Generations, OidOrder, ::testing::Values(5, 6),
                         [](const ::testing::TestParamInfo<int>& generation) {
                           return fmt::format("Miniport{}", generation.param);
                         });

TEST_F(OidQueues, ShowTheMiniportAStructureOfNdis) {
  up();
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    EXPECT_NE(under_way.request, &three.requests[0]);
    EXPECT_EQ(under_way.request->RequestId, three.requests[0].RequestId);
    three.requests[1].DATA.QUERY_INFORMATION.BytesWritten = 77;
    answer(1);
  });
  mp.on_request = nullptr;
  down();
}

TEST_F(OidQueues, OfAFiveMiniportIsNotCompletedByTheOtherKind) {
  up(5, 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    NdisMSetInformationComplete(nic()->handle(), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(p.binding("nic")->answered.empty());
    answer(1);
  });
  EXPECT_EQ(p.binding("nic")->answered.size(), 1U);
  mp.on_request = nullptr;
  down();
  expect({"host: RequestDoubleComplete"});
}

TEST_F(OidQueues, AskASerializedMiniportAtDispatchLevel) {
  std::vector<KIRQL> at;
  mp.on_initialize = [](FakeAdapter& card) {
    NdisMSetAttributesEx(card.handle, &card, 0, 0, NdisInterfacePci);  // without NDIS_ATTRIBUTE_DESERIALIZE
    return NDIS_STATUS_SUCCESS;
  };
  up(5, 6);
  mp.on_request = [&](FakeAdapter&, NDIS_OID, bool) {
    at.push_back(kernel::irql());
    return NDIS_STATUS_SUCCESS;
  };
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_XMIT_OK, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(handle(), &request), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(at, std::vector<KIRQL>{DISPATCH_LEVEL});
  mp.on_request = nullptr;
  down();
}

// ---- cancel ----

class CancellingRequests : public OidQueues {};

TEST_F(CancellingRequests, CompletesThoseThatWaitAndTellsTheMiniportOfTheOneItHas) {
  up();
  Three three;
  fill(three);
  int id = 0;
  for (NDIS_OID_REQUEST& request : three.requests) request.RequestId = &id;
  pend_queries();
  void* cancelled = nullptr;
  mp.on_cancel_request = [&](FakeAdapter&, void* request_id) { cancelled = request_id; };
  run([&] {
    for (NDIS_OID_REQUEST& request : three.requests)
      EXPECT_EQ(NdisOidRequest(handle(), &request), NDIS_STATUS_PENDING);
    NdisCancelOidRequest(handle(), &id);
    const auto& answered = p.binding("nic")->answered;
    ASSERT_EQ(answered.size(), 2U);
    EXPECT_EQ(answered[0].request, &three.requests[1]);
    EXPECT_EQ(answered[1].request, &three.requests[2]);
    EXPECT_EQ(answered[0].status, NDIS_STATUS_REQUEST_ABORTED);
    EXPECT_EQ(cancelled, &id);
    answer(0, NDIS_STATUS_REQUEST_ABORTED);
  });
  EXPECT_EQ(at_miniport.size(), 1U) << "what was cancelled while it waited is not given to the miniport";
  EXPECT_EQ(p.binding("nic")->answered.size(), 3U);
  mp.on_request = nullptr;
  down();
}

TEST_F(CancellingRequests, TouchesNeitherOtherIdsNorOtherBindings) {
  up();
  FakeDriver q(world, "q");
  q.be_protocol6();
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[1]), NDIS_STATUS_PENDING);
    NdisCancelOidRequest(handle(), &q);  // an id that no request has
    NdisCancelOidRequest(q.binding("nic")->handle, three.requests[0].RequestId);
    NdisCancelOidRequest(q.binding("nic")->handle, three.requests[1].RequestId);
    EXPECT_TRUE(p.binding("nic")->answered.empty());
    EXPECT_EQ(mp.count("MiniportCancelOidRequest"), 0U);
    answer(1);
    answer(2);
  });
  EXPECT_EQ(p.binding("nic")->answered.size(), 2U);
  mp.on_request = nullptr;
  run([&] { EXPECT_TRUE(q.unload()); });
  down();
}

TEST_F(CancellingRequests, AtAFiveMiniportLeavesTheOneThatItHas) {
  up(5, 6);
  Three three;
  fill(three);
  pend_queries();
  run([&] {
    EXPECT_EQ(NdisOidRequest(handle(), &three.requests[0]), NDIS_STATUS_PENDING);
    NdisCancelOidRequest(handle(), three.requests[0].RequestId);
    EXPECT_TRUE(p.binding("nic")->answered.empty());
    answer(3);
  });
  EXPECT_EQ(p.binding("nic")->answered.size(), 1U);
  mp.on_request = nullptr;
  down();
}

// ---- what NDIS answers ----

class AnsweredFromAttributes : public OidQueues {};

TEST_F(AnsweredFromAttributes, WithoutAskingTheMiniport) {
  up();
  unsigned asked = 0;
  mp.on_request = [&](FakeAdapter&, NDIS_OID, bool query) {
    asked += query ? 1 : 0;
    return NDIS_STATUS_SUCCESS;
  };
  struct Expected {
    NDIS_OID oid;
    ULONG number;
  };
  const Expected numbers[] = {
      {OID_GEN_MEDIA_SUPPORTED, NdisMedium802_3},
      {OID_GEN_MEDIA_IN_USE, NdisMedium802_3},
      {OID_GEN_PHYSICAL_MEDIUM, NdisPhysicalMediumUnspecified},
      {OID_GEN_MAXIMUM_FRAME_SIZE, 1500},
      {OID_GEN_MAXIMUM_LOOKAHEAD, 1500},
      {OID_GEN_LINK_SPEED, 10'000'000},
      {OID_GEN_MEDIA_CONNECT_STATUS, NdisMediaStateConnected},
      {OID_802_3_MAXIMUM_LIST_SIZE, 8},
      {OID_GEN_MAC_OPTIONS, 0},
      {OID_GEN_SUPPORTED_LIST, OID_GEN_CURRENT_PACKET_FILTER},
  };
  run([&] {
    for (const Expected& expected : numbers) {
      SCOPED_TRACE(fmt::format("OID {:#x}", expected.oid));
      ULONG number = 0xffff;
      NDIS_OID_REQUEST query = query_request(expected.oid, &number, sizeof(number));
      EXPECT_EQ(NdisOidRequest(handle(), &query), NDIS_STATUS_SUCCESS);
      EXPECT_EQ(number, expected.number);
      EXPECT_EQ(query.DATA.QUERY_INFORMATION.BytesWritten, sizeof(number));
      for (UINT length = 0; length < sizeof(number); ++length) {
        number = 0xabcd;
        query = query_request(expected.oid, &number, length);
        EXPECT_EQ(NdisOidRequest(handle(), &query), NDIS_STATUS_INVALID_LENGTH);
        EXPECT_EQ(query.DATA.QUERY_INFORMATION.BytesNeeded, sizeof(number));
        EXPECT_EQ(query.DATA.QUERY_INFORMATION.BytesWritten, 0U);
        EXPECT_EQ(number, 0xabcdU) << "nothing is written into a buffer that is too short";
      }
    }
    std::array<std::uint8_t, 6> address{};
    for (const NDIS_OID oid : {NDIS_OID{OID_802_3_PERMANENT_ADDRESS}, NDIS_OID{OID_802_3_CURRENT_ADDRESS}}) {
      NDIS_OID_REQUEST query = query_request(oid, address.data(), 6);
      EXPECT_EQ(NdisOidRequest(handle(), &query), NDIS_STATUS_SUCCESS);
      EXPECT_EQ(address, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 6, 1}));
      query = query_request(oid, address.data(), 5);
      EXPECT_EQ(NdisOidRequest(handle(), &query), NDIS_STATUS_INVALID_LENGTH);
      EXPECT_EQ(query.DATA.QUERY_INFORMATION.BytesNeeded, 6U);
    }
  });
  EXPECT_EQ(asked, 0U);
  mp.on_request = nullptr;
  down();
}

TEST_F(AnsweredFromAttributes, OnlyForSix) {
  up(5, 6);
  std::vector<NDIS_OID> asked;
  mp.on_request = [&](FakeAdapter& card, NDIS_OID oid, bool) {
    asked.push_back(oid);
    *card.asked.needed = 9;
    return NDIS_STATUS_INVALID_LENGTH;
  };
  ULONG number = 0;
  NDIS_OID_REQUEST query = query_request(OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(handle(), &query), NDIS_STATUS_INVALID_LENGTH); });
  EXPECT_EQ(asked, std::vector<NDIS_OID>{OID_GEN_MAXIMUM_FRAME_SIZE}) << "a 5.x miniport answers all itself";
  EXPECT_EQ(query.DATA.QUERY_INFORMATION.BytesNeeded, 9U);
  mp.on_request = nullptr;
  down();
}

// ---- under schedules ----

// LIFE-258, LIFE-342
TEST(OidQueuesUnderAnySchedule, AnswerEachRequestOnceAndNeverTwoAtATime) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed * 0x9e37'79b9'7f4a'7c15U);
    SCOPED_TRACE(options.schedule.text());
    lab::World world(options);
    FakeDriver mp(world, "mp");
    FakeDriver p(world, "p");
    mp.be_miniport6();
    p.be_protocol6();
    unsigned inside = 0;
    mp.on_request = [&](FakeAdapter& card, NDIS_OID, bool query) {
      if (!query) return NDIS_STATUS_SUCCESS;
      EXPECT_EQ(inside++, 0U) << "a request while another is under way";
      if (!kernel::choose("the miniport pends")) {
        --inside;
        return NDIS_STATUS_SUCCESS;
      }
      kernel::queue_work("complete", [&, handle = card.handle, request = card.asked.request] {
        --inside;
        NdisMOidRequestComplete(handle, request, NDIS_STATUS_SUCCESS);
      });
      return NDIS_STATUS_PENDING;
    };
    ASSERT_EQ(world.run("up",
                        [&] {
                          ASSERT_EQ(mp.load(), STATUS_SUCCESS);
                          ASSERT_EQ(p.load(), STATUS_SUCCESS);
                          ASSERT_TRUE(world.plug(mp.driver(), "nic"));
                        }),
              kernel::Outcome::Idle);
    constexpr std::size_t kThreads = 3;
    constexpr std::size_t kEach = 4;
    std::array<ULONG, kThreads * kEach> numbers{};
    std::array<NDIS_OID_REQUEST, kThreads * kEach> requests{};
    unsigned at_once = 0;
    ASSERT_EQ(world.run("ask",
                        [&] {
                          for (std::size_t t = 0; t < kThreads; ++t) {
                            world.system().spawn("asks", [&, t] {
                              for (std::size_t i = t * kEach; i < (t + 1) * kEach; ++i) {
                                NDIS_OID_REQUEST& request = requests[i];
                                request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                                                  NDIS_SIZEOF_OID_REQUEST_REVISION_1};
                                request.RequestType = NdisRequestQueryInformation;
                                request.DATA.QUERY_INFORMATION.Oid = OID_GEN_XMIT_OK;
                                request.DATA.QUERY_INFORMATION.InformationBuffer = &numbers[i];
                                request.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(ULONG);
                                const NDIS_STATUS status = NdisOidRequest(p.binding("nic")->handle, &request);
                                EXPECT_TRUE(status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_PENDING);
                                at_once += status == NDIS_STATUS_SUCCESS ? 1 : 0;
                              }
                            });
                          }
                        }),
              kernel::Outcome::Idle);
    std::vector<const void*> answered;
    for (const auto& answer : p.binding("nic")->answered) answered.push_back(answer.request);
    EXPECT_EQ(answered.size() + at_once, kThreads * kEach);
    std::ranges::sort(answered);
    EXPECT_EQ(std::ranges::adjacent_find(answered), answered.end()) << "one answered twice";
    ASSERT_EQ(world.run("down",
                        [&] {
                          world.unplug(*world.adapter("nic"));
                          p.unload();
                          mp.unload();
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace undis::test
