// SPDX-License-Identifier: MIT
//
// What a filter does wrong with lists of others, and what it keeps for too long.
#include "ndis/filtered_traffic_testing.h"

namespace undis::test {
namespace {

class AFilterThatMistreatsLists : public FilteredTraffic {
 protected:
  void up() {
    f = &filter("f");
    load(*f);
    nic = &start(card(true));
    p = &protocol("proto", true);
  }
  FakeFilter* f = nullptr;
  Card* nic = nullptr;
  Protocol* p = nullptr;
};

TEST_F(AFilterThatMistreatsLists, ByCompletingTwiceIsTold) {
  up();
  NET_BUFFER_LIST* late = nullptr;
  f->on_send_complete = [&](FakeModule& m, NET_BUFFER_LIST* chain, ULONG flags) {
    late = chain;
    NdisFSendNetBufferListsComplete(m.handle, chain, flags);
    NdisFSendNetBufferListsComplete(m.handle, late, flags);
  };
  p->on_lists_complete = [](NET_BUFFER_LIST*) {};
  p->send(some_frames(1));
  EXPECT_EQ(seen.told, Lines{"NdisFSendNetBufferListsComplete: NblDoubleComplete"});
  as(p->driver, [&] { p->free_list(late); });
  expect({"NdisFSendNetBufferListsComplete: NblDoubleComplete"});
}

TEST_F(AFilterThatMistreatsLists, ByReturningWhatIsWithTheProtocolIsTold) {
  up();
  p->keep = true;
  nic->indicate(some_frames(1));
  as(f->driver(), [&] { NdisFReturnNetBufferLists(f->module().handle, p->kept_lists.front(), 0); });
  p->return_kept();
  EXPECT_EQ(nic->returned, some_frames(1));
  expect({"NdisFReturnNetBufferLists: NblDoubleComplete"});
}

TEST_F(AFilterThatMistreatsLists, ByReturningWhatItWasOnlyShownIsTold) {
  up();
  f->on_receive = [](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG, ULONG) {
    NdisFReturnNetBufferLists(m.handle, chain, 0);
  };
  nic->indicate(some_frames(2), NDIS_RECEIVE_FLAGS_RESOURCES);
  EXPECT_EQ(nic->adapter->receives.inside(), 0U);
  expect({"NdisFReturnNetBufferLists: ResourcesNoKeep"});
}

TEST_F(AFilterThatMistreatsLists, ByPassingOnWhatItWasShownAsIfItWereItsIsTold) {
  up();
  f->on_receive = [](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count, ULONG) {
    NdisFIndicateReceiveNetBufferLists(m.handle, chain, port, count, 0);
  };
  nic->indicate(some_frames(2), NDIS_RECEIVE_FLAGS_RESOURCES);
  EXPECT_EQ(p->received, some_frames(2));
  expect({"NdisFIndicateReceiveNetBufferLists: ResourcesNoKeep"});
}

TEST_F(AFilterThatMistreatsLists, ByBreakingAChainThatItWasShownIsTold) {
  up();
  f->on_receive = [](FakeModule&, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG, ULONG) {
    chain->Next = nullptr;
  };
  nic->indicate(some_frames(2), NDIS_RECEIVE_FLAGS_RESOURCES);
  expect({"NdisMIndicateReceiveNetBufferLists: ResourcesNoKeep"});
  seen.told = {"NdisMIndicateReceiveNetBufferLists: ResourcesNoKeep"};
}

TEST_F(AFilterThatMistreatsLists, ByCountingWrongIsTold) {
  up();
  f->on_receive = [](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
    NdisFIndicateReceiveNetBufferLists(m.handle, chain, port, count + 1, flags);
  };
  nic->indicate(some_frames(2));
  EXPECT_EQ(p->received, some_frames(2));
  expect({"NdisFIndicateReceiveNetBufferLists: NumberOfNblsTruth"});
}

TEST_F(AFilterThatMistreatsLists, ByShowingWhatItKeepsMayDoSo) {
  up();
  NET_BUFFER_LIST* kept = nullptr;
  f->on_receive = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                      ULONG flags) {
    NdisFIndicateReceiveNetBufferLists(m.handle, chain, port, count, flags | NDIS_RECEIVE_FLAGS_RESOURCES);
    kept = chain;
  };
  nic->indicate(some_frames(2));
  EXPECT_EQ(p->received, some_frames(2));
  EXPECT_EQ(module(*f)->receives.has, 2);
  as(f->driver(), [&] { NdisFReturnNetBufferLists(f->module().handle, kept, 0); });
  EXPECT_EQ(nic->returned, some_frames(2));
}

// ---- what a filter keeps for too long ----

TEST_F(AFilterThatMistreatsLists, ByKeepingASendWhileTheStackIsToPauseIsTold) {
  up();
  f->on_send = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
    kernel::queue_work("much later", [this, &m, chain, port, flags] {
      system->advance(310'000'000);
      as(f->driver(), [&] { NdisFSendNetBufferLists(m.handle, chain, port, flags); });
    });
  };
  system->run("pause", [&] {
    p->send(some_frames(1));
    cycle_stack(*nic->adapter, NDIS_PAUSE_NDIS_INTERNAL);
  });
  EXPECT_EQ(p->completed.size(), 1U);
  f->on_send = nullptr;
  // The protocol of the kit does not wait for its sends either: that is told of it first.
  expect({"out: the pause of the binding was completed while the protocol's own sends were outstanding",
          "FilterSendNetBufferLists: NdisFilterTimedDataSend"});
}

TEST_F(AFilterThatMistreatsLists, ByKeepingAReceivedListOverItsPauseIsTold) {
  up();
  f->on_receive = [&](FakeModule& m, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG, ULONG) {
    kernel::queue_work("much later", [this, &m, chain] {
      system->advance(310'000'000);
      as(f->driver(), [&] { NdisFReturnNetBufferLists(m.handle, chain, 0); });
    });
  };
  system->run("pause", [&] {
    nic->indicate(some_frames(1));
    cycle_stack(*nic->adapter, NDIS_PAUSE_NDIS_INTERNAL);
  });
  EXPECT_EQ(nic->returned, some_frames(1));
  f->on_receive = nullptr;
  // Neither does its card wait for what it has indicated.
  expect(
      {"out: the pause was completed while the filter had received lists of others that it had not returned",
       "out: the pause was completed while receive indications had not been returned",
       "FilterReceiveNetBufferLists: NdisFilterTimedDataReceive"});
}

}  // namespace
}  // namespace undis::test
