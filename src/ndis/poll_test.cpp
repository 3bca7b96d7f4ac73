// SPDX-License-Identifier: MIT
//
// Poll objects. Pages: poll/nf-poll-ndisregisterpoll, -ndisderegisterpoll, -ndisrequestpoll,
// -ndissetpollaffinity, poll/nc-poll-ndis_poll, poll/nc-poll-ndis_set_poll_notification.
#include <string>

#include "ndis/poll.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);

/// A card whose data path is a poll object.
class PollObjects : public Traffic {
 protected:
  void begin(const char* schedule = "0") {
    restart(schedule);
    nic = &card(true);
    nic->minor = 85;
    nic->hold_sends = true;
    nic->on_halt = [this] {
      if (poll != nullptr) NdisDeregisterPoll(std::exchange(poll, nullptr));
    };
    start(*nic);
    proto = &protocol("proto", true);
    as(nic->driver, [&] { ASSERT_EQ(register_poll(), STATUS_SUCCESS); });
  }
  static NDIS_POLL_CHARACTERISTICS characteristics() {
    NDIS_POLL_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_POLL_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_NDIS_POLL_CHARACTERISTICS_REVISION_1};
    c.PollHandler = [](void* context, NDIS_POLL_DATA* data) {
      static_cast<PollObjects*>(context)->polled(*data);
    };
    c.SetPollNotificationHandler = [](void* context, NDIS_POLL_NOTIFICATION* n) {
      auto& test = *static_cast<PollObjects*>(context);
      EXPECT_FALSE(test.inside);
      test.enabled.push_back(n->Enabled != FALSE);
      if (test.on_notification) test.on_notification();
    };
    return c;
  }
  NTSTATUS register_poll() {
    const NDIS_POLL_CHARACTERISTICS c = characteristics();
    return NdisRegisterPoll(nic->handle, this, &c, &poll);
  }
  void request() {
    as(nic->driver, [&] { NdisRequestPoll(poll, nullptr); });
    settle();
  }
  void polled(NDIS_POLL_DATA& data) {
    EXPECT_FALSE(inside) << "called while it runs";
    EXPECT_LE(kernel::irql(), DISPATCH_LEVEL);
    inside = true;
    ++polls;
    irqls.push_back(kernel::irql());
    processors.push_back(machine::processor_here->index);
    if (on_poll) on_poll();
    NET_BUFFER_LIST** end = &data.Receive.IndicatedNblChain;
    for (; !arrived.empty() && data.Receive.NumberOfIndicatedNbls < data.Receive.MaxNblsToIndicate;
         arrived.pop_front()) {
      *end = nic->make_list(arrived.front());
      end = &(*end)->Next;
      ++data.Receive.NumberOfIndicatedNbls;
    }
    end = &data.Transmit.CompletedNblChain;
    for (; !nic->held_lists.empty() && data.Transmit.NumberOfCompletedNbls < data.Transmit.MaxNblsToComplete;
         nic->held_lists.pop_front()) {
      *end = nic->held_lists.front();
      (*end)->Next = nullptr;
      end = &(*end)->Next;
      ++data.Transmit.NumberOfCompletedNbls;
    }
    if (spoil) spoil(data);
    inside = false;
  }

  Card* nic = nullptr;
  Protocol* proto = nullptr;
  NDIS_POLL_HANDLE poll = nullptr;
  std::deque<Bytes> arrived;
  std::function<void()> on_poll;
  std::function<void()> on_notification;
  std::function<void(NDIS_POLL_DATA&)> spoil;
  bool inside = false;
  unsigned polls = 0;
  std::vector<bool> enabled;
  std::vector<KIRQL> irqls;
  std::vector<unsigned> processors;
};

TEST_F(PollObjects, AreAskedUntilTheyBringNothing) {
  begin();
  std::vector<Bytes> frames;
  for (unsigned i = 0; i < 150; ++i) frames.push_back(frame(1, 60 + i, i));
  arrived.assign(frames.begin(), frames.end());
  request();
  EXPECT_EQ(proto->received, frames);
  EXPECT_EQ(polls, 4U) << "64, 64, 22, none";
  EXPECT_EQ(enabled, std::vector<bool>{true}) << "the interrupt may come again, once";
  EXPECT_EQ(nic->returned.size(), frames.size());
}

TEST_F(PollObjects, CompleteSends) {
  begin();
  proto->send({frame(1, 60, 1), frame(1, 61, 2), frame(1, 62, 3)});
  EXPECT_TRUE(proto->completed.empty());
  request();
  EXPECT_EQ(proto->completed, std::vector<NDIS_STATUS>(3, kSuccess));
  EXPECT_EQ(enabled, std::vector<bool>{true});
}

TEST_F(PollObjects, AreAskedAtLeastOnceForARequest) {
  begin();
  request();
  EXPECT_EQ(polls, 1U);
  EXPECT_EQ(irqls, std::vector<KIRQL>{DISPATCH_LEVEL});
  on_poll = [&] {
    if (polls == 2) NdisRequestPoll(poll, nullptr);
  };
  request();
  EXPECT_EQ(polls, 3U) << "a request that comes while it is asked counts";
  on_poll = nullptr;
  on_notification = [&] {
    if (polls == 4) NdisRequestPoll(poll, nullptr);
  };
  request();
  EXPECT_EQ(polls, 5U) << "and so does one that comes with the interrupt";
}

TEST_F(PollObjects, GoOnAtPassiveLevelWhenABurstIsLong) {
  begin();
  for (unsigned i = 0; i < 64 * 6; ++i) arrived.push_back(frame(1, 60, i));
  request();
  EXPECT_EQ(proto->received.size(), 64U * 6);
  EXPECT_EQ(irqls.front(), DISPATCH_LEVEL);
  EXPECT_EQ(irqls.back(), PASSIVE_LEVEL);
}

TEST_F(PollObjects, StayOnTheProcessorThatTheyAreGiven) {
  begin();
  for (const UCHAR processor : {UCHAR{1}, UCHAR{0}}) {
    const PROCESSOR_NUMBER number{0, processor, 0};
    as(nic->driver, [&] { NdisSetPollAffinity(poll, &number); });
    for (unsigned i = 0; i < 64 * 6; ++i) arrived.push_back(frame(1, 60, i));
    processors.clear();
    request();
    EXPECT_EQ(processors, std::vector<unsigned>(7, processor));
  }
  const PROCESSOR_NUMBER none{0, 63, 0};
  as(nic->driver, [&] {
    NdisSetPollAffinity(poll, &none);
    NdisSetPollAffinity(poll, nullptr);
  });
  expect({"NdisSetPollAffinity: PollAffinity", "NdisSetPollAffinity: PollAffinity"});
}

TEST_F(PollObjects, ThatSayAWrongNumberOrBringTooMuchAreTold) {
  begin();
  arrived.push_back(frame(1, 60, 1));
  spoil = [](NDIS_POLL_DATA& data) {
    if (data.Receive.IndicatedNblChain != nullptr) data.Receive.NumberOfIndicatedNbls = 2;
  };
  request();
  EXPECT_EQ(proto->received.size(), 1U) << "it goes up all the same";
  spoil = [&](NDIS_POLL_DATA& data) {
    if (polls != 3) return;
    for (unsigned i = 0; i <= data.Receive.MaxNblsToIndicate; ++i) {
      NET_BUFFER_LIST* const list = nic->make_list(frame(1, 60, i));
      list->Next = data.Receive.IndicatedNblChain;
      data.Receive.IndicatedNblChain = list;
    }
    data.Receive.NumberOfIndicatedNbls = NDIS_ANY_NUMBER_OF_NBLS;
  };
  request();
  EXPECT_EQ(proto->received.size(), 66U);
  expect({"NdisPoll: PollCount", "NdisPoll: PollLimit"});
}

TEST_F(PollObjects, NeedCompleteCharacteristics) {
  begin();
  as(nic->driver, [&] {
    NDIS_POLL_HANDLE other = nullptr;
    NDIS_POLL_CHARACTERISTICS c = characteristics();
    EXPECT_EQ(NdisRegisterPoll(nic->handle, this, nullptr, &other), STATUS_INVALID_PARAMETER);
    EXPECT_EQ(NdisRegisterPoll(nic->handle, this, &c, nullptr), STATUS_INVALID_PARAMETER);
    c.PollHandler = nullptr;
    EXPECT_EQ(NdisRegisterPoll(nic->handle, this, &c, &other), STATUS_INVALID_PARAMETER);
    c = characteristics();
    c.Header.Size = 4;
    EXPECT_EQ(NdisRegisterPoll(nic->handle, this, &c, &other), STATUS_INVALID_PARAMETER);
    EXPECT_EQ(other, nullptr);
  });
  expect({"NdisRegisterPoll: ObjectHeaderValid"});
}

TEST_F(PollObjects, AreForMiniportsOf685) {
  nic = &start(card(true));
  as(nic->driver, [&] { EXPECT_EQ(register_poll(), STATUS_NOT_SUPPORTED); });
  EXPECT_EQ(poll, nullptr);
}

// LIFE-346
TEST_F(PollObjects, AreNotAskedAnyMoreWhenTheDeregistrationReturns) {
  unsigned met = 0;
  for (int seed = 0; seed < 60; ++seed) {
    begin(std::to_string(seed).c_str());
    polls = 0;
    bool deregistered = false;
    bool running_at_call = false;
    on_poll = [&] {
      EXPECT_FALSE(deregistered);
      for (int i = 0; i < 4; ++i) kernel::schedule_point("polling");
      EXPECT_FALSE(deregistered) << "it returned while NdisPoll ran";
      if (polls < 20) NdisRequestPoll(poll, nullptr);
    };
    system->spawn("deregister", [&] {
      as(nic->driver, [&] {
        NdisRequestPoll(poll, nullptr);
        for (int i = 0; i < 6; ++i) kernel::schedule_point("time to poll");
        running_at_call = inside;
        NdisDeregisterPoll(poll);
        deregistered = true;
        poll = nullptr;
      });
    });
    settle();
    EXPECT_TRUE(deregistered);
    met += running_at_call ? 1 : 0;
    TearDown();
    stop();
  }
  tears_down = false;
  EXPECT_GT(met, 0U) << "no schedule had NdisPoll running at the call";
}

TEST_F(PollObjects, ThatAreGoneOrLeftBehindAreTold) {
  begin();
  as(nic->driver, [&] {
    const NDIS_POLL_HANDLE gone = std::exchange(poll, nullptr);
    NdisDeregisterPoll(gone);
    NdisRequestPoll(gone, nullptr);
    NdisDeregisterPoll(gone);
    ASSERT_EQ(register_poll(), STATUS_SUCCESS);
    poll = nullptr;  // forgotten
  });
  settle();
  EXPECT_EQ(polls, 0U);
  expect({"NdisRequestPoll: handle", "NdisDeregisterPoll: handle",
          "left: a poll object of " + nic->adapter->name()});
}

}  // namespace
}  // namespace undis::test
