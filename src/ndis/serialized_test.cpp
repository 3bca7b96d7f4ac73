// SPDX-License-Identifier: MIT
//
// Serialized miniports: NDIS calls one function of the driver at a time, its timers' included.
#include <fmt/format.h>

#include "ndis/send_queue.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr std::uint64_t kMs = 10'000;  // ticks

class SerializedMiniport : public Traffic {
 protected:
  struct Timed {
    Card* card;
    unsigned calls = 0;
    KIRQL irql = PASSIVE_LEVEL;
    NDIS_MINIPORT_TIMER timer{};
  };
  static void fire(PVOID, PVOID context, PVOID, PVOID) {
    Timed& timed = *static_cast<Timed*>(context);
    timed.card->most_inside = std::max(timed.card->most_inside, ++timed.card->inside);
    ++timed.calls;
    timed.irql = kernel::irql();
    kernel::schedule_point("in the timer function");
    --timed.card->inside;
  }
  Card& start_card(bool serialized = true) {
    Card& made = card(false);
    made.serialized = serialized;
    made.send_packets = false;
    return start(made);
  }
  void initialize(Timed& timed) {
    as(timed.card->driver, [&] { NdisMInitializeTimer(&timed.timer, timed.card->handle, &fire, &timed); });
    KeSetTargetProcessorDpc(&timed.timer.Dpc, 1);  // where the sender is not, as often as the schedule likes
  }
  /// Long enough for any timer that is due, with a place for other processors to go on at each step.
  static void stall() {
    for (int i = 0; i < 20; ++i) {
      KeStallExecutionProcessor(10);
      kernel::schedule_point("in MiniportSend");
    }
  }
};

TEST_F(SerializedMiniport, RunsNoTimerFunctionWhileItSends) {
  std::size_t waited = 0;
  for (int seed = 0; seed < 60; ++seed) {
    restart(fmt::format("{:x}", seed).c_str());
    Card& nic = start_card();
    Protocol& p = protocol("proto", false);
    Timed timed{&nic};
    initialize(timed);
    nic.on_send5 = [&](NDIS_PACKET*) {
      NdisMSetTimer(&timed.timer, 0);
      stall();
      const kernel::Hold hold(nic.adapter->send_queue.lock);
      waited += nic.adapter->send_queue.turns.size();
      return kSuccess;
    };
    system->run("send", [&] { EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess); });
    system->advance(kMs);
    EXPECT_EQ(timed.calls, 1U) << "schedule " << seed;
    EXPECT_EQ(timed.irql, DISPATCH_LEVEL);
    EXPECT_EQ(nic.most_inside, 1U) << "schedule " << seed;
    TearDown();
  }
  EXPECT_GT(waited, 0U) << "the timer was due while the driver was inside MiniportSend in no schedule";
  tears_down = false;
}

TEST_F(SerializedMiniport, RunsNoTwoTimerFunctionsAtOnce) {
  for (int seed = 0; seed < 40; ++seed) {
    restart(fmt::format("{:x}", seed).c_str());
    Card& nic = start_card();
    Timed one{&nic};
    Timed two{&nic};
    initialize(one);
    initialize(two);
    as(nic.driver, [&] {
      NdisMSetPeriodicTimer(&one.timer, 1);
      NdisMSetPeriodicTimer(&two.timer, 1);
    });
    system->advance(5 * kMs);
    EXPECT_GE(one.calls, 4U);
    EXPECT_GE(two.calls, 4U);
    EXPECT_EQ(nic.most_inside, 1U) << "schedule " << seed;
    as(nic.driver, [&] {
      NdisMCancelTimer(&one.timer, nullptr);
      NdisMCancelTimer(&two.timer, nullptr);
    });
    TearDown();
  }
  tears_down = false;
}

TEST_F(SerializedMiniport, NeverCallsATimerFunctionThatWasCancelledWhileItStoodInLine) {
  std::size_t in_line = 0;
  for (int seed = 0; seed < 60; ++seed) {
    restart(fmt::format("{:x}", seed).c_str());
    Card& nic = start_card();
    Protocol& p = protocol("proto", false);
    Timed timed{&nic};
    initialize(timed);
    BOOLEAN cancelled = FALSE;
    nic.on_send5 = [&](NDIS_PACKET*) {
      NdisMSetTimer(&timed.timer, 0);
      stall();
      {
        const kernel::Hold hold(nic.adapter->send_queue.lock);
        in_line += nic.adapter->send_queue.turns.size();
      }
      NdisMCancelTimer(&timed.timer, &cancelled);
      return kSuccess;
    };
    system->run("send", [&] { EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess); });
    system->advance(kMs);
    EXPECT_EQ(timed.calls, cancelled ? 0U : 1U) << "schedule " << seed;
    TearDown();
  }
  EXPECT_GT(in_line, 0U);
  tears_down = false;
}

TEST_F(SerializedMiniport, HasItsTurnsInOrderAndBeforePacketsThatWait) {
  Card& nic = start_card();
  Protocol& p = protocol("proto", false);
  std::vector<std::string> order;
  nic.on_send5 = [&](NDIS_PACKET*) {
    order.push_back("send");
    if (order.size() == 1) {
      p.send({frame(1, 61)});
      call_in_turn(*nic.adapter, &order, [&] { order.push_back("one"); });
      call_in_turn(*nic.adapter, &nic, [&] { order.push_back("two"); });
      call_in_turn(*nic.adapter, &p, [&] { order.push_back("never"); });
      EXPECT_TRUE(take_out_of_line(*nic.adapter, &p));
      EXPECT_FALSE(take_out_of_line(*nic.adapter, &p));
      order.push_back("send returns");
    }
    return kSuccess;
  };
  EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess);
  EXPECT_EQ(order, (std::vector<std::string>{"send", "send returns", "one", "two", "send"}));
}

TEST_F(SerializedMiniport, WhoIsDeserializedWaitsForNoTurn) {
  Card& nic = start_card(false);
  Protocol& p = protocol("proto", false);
  bool at_once = false;
  nic.on_send5 = [&](NDIS_PACKET*) {
    call_in_turn(*nic.adapter, &at_once, [&] { at_once = true; });
    EXPECT_TRUE(at_once);
    return kSuccess;
  };
  EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess);
}

// LIFE-153
TEST_F(SerializedMiniport, ATimerThatExpiresAfterTheHaltIsToldAndItsFunctionIsNotCalled) {
  Card& nic = start_card();
  Timed timed{&nic};
  initialize(timed);
  nic.on_halt = [&] { NdisMSetTimer(&timed.timer, 5); };
  system->run("halt", [&] { remove_device(*nic.adapter); });
  nic.on_halt = nullptr;
  nic.adapter = nullptr;
  system->advance(10 * kMs);
  EXPECT_EQ(timed.calls, 0U);
  expect({"MiniportTimer: HaltNoOutstanding"});
}

}  // namespace
}  // namespace undis::test
