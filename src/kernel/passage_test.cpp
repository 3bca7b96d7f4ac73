// SPDX-License-Identifier: MIT
//
// Passages: who is inside is waited for, who enters later is not, and what was taken away is not seen any
// more.
#include "kernel/passage.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lab/world.h"

namespace undis::test {
namespace {

lab::WorldOptions unwatched(lab::Engine engine, const char* schedule = "0") {
  lab::WorldOptions options;
  options.engine = engine;
  options.watch = kernel::Watch::Nothing;
  options.schedule = *machine::Schedule::parse(schedule);
  return options;
}

TEST(APassage, IsBusyWhileSomebodyIsInside) {
  lab::World world(unwatched(lab::Engine::Simulated));
  kernel::Passage passage;
  EXPECT_EQ(world.run("visitor",
                      [&] {
                        EXPECT_FALSE(passage.busy());
                        const auto outer = passage.enter();
                        const auto inner = passage.enter();
                        passage.leave(inner);
                        EXPECT_TRUE(passage.busy());
                        passage.leave(outer);
                        EXPECT_FALSE(passage.busy());
                        passage.synchronize();
                      }),
            kernel::Outcome::Idle);
}

TEST(APassage, IsWaitedForByWhoSynchronizes) {
  lab::World world(unwatched(lab::Engine::Simulated));
  kernel::Passage passage;
  kernel::Event may_leave("the visitor may leave");
  bool inside = false;
  EXPECT_EQ(world.run("taker",
                      [&] {
                        const auto phase = passage.enter();
                        inside = true;
                        world.system().spawn("waiter", [&] {
                          passage.synchronize();
                          EXPECT_FALSE(inside);
                          may_leave.set();
                        });
                        for (int i = 0; i < 100; ++i) kernel::schedule_point("inside");
                        EXPECT_FALSE(may_leave.is_set());
                        inside = false;
                        passage.leave(phase);
                        may_leave.wait();
                      }),
            kernel::Outcome::Idle);
}

TEST(APassage, IsNotWaitedForWhereOnlyLaterOnesAreInside) {
  lab::World world(unwatched(lab::Engine::Simulated));
  kernel::Passage passage;
  kernel::Event waits("somebody waits");
  kernel::Event through("it is through");
  EXPECT_EQ(world.run("visitor",
                      [&] {
                        const auto early = passage.enter();
                        world.system().spawn("waiter", [&] {
                          waits.set();
                          passage.synchronize();
                          through.set();
                        });
                        waits.wait();
                        for (int i = 0; i < 100; ++i) kernel::schedule_point("it has begun to wait");
                        const auto late = passage.enter();
                        passage.leave(early);
                        through.wait();  // although `late` is inside
                        passage.leave(late);
                      }),
            kernel::Outcome::Idle);
}

TEST(APassage, LetsNobodyWaitForThoseWhoNeverComeBack) {
  lab::World world(unwatched(lab::Engine::Simulated));
  kernel::Passage passage;
  EXPECT_EQ(world.run("visitor",
                      [&] {
                        passage.enter();
                        passage.abandon();
                        passage.synchronize();
                      }),
            kernel::Outcome::Idle);
}

/// Readers look at what a pointer leads to, the writer replaces it and ends what was there.
void replace_under_readers(lab::World& world, int rounds) {
  constexpr int kAlive = 42;
  constexpr int kDead = 13;
  kernel::Passage passage;
  std::vector<int> things(static_cast<std::size_t>(rounds) + 1, kAlive);
  std::atomic<int*> now{&things[0]};
  std::atomic<bool> over{false};
  EXPECT_EQ(world.run("writer",
                      [&] {
                        for (int reader = 0; reader < 2; ++reader)
                          world.system().spawn("reader", [&] {
                            while (!over) {
                              const auto phase = passage.enter();
                              const int* const thing = now.load(std::memory_order_acquire);
                              kernel::schedule_point("a reader is inside");
                              if (*thing != kAlive) {
                                over = true;
                                ADD_FAILURE() << "it ended under a reader";
                              }
                              passage.leave(phase);
                              kernel::schedule_point("a reader is outside");
                            }
                          });
                        for (int round = 0; round < rounds; ++round) {
                          int* const old = now.exchange(&things[static_cast<std::size_t>(round) + 1]);
                          passage.synchronize();
                          *old = kDead;
                        }
                        over = true;
                      }),
            kernel::Outcome::Idle);
}

TEST(APassage, KeepsWhatItsVisitorsSeeUnderRandomSchedules) {
  for (const char* schedule : {"0", "7f3a", "beef", "pct3-7f3a", "rr3"}) {
    lab::World world(unwatched(lab::Engine::Simulated, schedule));
    replace_under_readers(world, 20);
  }
}

TEST(APassage, KeepsWhatItsVisitorsSeeOnThreads) {
  lab::World world(unwatched(lab::Engine::Threaded));
  replace_under_readers(world, 500);
}

}  // namespace
}  // namespace undis::test
