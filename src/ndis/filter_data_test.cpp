// SPDX-License-Identifier: MIT
//
// Net buffer lists through filters: each way, what is bypassed, lists of the filter's own, what is only
// shown; with neighbours of both generations. Pages: network/filter-module-send-and-receive-operations,
// network/data-bypass-mode.
#include <tuple>

#include "lab/fake_filter.h"
#include "ndis/filter_module.h"
#include "ndis/nbl_pool.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

using lab::FakeFilter;
using lab::FakeModule;

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr auto kPaused = static_cast<NDIS_STATUS>(NDIS_STATUS_PAUSED);

std::vector<Bytes> some_frames(std::size_t count = 3) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back(frame(1, 46 + i * 101, static_cast<unsigned>(i)));
  return frames;
}

class FilteredTraffic : public Traffic {
 protected:
  /// To be loaded by load(): in between a test may turn something.
  FakeFilter& filter(std::string name) {
    filters.push_back(std::make_unique<FakeFilter>(*system, *library, std::move(name)));
    return *filters.back();
  }
  FakeFilter& load(FakeFilter& made) {
    EXPECT_TRUE(NT_SUCCESS(made.load()));
    settle();
    return made;
  }
  void TearDown() override {
    Traffic::TearDown();
    for (auto each = filters.rbegin(); each != filters.rend(); ++each) {
      if ((*each)->driver().phase() == kernel::DriverPhase::Loaded) {
        EXPECT_TRUE((*each)->unload());
      }
      EXPECT_EQ((*each)->complaints, Lines{});
    }
    settle();
    EXPECT_EQ(seen.told, expected);
    filters.clear();
  }
  Ref<FilterModule> module(FakeFilter& of) {
    return library->handles().find<FilterModule>(of.module().handle);
  }

  /// A list of the filter's own with that frame, out of a pool that it frees at detach.
  NET_BUFFER_LIST* own_list(FakeFilter& of, const Bytes& bytes) {
    NET_BUFFER_LIST* list = nullptr;
    as(of.driver(), [&] {
      if (pool == nullptr) {
        NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
        parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                             NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
        parameters.fAllocateNetBuffer = TRUE;
        parameters.PoolTag = 0x6F6F50;
        pool = NdisAllocateNetBufferListPool(of.module().handle, &parameters);
      }
      auto* const data = static_cast<std::uint8_t*>(ExAllocatePoolWithTag(NonPagedPool, bytes.size(), kTag));
      std::copy(bytes.begin(), bytes.end(), data);
      MDL* const mdl = NdisAllocateMdl(of.module().handle, data, static_cast<UINT>(bytes.size()));
      list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, bytes.size());
      list->SourceHandle = of.module().handle;
    });
    return list;
  }
  static void free_list(NET_BUFFER_LIST* list) {
    MDL* const mdl = list->FirstNetBuffer->MdlChain;
    void* const data = MmGetMdlVirtualAddress(mdl);
    NdisFreeNetBufferList(list);
    NdisFreeMdl(mdl);
    ExFreePoolWithTag(data, kTag);
  }
  void free_pool(FakeFilter& of) {
    as(of.driver(), [&] { NdisFreeNetBufferListPool(std::exchange(pool, nullptr)); });
  }

  static constexpr ULONG kTag = 0x746C46;
  NDIS_HANDLE pool = nullptr;
  std::vector<std::unique_ptr<FakeFilter>> filters;
};

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

// ---- lists of the filter's own ----

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

// ---- what a filter does wrong with lists of others ----

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
