// SPDX-License-Identifier: MIT
//
// NdisIMDeInitializeDeviceInstance under schedules that pend opens and closes, start virtual miniports later
// and pre-empt: however the threads meet, each instance that was initialised is halted once, and nothing is
// left.
#include <algorithm>

#include <fmt/format.h>

#include "intermediate_stack.h"

namespace undis::test {
namespace {

bool is_documented(NDIS_STATUS status) {
  return status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_FAILURE;
}

class DeInitializingUnderAnySchedule : public ::testing::TestWithParam<Generations> {
 protected:
  static constexpr std::uint64_t kSchedules = 150;
  static lab::WorldOptions options(std::uint64_t seed) {
    lab::WorldOptions o;
    o.schedule = machine::Schedule(seed * 0x9e37'79b9'7f4a'7c15U + 1);
    o.evidence = verifier::Evidence::Whole;
    return o;
  }
  static void expect_nothing_left(lab::World& world, const Stack& stack) {
    EXPECT_EQ(stack.complaints(), Lines{});
    EXPECT_EQ(world.library().handles().open_count(), 0U);
    EXPECT_TRUE(world.library().adapters().empty());
    EXPECT_TRUE(world.library().instances().empty());
    for (const FakeAdapter& adapter : stack.im.adapters) EXPECT_EQ(adapter.halts, 1U);
  }
};

// LIFE-052, LIFE-054, LIFE-055, LIFE-056
TEST_P(DeInitializingUnderAnySchedule, TheLifeOfAStackEndsCleanly) {
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    SCOPED_TRACE(fmt::format("schedule {}", options(seed).schedule.text()));
    const HeapUse before = ndis_heap();
    {
      lab::World world(options(seed));
      Stack s(world, GetParam(), 3);
      ASSERT_EQ(world.run("start", [&] { s.start(2); }), kernel::Outcome::Idle);
      for (const char* instance : {"im-nic0", "im-nic1"}) {
        EXPECT_TRUE(s.is_running(instance));
        EXPECT_EQ(s.running_bindings(instance), 3U);
      }
      const std::size_t mark = s.mark();
      ASSERT_EQ(world.run("unplug", [&] { s.nic->unplug("nic0"); }), kernel::Outcome::Idle);
      const Lines seen = s.callbacks_since(mark);
      const auto halt = std::ranges::find(seen, "im!" + s.halt_name());
      ASSERT_NE(halt, seen.end());
      for (unsigned i = 1; i <= 3; ++i)
        EXPECT_EQ(std::count(seen.begin(), halt, fmt::format("up{}!{}", i, s.unbind_name())), 1);
      EXPECT_TRUE(s.is_running("im-nic1"));
      ASSERT_EQ(world.run("stop", [&] { s.stop(); }), kernel::Outcome::Idle);
      expect_nothing_left(world, s);
      EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    }
    EXPECT_EQ(ndis_heap(), before);
    if (HasFailure()) break;
  }
}

// LIFE-050, LIFE-051, LIFE-052
TEST_P(DeInitializingUnderAnySchedule, OneOfTwoThreadsSucceeds) {
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    SCOPED_TRACE(fmt::format("schedule {}", options(seed).schedule.text()));
    lab::World world(options(seed));
    Stack s(world, GetParam(), 2);
    ASSERT_EQ(world.run("start", [&] { s.start(); }), kernel::Outcome::Idle);
    s.only_close_in_unbind();
    const NDIS_HANDLE handle = s.im.adapter("im-nic0")->handle;
    std::vector<NDIS_STATUS> statuses;
    ASSERT_EQ(world.run("first",
                        [&] {
                          for (int i = 0; i < 2; ++i)
                            world.system().spawn("another", [&] {
                              statuses.push_back(NdisIMDeInitializeDeviceInstance(handle));
                            });
                          statuses.push_back(NdisIMDeInitializeDeviceInstance(handle));
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(statuses.size(), 3U);
    EXPECT_TRUE(std::ranges::all_of(statuses, is_documented));
    EXPECT_EQ(std::ranges::count(statuses, NDIS_STATUS_SUCCESS), 1);
    EXPECT_EQ(s.halts(), 1U);
    for (const FakeDriver& upper : s.uppers) EXPECT_EQ(upper.count("ProtocolUnbindAdapter"), 1U);
    ASSERT_EQ(world.run("stop", [&] { s.stop(); }), kernel::Outcome::Idle);
    expect_nothing_left(world, s);
    // Who comes after the handle was closed is told of the second call; who waited is not.
    for (const std::string& line : world.verifier().violation_lines()) EXPECT_EQ(line, "host: LIFE-052");
    if (HasFailure()) break;
  }
}

// LIFE-049, LIFE-052, LIFE-059
TEST_P(DeInitializingUnderAnySchedule, RacesWithInitializationCancelAndStartLeaveNothing) {
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    SCOPED_TRACE(fmt::format("schedule {}", options(seed).schedule.text()));
    lab::World world(options(seed));
    world.library().policy.device_is_started = [](const MiniportDriver&, std::u16string_view) {
      return kernel::choose("the device has started");
    };
    Stack s(world, GetParam(), 1);
    s.no_instance_in_bind();
    s.only_close_in_unbind();
    ASSERT_EQ(world.run("start", [&] { s.start(); }), kernel::Outcome::Idle);
    for (int round = 0; round < 3; ++round) {
      // The driver's own knowledge, as good drivers keep it: the handle from MiniportInitialize until
      // MiniportHalt.
      NDIS_HANDLE handle = nullptr;
      s.im.on_initialize = [&](FakeAdapter& adapter) {
        handle = adapter.handle;
        return NDIS_STATUS_SUCCESS;
      };
      s.im.on_halt = [&](FakeAdapter&) { handle = nullptr; };
      const unsigned initialized = s.im.count("MiniportInitialize");
      const unsigned halted = s.halts();
      NDIS_STATUS cancelled = NDIS_STATUS_FAILURE;
      ASSERT_EQ(world.run("race",
                          [&] {
                            EXPECT_EQ(s.initialize("im-x"), NDIS_STATUS_SUCCESS);
                            world.system().spawn(
                                "device", [&] { world.library().start_device(lab::device_name("im-x")); });
                            cancelled = s.cancel("im-x");
                          }),
                kernel::Outcome::Idle);
      if (cancelled == NDIS_STATUS_SUCCESS) {
        EXPECT_EQ(s.im.count("MiniportInitialize"), initialized) << "cancelled, so never initialised";
        EXPECT_FALSE(s.is_up("im-x"));
        continue;
      }
      EXPECT_EQ(s.im.count("MiniportInitialize"), initialized + 1);
      EXPECT_TRUE(s.is_running("im-x"));
      ASSERT_NE(handle, nullptr);
      NDIS_STATUS status = NDIS_STATUS_FAILURE;
      ASSERT_EQ(world.run("de-initialise", [&] { status = NdisIMDeInitializeDeviceInstance(handle); }),
                kernel::Outcome::Idle);
      EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
      EXPECT_EQ(s.halts(), halted + 1);
    }
    s.im.on_initialize = nullptr;
    s.im.on_halt = nullptr;
    ASSERT_EQ(world.run("stop", [&] { s.stop(); }), kernel::Outcome::Idle);
    expect_nothing_left(world, s);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    if (HasFailure()) break;
  }
}

// LIFE-054, LIFE-055
TEST_P(DeInitializingUnderAnySchedule, AnUnbindThatMeetsTheInitializationTakesItDown) {
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    SCOPED_TRACE(fmt::format("schedule {}", options(seed).schedule.text()));
    lab::World world(options(seed));
    Stack s(world, GetParam(), 2);
    // The card goes while im is still about to come up on it.
    ASSERT_EQ(world.run("start and unplug",
                        [&] {
                          s.start();
                          s.nic->unplug("nic0");
                        }),
              kernel::Outcome::Idle);
    EXPECT_FALSE(s.is_up("nic0"));
    EXPECT_FALSE(s.is_up("im-nic0"));
    EXPECT_EQ(s.halts(), s.im.count("MiniportInitialize"));
    ASSERT_EQ(world.run("stop", [&] { s.stop(); }), kernel::Outcome::Idle);
    expect_nothing_left(world, s);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Generations, DeInitializingUnderAnySchedule, kGenerations, name_of);

}  // namespace
}  // namespace undis::test
