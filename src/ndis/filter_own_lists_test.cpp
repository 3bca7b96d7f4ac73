// SPDX-License-Identifier: MIT
//
// Lists that a filter originates: they end with it, whichever way they went. Page:
// network/filter-module-send-and-receive-operations.
#include "ndis/filtered_traffic_testing.h"

namespace undis::test {
namespace {

class AFiltersOwnLists : public FilteredTraffic {
 protected:
  void SetUp() override {
    low = &filter("low");
    f = &filter("f");
    top = &filter("top");
    f->on_send_complete = [this](FakeModule& m, NET_BUFFER_LIST* chain, ULONG flags) {
      take(m, chain, [&](NET_BUFFER_LIST* list) { NdisFSendNetBufferListsComplete(m.handle, list, flags); });
    };
    f->on_return = [this](FakeModule& m, NET_BUFFER_LIST* chain, ULONG flags) {
      take(m, chain, [&](NET_BUFFER_LIST* list) { NdisFReturnNetBufferLists(m.handle, list, flags); });
    };
    f->on_detach = [this](FakeModule&) {
      if (pool != nullptr) NdisFreeNetBufferListPool(std::exchange(pool, nullptr));
    };
    for (FakeFilter* each : {low, f, top}) load(*each);
    nic = &start(card(true));
    p = &protocol("proto", true);
  }
  void take(FakeModule& m, NET_BUFFER_LIST* chain, const std::function<void(NET_BUFFER_LIST*)>& pass) {
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = nullptr;
      if (chain->SourceHandle == m.handle) {
        own_back.push_back(chain->Status);
        free_list(chain);
      } else {
        pass(chain);
      }
      chain = next;
    }
  }
  void send_own(const Bytes& bytes) {
    NET_BUFFER_LIST* const list = own_list(*f, bytes);
    as(f->driver(), [&] { NdisFSendNetBufferLists(f->module().handle, list, 0, 0); });
  }
  void indicate_own(const Bytes& bytes, ULONG flags = 0) {
    NET_BUFFER_LIST* const list = own_list(*f, bytes);
    as(f->driver(), [&] {
      NdisFIndicateReceiveNetBufferLists(f->module().handle, list, 0, 1, flags);
      if ((flags & NDIS_RECEIVE_FLAGS_RESOURCES) != 0) free_list(list);
    });
  }
  FakeFilter* low = nullptr;
  FakeFilter* f = nullptr;
  FakeFilter* top = nullptr;
  Card* nic = nullptr;
  Protocol* p = nullptr;
  std::vector<NDIS_STATUS> own_back;
};

TEST_F(AFiltersOwnLists, GoDownFromItAndComeBackToItOnly) {
  send_own(frame(1, 100));
  EXPECT_EQ(nic->sent, std::vector<Bytes>{frame(1, 100)});
  EXPECT_EQ(own_back, std::vector<NDIS_STATUS>{kSuccess});
  EXPECT_EQ(low->count("FilterSendNetBufferLists "), 1U);
  EXPECT_EQ(low->count("FilterSendNetBufferListsComplete"), 1U);
  EXPECT_EQ(top->count("FilterSend"), 0U);
  EXPECT_EQ(module(*f)->own_sends.inside(), 0U);
}

TEST_F(AFiltersOwnLists, ComeBackTogetherWithThoseOfOthers) {
  nic->hold_sends = true;
  p->send(some_frames(1));
  send_own(frame(1, 100));
  p->send(some_frames(1));
  EXPECT_EQ(module(*f)->own_sends.inside(), 1U);
  nic->complete_held();
  EXPECT_EQ(own_back.size(), 1U);
  EXPECT_EQ(p->completed.size(), 2U);
}

TEST_F(AFiltersOwnLists, GoUpFromItAndComeBackToItOnly) {
  indicate_own(frame(1, 100));
  EXPECT_EQ(p->received, std::vector<Bytes>{frame(1, 100)});
  EXPECT_EQ(own_back.size(), 1U);
  EXPECT_EQ(top->count("FilterReceiveNetBufferLists"), 1U);
  EXPECT_EQ(top->count("FilterReturnNetBufferLists"), 1U);
  EXPECT_EQ(low->count("FilterReceive") + low->count("FilterReturn"), 0U);
  EXPECT_TRUE(nic->returned.empty());
}

TEST_F(AFiltersOwnLists, AreItsAgainWhenTheCallReturnsIfTheyAreOnlyShown) {
  indicate_own(frame(1, 100), NDIS_RECEIVE_FLAGS_RESOURCES);
  EXPECT_EQ(p->received, std::vector<Bytes>{frame(1, 100)});
  EXPECT_TRUE(own_back.empty());
  EXPECT_EQ(module(*f)->own_receives.inside(), 0U);
}

// LIFE-290
TEST_F(AFiltersOwnLists, AreCompletedAtOnceWhileItIsPaused) {
  pause_stack(*nic->adapter);
  send_own(frame(1, 100));
  EXPECT_EQ(own_back, std::vector<NDIS_STATUS>{kPaused});
  indicate_own(frame(1, 100));
  EXPECT_EQ(own_back.size(), 2U);
  EXPECT_EQ(seen.blank_moves,
            (Lines{"filter module Paused SendReceive", "filter module Paused SendReceive"}));
  restart_stack(*nic->adapter);
  send_own(frame(1, 100));
  EXPECT_EQ(own_back.back(), kSuccess);
}

// LIFE-289
TEST_F(AFiltersOwnLists, OfAThreadThatFilterPauseOvertookAreWaitedFor) {
  nic->hold_sends = true;
  f->on_pause = [this](FakeModule& m) {
    kernel::queue_work("the thread", [this, &m] {
      send_own(frame(1, 100));
      EXPECT_EQ(module(*f)->own_sends.inside(), 1U);
      kernel::queue_work("the card", [this, &m] {
        nic->complete_held();
        as(f->driver(), [&] { NdisFPauseComplete(m.handle); });
      });
    });
    return NDIS_STATUS_PENDING;
  };
  system->run("pause", [&] { cycle_stack(*nic->adapter, NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(own_back, std::vector<NDIS_STATUS>{kSuccess});
  EXPECT_TRUE(seen.blank_moves.empty());
  f->on_pause = nullptr;
}

// LIFE-290
TEST_F(AFiltersOwnLists, SentInsideFilterPauseComeBackAtOnce) {
  f->on_pause = [this](FakeModule&) {
    send_own(frame(1, 100));
    return NDIS_STATUS_SUCCESS;
  };
  system->run("pause", [&] { cycle_stack(*nic->adapter, NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(own_back, std::vector<NDIS_STATUS>{kPaused});
  EXPECT_EQ(seen.blank_moves, Lines{"filter module Pausing SendReceive"});
  f->on_pause = nullptr;
}

TEST_F(AFiltersOwnLists, WithAnotherSourceHandleAreTold) {
  NET_BUFFER_LIST* const list = own_list(*f, frame(1, 100));
  list->SourceHandle = nullptr;
  as(f->driver(), [&] { NdisFSendNetBufferLists(f->module().handle, list, 0, 0); });
  EXPECT_EQ(own_back.size(), 1U);  // NDIS goes by what it knows itself
  expect({"NdisFSendNetBufferLists: SourceHandleOwn"});
}

}  // namespace
}  // namespace undis::test
