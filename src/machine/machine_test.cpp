// SPDX-License-Identifier: MIT
//
// The parts of the machine by themselves: schedules as text, the timer heap, fibers.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "machine/chooser.h"
#include "machine/fiber.h"
#include "machine/schedule.h"
#include "machine/timer_heap.h"

namespace undis::machine {
namespace {

TEST(ASchedule, ComesBackFromItsText) {
  for (const char* text : {"0",
                           "1",
                           "7f3a",
                           "7f3a.f5",
                           "ffffffffffffffff",
                           "0.f1",
                           "0.f4294967295",
                           "rr1",
                           "rr512",
                           "pct3-7f3a",
                           "7f3a.c",
                           "pct2-7.c.f5",
                           "7f3a.c.d",
                           "pct2-7.d.p4",
                           "x1@2=clock2",
                           "pct64-1-77.f2,9+100",
                           "x",
                           "x3@17=5",
                           "x0@4=clock,3@17=5,3@18=0.y2,7.f5.p4",
                           "7f3a.p64",
                           "7f3a.v1-c9e2",
                           "x3@17=5.v1-00e2-0001"}) {
    std::string error;
    const auto schedule = Schedule::parse(text, &error);
    ASSERT_TRUE(schedule) << error;
    EXPECT_EQ(schedule->text(), text);
    EXPECT_EQ(Schedule::parse(schedule->text()), schedule);
  }
}

TEST(ASchedule, IsRefusedWithWhatWasExpected) {
  for (const char* text : {"",           "g",
                           "7f3a.",      "7f3a.f",
                           "7f3a.f0",    "7f3a.g5",
                           "7f3a.f5.f6", "12345678901234567",
                           "-1",         "0x1",
                           " 1",         "1.f4294967296",
                           "rr",         "rr0",
                           "rr-1",       "pct",
                           "pct3",       "pct0-1",
                           "pct65-1",    "pct3-1-0",
                           "pct3-1-2-3", "x3@17",
                           "x3=5",       "x3@=5",
                           "x@1=5",      "x3@0=5",
                           "x3@1=",      "x3@1=4294967295",
                           "x3@1=5,",    "x3@1=5,3@1=6",
                           "7f3a.y1",    "x.y0",
                           "x.y2,1",     "x.y1,1",
                           "0.f5,4",     "0.p0",
                           "0.p65",      "0.p",
                           "0.v1",       "0.v-c9e2",
                           "0.v1-g",     "0.v1-c9e2-1-2",
                           "0.v1-c9e22", "0..f1",
                           "rr1.c",      "x.c",
                           "7f3a.c.c",   "7f3a.c1",
                           "rr1.d",      "x.d",
                           "7f3a.d.d",   "x1@2=clock3"}) {
    std::string error;
    EXPECT_FALSE(Schedule::parse(text, &error)) << text;
    EXPECT_NE(error.find("expected a schedule such as"), std::string::npos) << error;
  }
}

TEST(ASchedule, OfAnotherFormIsRefusedAsSuch) {
  std::string error;
  EXPECT_FALSE(Schedule::parse("7f3a.v2-c9e2-1d2e", &error));
  EXPECT_NE(error.find("form 2, made by another version of undis; this one reads form 1"), std::string::npos)
      << error;
}

TEST(ASchedule, FailsTheFaultPointsThatItNames) {
  const auto failing = [](const char* text) {
    const Schedule schedule = *Schedule::parse(text);
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = 1; number <= 12; ++number)
      if (schedule.fails(number)) numbers.push_back(number);
    return numbers;
  };
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(failing("0"), Numbers{});
  EXPECT_EQ(failing("0.f3"), Numbers{3});
  EXPECT_EQ(failing("0.f3,9"), (Numbers{3, 9}));
  EXPECT_EQ(failing("0.f1,4+2"), (Numbers{1, 4, 5, 6}));
  EXPECT_EQ(failing("0.f11+1073741824"), (Numbers{11, 12}));
}

TEST(TheMarkOfDrivers, TellsOtherNamesAndAnotherOrder) {
  const std::uint16_t mark = drivers_mark({"nic", "proto"});
  EXPECT_EQ(mark, drivers_mark({"nic", "proto"}));
  EXPECT_NE(mark, drivers_mark({"proto", "nic"}));
  EXPECT_NE(mark, drivers_mark({"nicproto"}));
  EXPECT_NE(mark, drivers_mark({"nic"}));
}

TEST(ASeed, DrawsTheSameEachTime) {
  for (const char* text : {"7f3a", "pct3-7f3a", "rr2"}) {
    const Schedule schedule = *Schedule::parse(text);
    const auto a = Chooser::make(schedule);
    const auto b = Chooser::make(schedule);
    const std::vector<std::uint32_t> options{4, 1, 2, 9, Turn::kClock};
    bool any_yes = false;
    for (std::uint32_t i = 1; i < 1000; ++i) {
      const Moment moment{4, i, i, false};
      ASSERT_EQ(a->wish(moment), b->wish(moment));
      const auto picked = a->pick(moment, options);
      ASSERT_LT(picked, options.size());
      ASSERT_EQ(picked, b->pick(moment, options));
      const bool yes = a->answer(i);
      any_yes |= yes;
      ASSERT_EQ(yes, b->answer(i));
    }
    EXPECT_TRUE(any_yes) << text;
  }
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
  for (int i = 0; i < 100; ++i)
    heap.arm(*timers[static_cast<std::size_t>(i)], static_cast<Ticks>((i * 37) % 10));
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
