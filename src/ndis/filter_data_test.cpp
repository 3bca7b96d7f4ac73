// SPDX-License-Identifier: MIT
//
// Net buffer lists through filters: each way, what is bypassed, handles that a filter hands on with; with
// neighbours of both generations. Pages: network/filter-module-send-and-receive-operations,
// network/data-bypass-mode.
#include <tuple>

#include "ndis/filtered_traffic_testing.h"

namespace undis::test {
namespace {

/// Card's and protocol's generation.
class ThroughAFilter : public FilteredTraffic, public ::testing::WithParamInterface<std::tuple<bool, bool>> {
 protected:
  bool card6() const { return std::get<0>(GetParam()); }
  bool protocol6() const { return std::get<1>(GetParam()); }
};
std::string name_of(const ::testing::TestParamInfo<std::tuple<bool, bool>>& info) {
  return std::string("Card") + (std::get<0>(info.param) ? "6" : "5") + "Protocol" +
         (std::get<1>(info.param) ? "6" : "5");
}
INSTANTIATE_TEST_SUITE_P(All, ThroughAFilter, ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         name_of);

TEST_P(ThroughAFilter, SendsArriveByteForByteAndAreCompletedInOrder) {
  FakeFilter& f = load(filter("f"));
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  const std::vector<Bytes> frames = some_frames();
  p.send(frames);
  EXPECT_EQ(nic.sent, frames);
  EXPECT_EQ(p.completed, std::vector<NDIS_STATUS>(frames.size(), kSuccess));
  EXPECT_EQ(p.completed_order, (std::vector<unsigned>{0, 1, 2}));
  EXPECT_GE(f.count("FilterSendNetBufferLists"), 2U);
  EXPECT_EQ(module(f)->sends.has, 0);
}

TEST_P(ThroughAFilter, SendsThatTheMiniportHoldsAreCompletedLater) {
  FakeFilter& f = load(filter("f"));
  Card& nic = start(card(card6()));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", protocol6());
  p.send(some_frames());
  EXPECT_TRUE(p.completed.empty());
  EXPECT_EQ(nic.adapter->sends.inside(), counted(3, card6() && protocol6()));
  nic.complete_held(NDIS_STATUS_FAILURE);
  EXPECT_EQ(p.completed, std::vector<NDIS_STATUS>(3, static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE)));
  EXPECT_EQ(nic.adapter->sends.inside(), 0U);
  EXPECT_EQ(module(f)->sends.has, 0);
}

TEST_P(ThroughAFilter, ReceivesArriveByteForByteAndComeBack) {
  FakeFilter& f = load(filter("f"));
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  const std::vector<Bytes> frames = some_frames();
  nic.indicate(frames);
  EXPECT_EQ(p.received, frames);
  EXPECT_EQ(nic.returned, frames);
  EXPECT_GE(f.count("FilterReceiveNetBufferLists"), 1U);
  EXPECT_GE(f.count("FilterReturnNetBufferLists"), 1U);
  EXPECT_EQ(module(f)->receives.has, 0);
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_P(ThroughAFilter, ReceivesThatTheProtocolKeepsComeBackLater) {
  load(filter("f"));
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  p.keep = true;
  nic.indicate(some_frames());
  EXPECT_TRUE(nic.returned.empty());
  EXPECT_EQ(nic.adapter->receives.inside(), counted(3, card6() && protocol6()));
  p.return_kept();
  EXPECT_EQ(nic.returned, some_frames());
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_P(ThroughAFilter, SeveralProtocolsGetTheSameFrame) {
  load(filter("f"));
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  Protocol& q = protocol("other", true);
  Protocol& r = protocol("old", false);
  nic.indicate(some_frames());
  EXPECT_EQ(p.received, some_frames());
  EXPECT_EQ(q.received, some_frames());
  EXPECT_EQ(r.received, some_frames());
  EXPECT_EQ(nic.returned, some_frames());
}

TEST_P(ThroughAFilter, LookaheadIndicationsArriveAsWholeFrames) {
  if (card6()) GTEST_SKIP() << "5.x miniports only";
  FakeFilter& f = load(filter("f"));
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", protocol6());
  nic.indicate_lookahead(frame(1, 300), 300);
  settle();
  ASSERT_EQ(p.received.size(), 1U);
  EXPECT_EQ(p.received.front(), frame(1, 300));
  EXPECT_EQ(f.count("FilterReceiveNetBufferLists"), 1U);
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_P(ThroughAFilter, WhatItDropsGoesBackToTheMiniport) {
  FakeFilter& f = load(filter("f"));
  f.on_receive = [](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG, ULONG flags) {
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) NdisFReturnNetBufferLists(m.handle, chain, 0);
  };
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  nic.indicate(some_frames());
  EXPECT_TRUE(p.received.empty());
  EXPECT_EQ(nic.returned, some_frames());
}

TEST_P(ThroughAFilter, WhatItRejectsIsNotSent) {
  FakeFilter& f = load(filter("f"));
  f.on_send = [](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG) {
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
      list->Status = NDIS_STATUS_FAILURE;
    NdisFSendNetBufferListsComplete(m.handle, chain, 0);
  };
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  p.send(some_frames());
  EXPECT_TRUE(nic.sent.empty());
  EXPECT_EQ(p.completed, std::vector<NDIS_STATUS>(3, static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE)));
  EXPECT_EQ(f.count("FilterSendNetBufferListsComplete"), 0U);
}

// ---- bypass ----

class BypassingAFilter : public FilteredTraffic {};

TEST_F(BypassingAFilter, LeavesItOutOfEveryWayThatItHasNoHandlerFor) {
  FakeFilter& f = filter("f");
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.SendNetBufferListsHandler = nullptr;
    c.SendNetBufferListsCompleteHandler = nullptr;
    c.CancelSendNetBufferListsHandler = nullptr;
    c.ReceiveNetBufferListsHandler = nullptr;
    c.ReturnNetBufferListsHandler = nullptr;
  };
  load(f);
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  const std::size_t before = f.calls.size();
  p.send(some_frames());
  nic.indicate(some_frames());
  EXPECT_EQ(nic.sent, some_frames());
  EXPECT_EQ(p.received, some_frames());
  EXPECT_EQ(f.calls.size(), before);
  EXPECT_FALSE(nic.adapter->filters.sees_sends());
  EXPECT_FALSE(nic.adapter->filters.sees_receives());
}

TEST_F(BypassingAFilter, OfTwoLeavesTheOtherIn) {
  FakeFilter& f = filter("f");
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.SendNetBufferListsHandler = nullptr; };
  FakeFilter& g = filter("g");
  g.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.ReceiveNetBufferListsHandler = nullptr; };
  load(f);
  load(g);
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  p.send(some_frames(1));
  nic.indicate(some_frames(1));
  EXPECT_EQ(f.count("FilterSendNetBufferLists "), 0U);
  EXPECT_EQ(f.count("FilterSendNetBufferListsComplete"), 1U);
  EXPECT_EQ(g.count("FilterSendNetBufferLists "), 1U);
  EXPECT_EQ(f.count("FilterReceiveNetBufferLists"), 1U);
  EXPECT_EQ(g.count("FilterReceiveNetBufferLists"), 0U);
  EXPECT_EQ(g.count("FilterReturnNetBufferLists"), 1U);
}

TEST_F(BypassingAFilter, IsSetForAModuleInFilterSetModuleOptions) {
  FakeFilter& f = filter("f");
  bool bypass = false;
  f.on_module_options = [&](FakeModule& m) {
    const NDIS_FILTER_DRIVER_CHARACTERISTICS c = f.characteristics();
    NDIS_FILTER_PARTIAL_CHARACTERISTICS partial{};
    partial.Header = {NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS,
                      NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
                      NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1};
    if (!bypass) {
      partial.SendNetBufferListsHandler = c.SendNetBufferListsHandler;
      partial.SendNetBufferListsCompleteHandler = c.SendNetBufferListsCompleteHandler;
    }
    return NdisSetOptionalHandlers(m.handle, &partial.Header);
  };
  load(f);
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  p.send(some_frames(1));
  EXPECT_EQ(f.count("FilterSendNetBufferLists "), 1U);
  bypass = true;
  EXPECT_EQ(NdisFRestartFilter(f.module().handle), kSuccess);
  settle();
  p.send(some_frames(1));
  EXPECT_EQ(f.count("FilterSendNetBufferLists "), 1U);
  EXPECT_EQ(nic.sent.size(), 2U);
}

// LIFE-105, LIFE-275
TEST_F(BypassingAFilter, FailsOutsideFilterSetModuleOptions) {
  FakeFilter& f = load(filter("f"));
  start(card(true));
  NDIS_FILTER_PARTIAL_CHARACTERISTICS partial{};
  partial.Header = {NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS,
                    NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
                    NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1};
  as(f.driver(), [&] {
    EXPECT_EQ(NdisSetOptionalHandlers(f.module().handle, &partial.Header),
              static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE));
  });
  expect({"NdisSetOptionalHandlers: wrong place"});
}

// ---- handles that a filter hands on with, inside its handlers ----

class InsideItsHandler : public FilteredTraffic {
 protected:
  void SetUp() override {
    FilteredTraffic::SetUp();
    f = &load(filter("f"));
    g = &load(filter("g"));
    nic = &start(card(true));
    p = &protocol("proto", true);
  }
  FakeFilter* f = nullptr;
  FakeFilter* g = nullptr;  ///< above it
  Card* nic = nullptr;
  Protocol* p = nullptr;
};

TEST_F(InsideItsHandler, AFilterGetsNowhereWithWhatIsNoHandle) {
  g->on_send = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
    auto* const inside = reinterpret_cast<NDIS_HANDLE>(reinterpret_cast<std::uintptr_t>(m.handle) + 8);
    for (const NDIS_HANDLE wrong : {NDIS_HANDLE{}, reinterpret_cast<NDIS_HANDLE>(~std::uintptr_t{0}),
                                    static_cast<NDIS_HANDLE>(&m), inside})
      NdisFSendNetBufferLists(wrong, chain, port, flags);
    EXPECT_TRUE(nic->sent.empty());
    NdisFSendNetBufferLists(m.handle, chain, port, flags);
  };
  p->send(some_frames(1));
  EXPECT_EQ(nic->sent, some_frames(1));
  EXPECT_EQ(p->completed.size(), 1U);
  expect(Lines(4, "NdisFSendNetBufferLists: handle"));
}

TEST_F(InsideItsHandler, AFilterThatPassesNoChainDoesNothing) {
  unsigned chains = 0;
  f->on_send = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
    ++chains;
    NdisFSendNetBufferLists(m.handle, chain, port, flags);
  };
  g->on_send = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
    NdisFSendNetBufferLists(m.handle, nullptr, port, flags);
    NdisFSendNetBufferListsComplete(m.handle, nullptr, 0);
    NdisFSendNetBufferLists(m.handle, chain, port, flags);
  };
  p->send(some_frames(1));
  EXPECT_EQ(nic->sent, some_frames(1));
  EXPECT_EQ(chains, 1U);
  EXPECT_EQ(p->completed.size(), 1U);
}

TEST_F(InsideItsHandler, AFilterMayHandOnTwiceInOneCall) {
  g->on_send = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
    NET_BUFFER_LIST* const rest = std::exchange(chain->Next, nullptr);
    NdisFSendNetBufferLists(m.handle, chain, port, flags);
    NdisFSendNetBufferLists(m.handle, rest, port, flags);
  };
  p->send(some_frames());
  EXPECT_EQ(nic->sent, some_frames());
  EXPECT_EQ(p->completed.size(), 3U);
}

// ---- cancellation ----

TEST_F(FilteredTraffic, CancelsGoThroughTheFiltersThatTakeThem) {
  FakeFilter& f = load(filter("f"));
  FakeFilter& g = filter("g");
  g.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.CancelSendNetBufferListsHandler = nullptr; };
  load(g);
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  int id = 0;
  as(p.driver, [&] { NdisCancelSendNetBufferLists(p.handle, &id); });
  EXPECT_EQ(f.count("FilterCancelSendNetBufferLists"), 1U);
  EXPECT_EQ(nic.cancelled, std::vector<void*>{&id});
}

}  // namespace
}  // namespace undis::test
