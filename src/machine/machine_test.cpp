// SPDX-License-Identifier: MIT
//
// The parts of the machine by themselves: schedules as text, the timer heap, fibers.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "machine/fiber.h"
#include "machine/schedule.h"
#include "machine/timer_heap.h"

namespace undis::machine {
namespace {

TEST(ASchedule, ComesBackFromItsText) {
  for (const char* text : {"0", "1", "7f3a", "7f3a.f5", "ffffffffffffffff", "0.f1", "0.f4294967295"}) {
    const auto schedule = Schedule::parse(text);
    ASSERT_TRUE(schedule) << text;
    EXPECT_EQ(schedule->text(), text);
  }
}

TEST(ASchedule, IsRefusedWithWhatWasExpected) {
  for (const char* text : {"", "x", "7f3a.", "7f3a.f", "7f3a.f0", "7f3a.g5", "7f3a.f5.f6", "12345678901234567", "-1", "0x1", " 1", "1.f4294967296"}) {
    std::string error;
    EXPECT_FALSE(Schedule::parse(text, &error)) << text;
    EXPECT_NE(error.find("expected a schedule such as"), std::string::npos) << error;
  }
}

TEST(TheDefaultSchedule, ChoosesTheFirstAndSaysNo) {
  Schedule schedule;
  EXPECT_FALSE(schedule.preempts());
  for (std::uint32_t i = 1; i < 10; ++i) EXPECT_EQ(schedule.pick(i), 0U);
  EXPECT_FALSE(schedule.choose());
}

TEST(ASchedule, FailsTheFaultPointThatItNames) {
  Schedule schedule(0, 3);
  EXPECT_FALSE(schedule.fault());
  EXPECT_FALSE(schedule.fault());
  EXPECT_TRUE(schedule.fault());
  EXPECT_FALSE(schedule.fault());
  EXPECT_EQ(schedule.faults_seen(), 4U);
}

TEST(ASeed, DrawsTheSameEachTime) {
  Schedule a(0x7f3a);
  Schedule b(0x7f3a);
  bool any_yes = false;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(a.points_until_preemption(), b.points_until_preemption());
    const auto picked = a.pick(7);
    ASSERT_LT(picked, 7U);
    ASSERT_EQ(picked, b.pick(7));
    const bool yes = a.choose();
    any_yes |= yes;
    ASSERT_EQ(yes, b.choose());
  }
  EXPECT_TRUE(any_yes);
}

class NotingTimer final : public Timer {
 public:
  NotingTimer(int number, std::vector<int>& log) : number_(number), log_(log) {}

 private:
  void expire(Ticks) noexcept override { log_.push_back(number_); }
  int number_;
  std::vector<int>& log_;
};

TEST(TheTimerHeap, ExpiresByTimeThenByOrderOfArming) {
  std::vector<int> log;
  std::vector<std::unique_ptr<NotingTimer>> timers;
  for (int i = 0; i < 100; ++i) timers.push_back(std::make_unique<NotingTimer>(i, log));
  TimerHeap heap;
  for (int i = 0; i < 100; ++i) heap.arm(*timers[static_cast<std::size_t>(i)], static_cast<Ticks>((i * 37) % 10));
  for (std::size_t i = 0; i < 100; i += 3) EXPECT_TRUE(heap.disarm(*timers[i]));
  EXPECT_FALSE(heap.disarm(*timers[0]));
  EXPECT_EQ(heap.next_due(), 0U);
  heap.expire(4);
  EXPECT_EQ(heap.next_due(), 5U);
  heap.expire(100);
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(heap.next_due(), kNever);

  std::vector<int> expected;
  for (int due = 0; due < 10; ++due) {
    for (int i = 0; i < 100; ++i) {
      if (i % 3 != 0 && (i * 37) % 10 == due) expected.push_back(i);
    }
  }
  EXPECT_EQ(log, expected);
}

struct PingPong {
  Fiber host;
  Fiber* fiber = nullptr;
  int turns = 0;
};

TEST(AFiber, KeepsItsStackOverSwitches) {
  PingPong game;
  for (int round = 0; round < 100; ++round) {  // stacks are reused
    game.turns = 0;
    game.fiber = Fiber::make(
        [](void* argument) {
          auto& g = *static_cast<PingPong*>(argument);
          for (int mine = 1;; ++mine) {
            g.turns = mine;
            g.fiber->switch_to(g.host);
          }
        },
        &game);
    ASSERT_NE(game.fiber, nullptr);
    EXPECT_EQ(game.fiber->low() % 4096, 0U);
    EXPECT_TRUE(game.fiber->in_guard(game.fiber->low() - 1));
    EXPECT_FALSE(game.fiber->in_guard(game.fiber->low()));
    for (int i = 1; i <= 10; ++i) {
      game.host.switch_to(*game.fiber);
      EXPECT_EQ(game.turns, i);
    }
    Fiber::give_back(game.fiber, true);
  }
}

}  // namespace
}  // namespace undis::machine
