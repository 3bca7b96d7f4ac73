// SPDX-License-Identifier: MIT
//
// A whole stack: the documented order of starting, pausing, restarting and stopping it, protocols that come
// later, and removals that meet other things. Pages:
// network/{starting,stopping,pausing,restarting}-a-driver-stack, network/miniport-adapter-removal.
#include <fmt/format.h>

#include "lab/core_test.h"

namespace undis::test {
namespace {

const std::initializer_list<std::string_view> kLife = {"Miniport", "ProtocolBind", "ProtocolUnbind",
                                                       "ProtocolNetPnPEvent"};

/// Two protocols on one card.
class AStack : public CoreTest {
 protected:
  void two_up(int first = 6, int second = 6) {
    if (second == 5) {
      q.be_protocol5();
    } else {
      q.be_protocol6();
    }
    be(6, first);
    load();
    run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
    plugged_ = mark();  // what protocols hear of themselves comes before
    plug();
  }
  void two_down() {
    unplug();
    run([&] { EXPECT_TRUE(q.unload()); });
    down();
    expect_no_complaints(q);
  }
  Lines life() { return life(plugged_); }
  Lines life(std::size_t from) {
    Lines found = callbacks(kLife, from);
    std::erase_if(found, [](const std::string& line) {
      return line.find("OidRequest") != std::string::npos || line.find("DevicePnP") != std::string::npos;
    });
    return found;
  }
  FakeDriver q{world, "q"};
  std::size_t plugged_ = 0;
};

// LIFE-209, LIFE-215
TEST_F(AStack, StartsWithTheMiniportThenBindsThenRestartsFromBelow) {
  two_up();
  EXPECT_EQ(life(), (Lines{"mp!MiniportInitializeEx", "p!ProtocolBindAdapterEx", "q!ProtocolBindAdapterEx",
                           "mp!MiniportRestart", "p!ProtocolNetPnPEvent", "q!ProtocolNetPnPEvent"}));
  two_down();
}

// LIFE-210
TEST_F(AStack, IsPausedWhenProtocolsBind) {
  Lines seen;
  const auto note = [&](FakeBinding&) {
    seen.emplace_back(to_text(nic_state()));
    for (const Ref<Binding>& other : nic()->bindings()) seen.emplace_back(to_text(other->state()));
    return NDIS_STATUS_SUCCESS;
  };
  p.after_open = note;
  q.after_open = note;
  two_up();
  EXPECT_EQ(seen, Lines(5, "Paused"));
  two_down();
}

// LIFE-212, LIFE-199
TEST_F(AStack, StopsWithPausesFromAboveThenUnbindsThenHalts) {
  two_up();
  const std::size_t from = mark();
  unplug();
  EXPECT_EQ(life(from),
            (Lines{"p!ProtocolNetPnPEvent", "q!ProtocolNetPnPEvent", "mp!MiniportPause",
                   "p!ProtocolUnbindAdapterEx", "q!ProtocolUnbindAdapterEx", "mp!MiniportHaltEx"}));
  two_down();
}

TEST_F(AStack, WithAProtocolOfFiveTellsItOfNeitherPauseNorRestart) {
  two_up(5, 6);
  const std::size_t from = mark();
  unplug();
  EXPECT_EQ(life(),
            (Lines{"mp!MiniportInitializeEx", "p!ProtocolBindAdapter", "q!ProtocolBindAdapterEx",
                   "mp!MiniportRestart", "q!ProtocolNetPnPEvent", "q!ProtocolNetPnPEvent", "mp!MiniportPause",
                   "p!ProtocolUnbindAdapter", "q!ProtocolUnbindAdapterEx", "mp!MiniportHaltEx"}));
  EXPECT_EQ(life(from).front(), "q!ProtocolNetPnPEvent");
  two_down();
}

// LIFE-214, LIFE-215
TEST_F(AStack, PausesEachLayerBeforeTheOneBelowAndRestartsEachAfterIt) {
  two_up();
  Lines seen;
  const auto states = [&](const char* who) {
    seen.push_back(fmt::format("{}: nic {}", who, to_text(nic_state())));
    for (const Ref<Binding>& other : nic()->bindings())
      seen.back() += fmt::format(", {} {}", other->protocol().name(), to_text(other->state()));
  };
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE, void*) { return states("p"), NDIS_STATUS_SUCCESS; };
  q.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE, void*) { return states("q"), NDIS_STATUS_SUCCESS; };
  mp.on_pause = [&](FakeAdapter&) { return states("mp"), NDIS_STATUS_SUCCESS; };
  mp.on_restart = [&](FakeAdapter&) { return states("mp"), NDIS_STATUS_SUCCESS; };
  run([&] {
    pause_stack(*nic());
    restart_stack(*nic());
  });
  EXPECT_EQ(seen,
            (Lines{"p: nic Running, p Pausing, q Running", "q: nic Running, p Paused, q Pausing",
                   "mp: nic Pausing, p Paused, q Paused", "mp: nic Restarting, p Paused, q Paused",
                   "p: nic Running, p Restarting, q Paused", "q: nic Running, p Running, q Restarting"}));
  p.on_pnp_event = q.on_pnp_event = nullptr;
  two_down();
}

TEST_F(AStack, IsPausedAndRestartedAroundAProtocolThatRegistersLater) {
  up();
  q.be_protocol6();
  const std::size_t from = mark();
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  EXPECT_EQ(life(from), (Lines{"p!ProtocolNetPnPEvent", "mp!MiniportPause", "q!ProtocolBindAdapterEx",
                               "mp!MiniportRestart", "p!ProtocolNetPnPEvent", "q!ProtocolNetPnPEvent",
                               "q!ProtocolNetPnPEvent"}))
      << "q restarts, and then hears that its binds are complete";
  EXPECT_EQ(p.calls.back(), "NetEventRestart nic");
  EXPECT_EQ(nic()->bindings().size(), 2U);
  two_down();
}

TEST_F(AStack, DoesNotBindAProtocolBeforeItsRegistrationIsComplete) {
  up();
  q.be_protocol6();
  q.on_set_options = [&](NDIS_HANDLE) {
    kernel::Event over("another thread's look for missing bindings");
    world.system().spawn("binds", [&] {
      add_bindings(*nic());
      over.set();
    });
    over.wait();
    EXPECT_EQ(nic()->bindings().size(), 1U) << "q has neither its handle nor its options";
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  EXPECT_EQ(nic()->bindings().size(), 2U);
  two_down();
}

TEST_F(AStack, IsNotDisturbedByAProtocolThatDoesNotWantIt) {
  up();
  world.library().policy.binds = [&](const ProtocolDriver& protocol, const Adapter&) {
    return &protocol.driver() == &p.driver();
  };
  q.be_protocol6();
  const std::size_t from = mark();
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  EXPECT_EQ(life(from), Lines{"q!ProtocolNetPnPEvent"}) << "its binds are complete";
  EXPECT_EQ(nic()->bindings().size(), 1U);
  two_down();
}

// LIFE-211
TEST_F(AStack, BindsProtocolsThatRegisteredBeforeAndAfterTheCardCame) {
  be(6, 5);
  run([&] {
    ASSERT_EQ(p.load(), STATUS_SUCCESS);  // no card, no miniport driver yet
    ASSERT_EQ(mp.load(), STATUS_SUCCESS);
  });
  plug();
  q.be_protocol6();
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  EXPECT_EQ(nic()->bindings().size(), 2U);
  for (const Ref<Binding>& bound : nic()->bindings()) EXPECT_EQ(bound->state(), BindingState::Running);
  two_down();
}

TEST_F(AStack, GoesOnRunningWithoutAProtocolThatUnloads) {
  two_up();
  const std::size_t from = mark();
  run([&] { EXPECT_TRUE(q.unload()); });
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  const Lines seen = life(from);
  EXPECT_EQ(std::ranges::count(seen, "p!ProtocolUnbindAdapterEx"), 0);
  EXPECT_EQ(std::ranges::count(seen, "q!ProtocolUnbindAdapterEx"), 1);
  down();
}

TEST_F(AStack, BindsTheOthersWhereOneFails) {
  p.after_open = [](FakeBinding&) { return NDIS_STATUS_RESOURCES; };
  two_up();
  ASSERT_EQ(nic()->bindings().size(), 1U);
  EXPECT_EQ(nic()->bindings().front()->protocol().name(), "q");
  EXPECT_EQ(nic_state(), AdapterState::Running);
  two_down();
}

TEST_F(AStack, IsNotRemovedFromInsideItsOwnRemoval) {
  two_up();
  std::vector<bool> inner;
  const Ref<Adapter> card = nic();
  const auto again = [&](FakeBinding& of) {
    inner.push_back(remove_stack(*card, NdisHaltDeviceDisabled));
    FakeDriver::close_and_wait(of);
    return NDIS_STATUS_SUCCESS;
  };
  p.on_unbind = again;
  q.on_unbind = again;
  mp.on_halt = [&](FakeAdapter&) { inner.push_back(remove_stack(*card, NdisHaltDeviceDisabled)); };
  unplug();
  EXPECT_EQ(inner, std::vector<bool>(3, false));
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  two_down();
}

TEST_F(AStack, MayLoseAProtocolThatDeregistersInItsOwnBind) {
  q.be_protocol6();
  q.after_open = [&](FakeBinding&) {
    NdisDeregisterProtocolDriver(q.protocol);
    return NDIS_STATUS_SUCCESS;
  };
  q.unload_routine = nullptr;
  be(6, 6);
  load();
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  plug();
  EXPECT_EQ(nic()->bindings().size(), 1U);
  EXPECT_EQ(world.library().protocols().size(), 1U);
  EXPECT_EQ(q.count("ProtocolUnbindAdapterEx"), 1U);
  two_down();
  expect({"q: WrongPlace"});
}

TEST_F(AStack, IsNotPausedWhereTheCardNeverRestarted) {
  mp.on_restart = [](FakeAdapter&) { return NDIS_STATUS_FAILURE; };
  two_up();
  const std::size_t from = mark();
  unplug();
  EXPECT_EQ(life(from),
            (Lines{"p!ProtocolUnbindAdapterEx", "q!ProtocolUnbindAdapterEx", "mp!MiniportHaltEx"}));
  two_down();
}

// ---- under schedules ----

class StacksUnderAnySchedule : public ::testing::TestWithParam<int> {};

/// Cards that come and go, protocols that register and unload, all at once: every adapter is halted once,
/// nobody complains, nothing is left.
TEST_P(StacksUnderAnySchedule, ComeAndGoCleanly) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed * 0x0123'4567'89ab'cdefU);
    options.evidence = verifier::Evidence::Whole;
    SCOPED_TRACE(options.schedule.text());
    const HeapUse before = ndis_heap();
    {
      lab::World world(options);
      FakeDriver mp(world, "mp");
      FakeDriver p(world, "p");
      FakeDriver q(world, "q");
      if (GetParam() == 5) {
        mp.be_miniport5();
        q.be_protocol6();
      } else {
        mp.be_miniport6();
        q.be_protocol5();
      }
      p.be_protocol6();
      ASSERT_EQ(world.run("come and go",
                          [&] {
                            ASSERT_EQ(mp.load(), STATUS_SUCCESS);
                            world.system().spawn("p", [&] { EXPECT_EQ(p.load(), STATUS_SUCCESS); });
                            world.system().spawn("cards", [&] {
                              const Ref<Adapter> a = world.plug(mp.driver(), "a");
                              const Ref<Adapter> b = world.plug(mp.driver(), "b");
                              world.unplug(*a);
                              world.plug(mp.driver(), "c");
                            });
                            EXPECT_EQ(q.load(), STATUS_SUCCESS);
                          }),
                kernel::Outcome::Idle);
      EXPECT_EQ(world.library().adapters().size(), 2U);
      for (const Ref<Adapter>& card : world.library().adapters()) {
        EXPECT_EQ(card->state(), AdapterState::Running);
        EXPECT_EQ(card->bindings().size(), 2U);
        for (const Ref<Binding>& bound : card->bindings()) EXPECT_EQ(bound->state(), BindingState::Running);
      }
      ASSERT_EQ(world.run("end",
                          [&] {
                            world.system().spawn("p", [&] { EXPECT_TRUE(p.unload()); });
                            world.system().spawn("cards", [&] {
                              for (const char* name : {"b", "c"})
                                if (const Ref<Adapter> card = world.adapter(name); card) world.unplug(*card);
                            });
                            EXPECT_TRUE(q.unload());
                          }),
                kernel::Outcome::Idle);
      ASSERT_EQ(world.run("end of the miniport", [&] { EXPECT_TRUE(mp.unload()); }), kernel::Outcome::Idle);
      for (const FakeDriver* driver : {&mp, &p, &q}) EXPECT_EQ(driver->complaints, Lines{});
      for (const FakeAdapter& card : mp.adapters) EXPECT_EQ(card.halts, 1U) << card.name;
      for (const FakeDriver* driver : {&p, &q})
        for (const FakeBinding& bound : driver->bindings) EXPECT_EQ(bound.unbinds, 1U) << bound.adapter;
      EXPECT_EQ(world.verifier().violation_lines(), Lines{});
      EXPECT_EQ(world.library().handles().open_count(), 0U);
      EXPECT_TRUE(world.library().adapters().empty());
    }
    EXPECT_EQ(ndis_heap(), before);
    if (HasFailure()) break;
  }
}

/// A card that says its link state all the time while a protocol opens it, at once or pended, and closes it
/// again.
TEST(AStatusWhileAnOpenIsUnderWay, DoesNotReachTheProtocolBeforeItIsComplete) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("schedule {:x}", seed));
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed);
    lab::World world(options);
    FakeDriver mp(world, "mp");
    FakeDriver p(world, "p");
    mp.be_miniport6();
    p.be_protocol6();
    bool done = false;
    ASSERT_EQ(world.run("all",
                        [&] {
                          ASSERT_EQ(mp.load(), STATUS_SUCCESS);
                          const Ref<Adapter> card = world.plug(mp.driver(), "nic");
                          world.system().spawn("statuses", [&] {
                            NDIS_STATUS_INDICATION indication{};
                            indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION,
                                                 NDIS_STATUS_INDICATION_REVISION_1,
                                                 NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
                            indication.SourceHandle = card->handle();
                            indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
                            while (!done) NdisMIndicateStatusEx(card->handle(), &indication);
                          });
                          EXPECT_EQ(p.load(), STATUS_SUCCESS);
                          world.system().advance(10'000);
                          EXPECT_TRUE(p.unload());
                          done = true;
                        }),
              kernel::Outcome::Idle);
    const auto first = std::ranges::find_if(
        p.calls, [](const std::string& call) { return call.starts_with("ProtocolStatusEx"); });
    const auto bind = std::ranges::find_if(
        p.calls, [](const std::string& call) { return call.starts_with("ProtocolBind"); });
    EXPECT_LT(bind, first);
    ASSERT_EQ(world.run("down", [&] { EXPECT_TRUE(mp.unload()); }), kernel::Outcome::Idle);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    if (::testing::Test::HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Generations, StacksUnderAnySchedule, ::testing::Values(5, 6),
                         [](const ::testing::TestParamInfo<int>& generation) {
                           return fmt::format("Miniport{}", generation.param);
                         });

}  // namespace
}  // namespace undis::test
