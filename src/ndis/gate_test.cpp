// SPDX-License-Identifier: MIT
//
// Rundown: who is inside is counted, a closed gate lets nobody in, whoever waits goes on when the last one
// has left.
#include "ndis/gate.h"

#include <atomic>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lab/world.h"

namespace undis::test {
namespace {

class AGate : public ::testing::Test {
 protected:
  lab::World world;
  Gate gate{"test: users"};
};

TEST_F(AGate, CountsWhoIsInside) {
  EXPECT_EQ(gate.inside(), 0U);
  EXPECT_TRUE(gate.enter());
  EXPECT_TRUE(gate.enter(3));
  EXPECT_EQ(gate.inside(), 4U);
  gate.leave(2);
  gate.leave();
  EXPECT_EQ(gate.inside(), 1U);
  gate.leave();
  EXPECT_EQ(gate.inside(), 0U);
}

TEST_F(AGate, LetsNobodyInWhenClosedAndEverybodyWhenOpenedAgain) {
  ASSERT_TRUE(gate.enter());
  gate.close();
  EXPECT_FALSE(gate.enter());
  EXPECT_EQ(gate.inside(), 1U) << "who is inside stays";
  gate.leave();
  EXPECT_FALSE(gate.enter());
  gate.open();
  EXPECT_TRUE(gate.enter());
  gate.leave();
}

TEST_F(AGate, IsNotWaitedForWhenEmpty) {
  bool through = false;
  EXPECT_EQ(world.run("wait",
                      [&] {
                        gate.wait_empty();
                        through = true;
                      }),
            kernel::Outcome::Idle);
  EXPECT_TRUE(through);
}

TEST_F(AGate, IsWaitedForUntilTheLastHasLeft) {
  std::optional<std::uint32_t> inside_when_through;
  bool left = false;
  ASSERT_TRUE(gate.enter(2));
  EXPECT_EQ(world.run("wait",
                      [&] {
                        world.system().spawn("leave", [&] {
                          gate.leave();
                          EXPECT_FALSE(inside_when_through.has_value());
                          left = true;
                          gate.leave();
                        });
                        gate.wait_empty();
                        EXPECT_TRUE(left);
                        inside_when_through = gate.inside();
                      }),
            kernel::Outcome::Idle);
  EXPECT_EQ(inside_when_through, 0U);
}

TEST_F(AGate, LetsAllGoOnWhoWait) {
  constexpr unsigned kWaiting = 3;
  unsigned through = 0;
  ASSERT_TRUE(gate.enter());
  EXPECT_EQ(world.run("wait",
                      [&] {
                        for (unsigned i = 0; i < kWaiting; ++i)
                          world.system().spawn("wait too", [&] {
                            gate.wait_empty();
                            ++through;
                          });
                        world.system().spawn("leave", [&] {
                          EXPECT_EQ(through, 0U);
                          gate.leave();
                        });
                        gate.wait_empty();
                        ++through;
                      }),
            kernel::Outcome::Idle);
  EXPECT_EQ(through, kWaiting + 1);
}

TEST_F(AGate, ThatNobodyLeavesIsAHangWithItsName) {
  ASSERT_TRUE(gate.enter());
  EXPECT_EQ(world.run("wait", [&] { gate.wait_empty(); }), kernel::Outcome::Hang);
  ASSERT_FALSE(world.verifier().violations().empty());
  const auto& hang = world.verifier().violations().back();
  EXPECT_EQ(hang.rule, "Hang");
  ASSERT_FALSE(hang.waiters.empty());
  EXPECT_NE(hang.waiters.front().find("test: users"), std::string::npos) << hang.waiters.front();
}

TEST(GatesUnderAnySchedule, AreEmptyWhenTheWaitIsOver) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed);
    SCOPED_TRACE(options.schedule.text());
    lab::World world(options);
    Gate gate("test: users");
    unsigned entered = 0;
    unsigned left = 0;
    ASSERT_EQ(world.run("close",
                        [&] {
                          for (int i = 0; i < 3; ++i) {
                            world.system().spawn("user", [&] {
                              for (int n = 0; n < 3; ++n) {
                                if (!gate.enter()) return;
                                ++entered;
                                kernel::schedule_point("inside");
                                ++left;
                                gate.leave();
                                kernel::schedule_point("outside");
                              }
                            });
                          }
                          kernel::schedule_point("before the close");
                          gate.close();
                          gate.wait_empty();
                          EXPECT_EQ(gate.inside(), 0U);
                          EXPECT_EQ(entered, left) << "nobody is between entering and leaving";
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(entered, left);
    if (HasFailure()) break;
  }
}

TEST(GatesOnThreads, AreEmptyWhenTheWaitIsOver) {
  for (int round = 0; round < 200; ++round) {
    lab::WorldOptions options;
    options.engine = lab::Engine::Threaded;
    options.processors = 4;
    lab::World world(options);
    Gate gate("test: users");
    std::atomic<int> inside = 0;
    std::atomic<bool> drained = false;
    std::atomic<int> late = 0;
    ASSERT_EQ(world.run("close",
                        [&] {
                          for (int i = 0; i < 4; ++i) {
                            world.system().spawn("user", [&] {
                              while (gate.enter(3)) {
                                ++inside;
                                if (drained) ++late;
                                kernel::schedule_point("inside");
                                --inside;
                                gate.leave(1);
                                gate.leave(2);
                              }
                            });
                          }
                          for (int i = 0; i < round; ++i) kernel::schedule_point("before the close");
                          gate.close();
                          gate.wait_empty();
                          EXPECT_EQ(inside, 0);
                          drained = true;
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(late, 0) << "somebody was let in after the wait was over";
    if (HasFailure()) break;
  }
}

TEST(GatesOnThreads, AreLeftOnAnotherProcessorThanTheyWereEnteredOn) {
  lab::WorldOptions options;
  options.engine = lab::Engine::Threaded;
  lab::World world(options);
  Gate gate("test: users");
  ASSERT_EQ(world.run("all",
                      [&] {
                        for (int i = 0; i < 2'000; ++i) {
                          ASSERT_TRUE(gate.enter());
                          world.system().spawn("leaves", [&] { gate.leave(); });
                        }
                        gate.close();
                        gate.wait_empty();
                        EXPECT_EQ(gate.inside(), 0U);
                      }),
            kernel::Outcome::Idle);
}

}  // namespace
}  // namespace undis::test
