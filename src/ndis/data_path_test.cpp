// SPDX-License-Identifier: MIT
//
// Sends and receives between every pair of generations: byte for byte, in order, each item back where it came
// from.
//
// Pages   ndis/nf-ndis-ndissendnetbufferlists, ndis/nf-ndis-ndismindicatereceivenetbufferlists
#include <tuple>

#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);

std::vector<Bytes> some_frames(std::size_t count = 5) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back(frame(1, 46 + i * 101, static_cast<unsigned>(i)));
  return frames;
}

/// Card's and protocol's generation.
class BetweenDrivers : public Traffic, public ::testing::WithParamInterface<std::tuple<bool, bool>> {
 protected:
  bool card6() const { return std::get<0>(GetParam()); }
  bool protocol6() const { return std::get<1>(GetParam()); }
};

std::string name_of(const ::testing::TestParamInfo<std::tuple<bool, bool>>& info) {
  return std::string("Card") + (std::get<0>(info.param) ? "6" : "5") + "Protocol" +
         (std::get<1>(info.param) ? "6" : "5");
}

INSTANTIATE_TEST_SUITE_P(All, BetweenDrivers, ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         name_of);

TEST_P(BetweenDrivers, SendsArriveByteForByteAndInOrder) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  const std::vector<Bytes> frames = some_frames();
  p.send(frames);
  EXPECT_EQ(nic.sent, frames);
  EXPECT_EQ(p.completed, std::vector<NDIS_STATUS>(frames.size(), kSuccess));
  EXPECT_EQ(p.completed_order, (std::vector<unsigned>{0, 1, 2, 3, 4}));
}

TEST_P(BetweenDrivers, SendsThatTheMiniportHoldsAreCompletedLater) {
  Card& nic = start(card(card6()));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", protocol6());
  const std::vector<Bytes> frames = some_frames(3);
  p.send(frames);
  EXPECT_EQ(nic.sent, frames);
  EXPECT_TRUE(p.completed.empty());
  EXPECT_EQ(nic.adapter->sends.inside(), counted(3, card6() && protocol6()));
  nic.complete_held(NDIS_STATUS_FAILURE);
  EXPECT_EQ(p.completed, std::vector<NDIS_STATUS>(3, static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE)));
  EXPECT_EQ(nic.adapter->sends.inside(), 0U);
}

TEST_P(BetweenDrivers, WhatTwoProtocolsSentAndIsCompletedTogetherGoesBackToEach) {
  Card& nic = start(card(card6()));
  Protocol& first = protocol("first", protocol6());
  Protocol& second = protocol("second", protocol6());
  const std::vector<Bytes> frames = some_frames(2);
  first.send(frames);  // alone so far
  EXPECT_EQ(first.completed.size(), 2U);
  nic.hold_sends = true;
  first.send(frames);
  second.send(frames);
  first.send(frames);
  EXPECT_EQ(nic.sent.size(), 8U);
  nic.complete_held();
  EXPECT_EQ(first.completed, std::vector<NDIS_STATUS>(6, kSuccess));
  EXPECT_EQ(second.completed, std::vector<NDIS_STATUS>(2, kSuccess));
}

TEST_P(BetweenDrivers, ReceivesArriveByteForByteAndInOrder) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  const std::vector<Bytes> frames = some_frames();
  nic.indicate(frames);
  EXPECT_EQ(p.received, frames);
  EXPECT_EQ(nic.returned, frames);
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_P(BetweenDrivers, WhatAProtocolKeepsComesBackWhenItReturnsIt) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  p.keep = true;
  const std::vector<Bytes> frames = some_frames(3);
  nic.indicate(frames);
  EXPECT_EQ(p.received, frames);
  EXPECT_TRUE(nic.returned.empty());
  EXPECT_EQ(nic.adapter->receives.inside(), counted(3, card6() && protocol6()));
  p.return_kept();
  EXPECT_EQ(nic.returned, frames);
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_P(BetweenDrivers, EveryBindingGetsItsFramesAndTheMiniportEachOfItsOwnBackOnce) {
  Card& nic = start(card(card6()));
  Protocol& first = protocol("first", protocol6());
  Protocol& second = protocol("second", true);
  Protocol& third = protocol("third", false);
  first.keep = second.keep = third.keep = true;
  const std::vector<Bytes> frames = some_frames(4);
  nic.indicate(frames);
  EXPECT_EQ(first.received, frames);
  EXPECT_EQ(second.received, frames);
  EXPECT_EQ(third.received, frames);
  third.return_kept();
  first.return_kept();
  EXPECT_TRUE(nic.returned.empty());
  second.return_kept();
  EXPECT_EQ(nic.returned.size(), frames.size());
}

TEST_P(BetweenDrivers, WhatIsOnlyShownIsTheMiniportsAgainWhenTheCallReturns) {
  Card& nic = start(card(card6()));
  Protocol& first = protocol("first", protocol6());
  Protocol& second = protocol("second", !protocol6());
  const std::vector<Bytes> frames = some_frames(3);
  nic.indicate(frames,
               NDIS_RECEIVE_FLAGS_RESOURCES);  // takes its own back at once; a failed free would be told
  EXPECT_EQ(first.received, frames);
  EXPECT_EQ(second.received, frames);
  EXPECT_TRUE(nic.returned.empty());
}

TEST_P(BetweenDrivers, AFrameForNobodyGoesBackAtOnce) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  nic.indicate({frame(7, 60), frame(1, 60), frame(0x101, 60)});
  EXPECT_EQ(p.received, (std::vector<Bytes>{frame(1, 60)}));
  EXPECT_EQ(nic.returned.size(), 3U);
}

// LIFE-232
TEST_P(BetweenDrivers, ZeroFilterReceivesNothing) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6(), 0);
  nic.indicate(some_frames(2));
  EXPECT_TRUE(p.received.empty());
  EXPECT_EQ(nic.returned.size(), 2U);
}

TEST_P(BetweenDrivers, TheFilterOfABindingDecides) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6(), NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST);
  const Bytes group = frame(0x105, 60);
  p.set_multicast(Bytes(group.begin(), group.begin() + 6));
  const std::vector<Bytes> all = {frame(1, 60), group, frame(0x106, 60), frame(0xFF, 60)};
  nic.indicate(all);
  EXPECT_EQ(p.received, (std::vector<Bytes>{group, frame(0xFF, 60)}));
  p.received.clear();
  p.set_filter(NDIS_PACKET_TYPE_ALL_MULTICAST);
  nic.indicate(all);
  EXPECT_EQ(p.received, (std::vector<Bytes>{group, frame(0x106, 60)}));
  p.received.clear();
  p.set_filter(NDIS_PACKET_TYPE_PROMISCUOUS);
  nic.indicate(all);
  EXPECT_EQ(p.received, all);
}

// LIFE-141, LIFE-261
TEST_P(BetweenDrivers, SendsOfAPausedBindingFailAtOnceAndOnlyA6ProtocolIsToldOf) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  pause_stack(*nic.adapter);
  p.send(some_frames(2));
  EXPECT_TRUE(nic.sent.empty());
  const auto status = static_cast<NDIS_STATUS>(protocol6() ? NDIS_STATUS_PAUSED : NDIS_STATUS_FAILURE);
  EXPECT_EQ(p.completed, (std::vector<NDIS_STATUS>{status, status}));
  EXPECT_EQ(seen.blank_moves, protocol6() ? Lines{"binding Paused SendReceive"} : Lines{});
  restart_stack(*nic.adapter);
  p.send(some_frames(1));
  EXPECT_EQ(nic.sent.size(), 1U);
}

// LIFE-142, LIFE-133
TEST_P(BetweenDrivers, IndicationsOfAPausedAdapterGoBackAtOnceAndOnlyA6MiniportIsToldOf) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  pause_stack(*nic.adapter);
  nic.indicate(some_frames(2));
  EXPECT_TRUE(p.received.empty());
  EXPECT_EQ(nic.returned.size(), 2U);
  EXPECT_EQ(seen.blank_moves, card6() ? Lines{"adapter Paused SendReceive"} : Lines{});
}

TEST_P(BetweenDrivers, ACancelReachesTheMiniportWithItsId) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  int id = 0;
  as(p.driver, [&] {
    if (p.version6)
      NdisCancelSendNetBufferLists(p.handle, &id);
    else
      NdisCancelSendPackets(p.handle, &id);
  });
  EXPECT_EQ(nic.cancelled, (std::vector<void*>{&id}));
}

TEST_P(BetweenDrivers, CallbacksComeAtTheIrqlOfTheCaller) {
  Card& nic = start(card(card6()));
  Protocol& p = protocol("proto", protocol6());
  p.send(some_frames(1));
  {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    p.send(some_frames(1), protocol6() ? NDIS_SEND_FLAGS_DISPATCH_LEVEL : 0U);
  }
  EXPECT_EQ(nic.send_irqls.front(), PASSIVE_LEVEL);
  EXPECT_EQ(nic.send_irqls.back(), DISPATCH_LEVEL);
}

TEST_P(BetweenDrivers, EmptyHandedDriversLeaveNothingOfNdisBehindUnderEverySchedule) {
  for (const char* schedule : {"1", "2", "7f3a", "c0ffee", "5eed"}) {
    restart(schedule);
    Card& nic = start(card(card6()));
    Protocol& p = protocol("proto", protocol6());
    Protocol& q = protocol("other", !protocol6());
    p.keep = true;
    ASSERT_EQ(system->run("traffic",
                          [&] {
                            p.send(some_frames(3));
                            nic.indicate(some_frames(4));
                            q.send(some_frames(2));
                            p.return_kept();
                          }),
              kernel::Outcome::Idle);
    EXPECT_EQ(nic.sent.size(), 5U) << schedule;
    EXPECT_EQ(p.received.size(), 4U) << schedule;
    EXPECT_EQ(q.received.size(), 4U) << schedule;
    TearDown();
  }
  tears_down = false;
}

// ---- one generation only ----

class Sending6 : public Traffic {};

TEST_F(Sending6, AListWithSeveralBuffersGoesThroughAsOneAndAcrossTheBorderAsOnePacketEach) {
  for (const bool card6 : {true, false}) {
    restart("0");
    Card& nic = start(card(card6));
    nic.hold_sends = true;
    Protocol& p = protocol("proto", true);
    const std::vector<Bytes> frames = some_frames(3);
    p.send_in_one_list(frames);
    EXPECT_EQ(nic.sent, frames);
    EXPECT_EQ(nic.adapter->sends.inside(), card6 ? counted(1, true) : 3U);
    nic.complete_held();
    EXPECT_EQ(p.completed, (std::vector<NDIS_STATUS>{kSuccess}));
    TearDown();
  }
  tears_down = false;
}

TEST_F(Sending6, CompletingAListTwiceIsTold) {
  Card& nic = start(card(true));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", true);
  p.send(some_frames(1));
  NET_BUFFER_LIST* const list = nic.held_lists.front();
  nic.complete_held();
  as(nic.driver, [&] { NdisMSendNetBufferListsComplete(nic.handle, list, 0); });
  EXPECT_EQ(p.completed.size(), 1U);
  expect({"NdisMSendNetBufferListsComplete: NblDoubleComplete"});
}

TEST_F(Sending6, FreeingAListThatIsSentIsTold) {
  Card& nic = start(card(true));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", true);
  p.send(some_frames(1));
  as(p.driver, [&] { NdisFreeNetBufferList(nic.held_lists.front()); });
  nic.complete_held();
  EXPECT_EQ(p.completed.size(), 1U);
  expect({"NdisFreeNetBufferList: NblMisuse"});
}

TEST_F(Sending6, SendingAListThatIsSentIsTold) {
  Card& nic = start(card(true));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", true);
  p.send(some_frames(1));
  as(p.driver, [&] { NdisSendNetBufferLists(p.handle, nic.held_lists.front(), 0, 0); });
  EXPECT_EQ(nic.held_lists.size(), 1U);
  nic.complete_held();
  expect({"NdisSendNetBufferLists: NblMisuse"});
}

TEST_F(Sending6, SendingWhatIsNoListIsTold) {
  start(card(true));
  Protocol& p = protocol("proto", true);
  NET_BUFFER_LIST on_stack{};
  as(p.driver, [&] { NdisSendNetBufferLists(p.handle, &on_stack, 0, 0); });
  expect({"NdisSendNetBufferLists: NblMisuse"});
}

TEST_F(Sending6, AListWithAnotherSourceHandleIsToldAndComesBackAllTheSame) {
  start(card(true));
  Protocol& p = protocol("proto", true);
  as(p.driver, [&] {
    NET_BUFFER_LIST* const list = p.make_list({frame(1, 60)});
    list->SourceHandle = nullptr;
    NdisSendNetBufferLists(p.handle, list, 0, 0);
  });
  EXPECT_EQ(p.completed.size(), 1U);
  expect({"NdisSendNetBufferLists: NblMisuse"});
}

TEST_F(Sending6, HoldersAreToldAtEachHandOver) {
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  seen.items.clear();
  p.send(some_frames(1));
  std::vector<ItemEvent::What> what;
  for (const ItemEvent& e : seen.items)
    if (e.kind == ItemKind::NetBufferList) what.push_back(e.what);
  using enum ItemEvent::What;
  EXPECT_EQ(what, (std::vector<ItemEvent::What>{Allocated, Sent, SendCompleted, Freed}));
  static_cast<void>(nic);
}

class Receiving6 : public Traffic {};

TEST_F(Receiving6, ReturningAListTwiceIsTold) {
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  p.keep = true;
  nic.indicate(some_frames(1));
  NET_BUFFER_LIST* const list = p.kept_lists.front();
  p.return_kept();
  as(p.driver, [&] { NdisReturnNetBufferLists(p.handle, list, 0); });
  EXPECT_EQ(nic.returned.size(), 1U);
  expect({"NdisReturnNetBufferLists: NblDoubleComplete"});
}

TEST_F(Receiving6, ReturningWhatWasOnlyShownIsTold) {
  Card& nic = start(card(true));
  Protocol& p = protocol("proto", true);
  p.on_lists = [&](NET_BUFFER_LIST* chain, ULONG) { NdisReturnNetBufferLists(p.handle, chain, 0); };
  nic.indicate(some_frames(1), NDIS_RECEIVE_FLAGS_RESOURCES);
  EXPECT_TRUE(nic.returned.empty());
  expect({"NdisReturnNetBufferLists: NblMisuse"});
}

TEST_F(Receiving6, LoopbackGoesToTheOthersAndOnRequestToTheSender) {
  start(card(true));
  Protocol& sender = protocol("sender", true, NDIS_PACKET_TYPE_BROADCAST);
  Protocol& sniffer6 = protocol("sniffer6", true, NDIS_PACKET_TYPE_PROMISCUOUS);
  Protocol& sniffer5 = protocol("sniffer5", false, NDIS_PACKET_TYPE_PROMISCUOUS);
  Protocol& shy = protocol("shy", true, NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_NO_LOCAL);
  const Bytes bytes = frame(0xFF, 80);
  sender.send({bytes});
  EXPECT_TRUE(sender.received.empty());
  EXPECT_EQ(sniffer6.received, (std::vector<Bytes>{bytes}));
  EXPECT_EQ(sniffer6.loopbacks, (std::vector<bool>{true}));
  EXPECT_EQ(sniffer5.received, (std::vector<Bytes>{bytes}));
  EXPECT_EQ(sniffer5.loopbacks, (std::vector<bool>{true}));
  EXPECT_TRUE(shy.received.empty());
  sender.send({bytes}, NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK);
  EXPECT_EQ(sender.received, (std::vector<Bytes>{bytes}));
}

TEST_F(Receiving6, NothingIsLoopedBackWhereNobodyAsks) {
  start(card(true));
  Protocol& sender = protocol("sender", true);
  Protocol& other = protocol("other", true);
  sender.send({frame(1, 80), frame(0xFF, 80)});
  EXPECT_TRUE(other.received.empty());
}

// ---- status ----

class IndicatingStatus : public Traffic {};

TEST_F(IndicatingStatus, AMediaChangeOfA5MiniportIsALinkStateFor6) {
  Card& nic = start(card(false));
  Protocol& five = protocol("five", false);
  Protocol& six = protocol("six", true);
  as(nic.driver, [&] {
    NdisMIndicateStatus(nic.handle, NDIS_STATUS_MEDIA_DISCONNECT, nullptr, 0);
    NdisMIndicateStatusComplete(nic.handle);
  });
  EXPECT_EQ(five.statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_MEDIA_DISCONNECT}));
  EXPECT_EQ(five.status_completes, 1U);
  EXPECT_EQ(six.statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_LINK_STATE}));
  EXPECT_EQ(nic.adapter->traits().connect_state, MediaConnectStateDisconnected);
}

TEST_F(IndicatingStatus, ALinkStateOfA6MiniportIsAMediaOrSpeedChangeFor5) {
  Card& nic = start(card(true));
  Protocol& five = protocol("five", false);
  Protocol& six = protocol("six", true);
  NDIS_LINK_STATE state{};
  state.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_LINK_STATE_REVISION_1, NDIS_SIZEOF_LINK_STATE_REVISION_1};
  state.MediaConnectState = MediaConnectStateDisconnected;
  state.XmitLinkSpeed = state.RcvLinkSpeed = 1'000'000'000;
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.SourceHandle = nic.handle;
  indication.StatusCode = NDIS_STATUS_LINK_STATE;
  indication.StatusBuffer = &state;
  indication.StatusBufferSize = sizeof(state);
  as(nic.driver, [&] { NdisMIndicateStatusEx(nic.handle, &indication); });
  EXPECT_EQ(six.statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_LINK_STATE}));
  EXPECT_EQ(five.statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_MEDIA_DISCONNECT}));
  state.XmitLinkSpeed = state.RcvLinkSpeed = 100'000'000;
  as(nic.driver, [&] { NdisMIndicateStatusEx(nic.handle, &indication); });
  EXPECT_EQ(five.statuses.back(), static_cast<NDIS_STATUS>(NDIS_STATUS_LINK_SPEED_CHANGE));
  EXPECT_EQ(five.status_completes, 2U);
}

}  // namespace
}  // namespace undis::test
