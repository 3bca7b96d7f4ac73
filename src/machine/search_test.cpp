// SPDX-License-Identifier: MIT
//
// Searches on small programs with a known bug: each strategy finds it, the schedule found replays, shrinks,
// and comes back from its text.
#include <gtest/gtest.h>

#include <algorithm>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "machine/fault_search.h"
#include "machine/rare_points.h"
#include "machine/shrink.h"
#include "machine/testing.h"

namespace undis::machine {
namespace {

/// Two strands that each add 1 in two steps: one addition is lost if one comes in between the other's steps.
void lost_update(Program& program) {
  int value = 0;
  const auto add = [&] {
    for (int i = 0; i < 3; ++i) program.point("elsewhere");
    const int before = value;
    program.point("between");
    value = before + 1;
  };
  program.spawn([&] {
    program.spawn(add);
    add();
    for (int i = 0; i < 8; ++i) program.point("wait");
  });
  program.run();
  program.found = value == 1;
}

/// Needs the steps of two strands in a strict order of turns: a, b, a, b ... `steps` times.
std::function<void(Program&)> zipper(int steps) {
  return [steps](Program& program) {
    int level = 0;
    const auto climb = [&program, &level, steps](int parity) {
      for (int i = 0; i < steps; ++i) {
        program.point("step");
        if (level % 2 == parity) ++level;
        for (int j = 0; j < 5; ++j) program.point("rest");
      }
    };
    program.spawn([&] {
      program.spawn([&climb] { climb(1); });
      climb(0);
    });
    program.run();
    program.found = level >= steps;
  };
}

class EachStrategy : public ::testing::TestWithParam<const char*> {};

TEST_P(EachStrategy, FindsALostUpdate) {
  const Hunt hunted = hunt(GetParam(), lost_update, 5000);
  EXPECT_TRUE(hunted.found) << hunted.runs << " runs";
}

TEST_P(EachStrategy, TriesTheSameSchedulesEachTime) {
  const auto tried = [](const char* name) {
    std::vector<std::string> texts;
    SearchSetup setup;
    setup.seed = 0x77;
    const auto search = Strategy::make(name, setup);
    for (int i = 0; i < 100; ++i) {
      const auto schedule = search->next();
      if (!schedule) break;
      texts.push_back(schedule->text());
      Trail trail;
      search->prepare(trail);
      {
        Program program(*schedule, &trail);
        lost_update(program);
      }
      search->learn(*schedule, trail);
    }
    return texts;
  };
  const std::vector<std::string> once = tried(GetParam());
  EXPECT_GT(once.size(), 10U);
  EXPECT_EQ(once, tried(GetParam()));
}

TEST_P(EachStrategy, NamesRunsThatComeAgainAsTurnsBitForBit) {
  const auto search = Strategy::make(GetParam(), {});
  for (int i = 0; i < 200; ++i) {
    const auto schedule = search->next();
    if (!schedule) break;
    Trail trail;
    search->prepare(trail);
    std::uint64_t hash = 0;
    {
      Program program(*schedule, &trail);
      lost_update(program);
      hash = program.machine.switch_hash();
    }
    search->learn(*schedule, trail);
    const auto again = Schedule::parse(trail.given(*schedule).text());
    ASSERT_TRUE(again);
    for (const Schedule& other : {*schedule, *again}) {
      Program program(other);
      lost_update(program);
      ASSERT_EQ(program.machine.switch_hash(), hash) << schedule->text() << " as " << other.text();
    }
  }
}

TEST_P(EachStrategy, RespectsTheNumberOfProcessors) {
  for (const std::uint32_t processors : {1U, 3U, 64U}) {
    SearchSetup setup;
    setup.processors = processors;
    const auto search = Strategy::make(GetParam(), setup);
    const Schedule schedule = *search->next();
    EXPECT_EQ(schedule.processors(), processors);
    Program program(schedule);
    EXPECT_EQ(program.machine.processors().size(), processors);
    lost_update(program);
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, EachStrategy,
                         ::testing::Values("mixed", "random", "pct", "round-robin", "exhaustive", "coverage"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(AStrategy, IsMadeByItsName) {
  EXPECT_EQ(Strategy::make("wish", {}), nullptr);
  for (const std::string& name : Strategy::names()) EXPECT_NE(Strategy::make(name, {}), nullptr) << name;
}

// ---- exhaustive ----

TEST(TheExhaustiveSearch, EndsWhenEverythingWithinTheBoundIsTried) {
  SearchSetup setup;
  setup.bound = 1;
  const Hunt all = hunt(
      "exhaustive",
      [](Program& program) {
        lost_update(program);
        program.found = false;
      },
      1'000'000, setup);
  EXPECT_TRUE(all.exhausted);
  setup.bound = 2;
  const Hunt more = hunt(
      "exhaustive",
      [](Program& program) {
        lost_update(program);
        program.found = false;
      },
      1'000'000, setup);
  EXPECT_TRUE(more.exhausted);
  EXPECT_GT(more.runs, 5 * all.runs);
}

TEST(TheExhaustiveSearch, TriesNoScheduleTwiceButForItsDecisions) {
  std::multiset<std::string> tried;
  SearchSetup setup;
  setup.bound = 2;
  const auto search = Strategy::make("exhaustive", setup);
  std::uint64_t inner = 0;
  while (const auto schedule = search->next()) {
    if (search->needs_to_learn()) {
      ++inner;
    } else {
      tried.insert(schedule->text());
    }
    Trail trail;
    search->prepare(trail);
    {
      Program program(*schedule, &trail);
      lost_update(program);
    }
    search->learn(*schedule, trail);
  }
  for (const std::string& text : tried) EXPECT_EQ(tried.count(text), 1U) << text;
  EXPECT_LT(inner, tried.size() / 2);
}

TEST(TheExhaustiveSearch, FindsABugWithItsNumberOfDeparturesAndNotWithFewer) {
  // Strand 2 runs while strand 1 is between its steps: one pre-emption there and one back.
  const auto body = [](Program& program) {
    int stage = 0;
    program.spawn([&] {
      program.spawn([&] {
        program.point("b1");
        if (stage == 1) stage = 2;
        program.point("b2");
        if (stage == 3) program.found = true;
      });
      program.point("a1");
      stage = 1;
      program.point("a2");
      if (stage == 2) stage = 3;
      program.point("a3");
      stage = 4;
      program.point("a4");
    });
    program.run();
  };
  SearchSetup setup;
  setup.bound = 1;
  const Hunt with_one = hunt("exhaustive", body, 1'000'000, setup);
  EXPECT_FALSE(with_one.found);
  EXPECT_TRUE(with_one.exhausted);
  setup.bound = 3;
  const Hunt with_three = hunt("exhaustive", body, 1'000'000, setup);
  EXPECT_TRUE(with_three.found);
  EXPECT_LE(with_three.schedule.turns().size(), 3U);
}

TEST(TheExhaustiveSearch, GoesOnAfterASchedulesProcessIsLost) {
  // The same order, with every seventh run lost: the leaves that follow are the same.
  SearchSetup setup;
  setup.bound = 1;
  const auto a = Strategy::make("exhaustive", setup);
  const auto b = Strategy::make("exhaustive", setup);
  std::uint64_t index = 0;
  for (;;) {
    const auto one = a->next();
    const auto other = b->next();
    ASSERT_EQ(one.has_value(), other.has_value());
    if (!one) break;
    ASSERT_EQ(one->text(), other->text());
    Trail trail;
    a->prepare(trail);
    {
      Program program(*one, &trail);
      lost_update(program);
    }
    const bool inner = a->needs_to_learn();
    a->learn(*one, trail);
    if (++index % 7 == 0 && !inner) {
      b->lost();
    } else {
      b->learn(*one, trail);
    }
  }
  EXPECT_GT(index, 10U);
}

// ---- parts of a search ----

TEST(TheShardsOfASearch, MakeTheWholeAndDoNotOverlap) {
  for (const char* name : {"random", "pct", "mixed", "exhaustive", "round-robin"}) {
    const auto first = [name](std::uint32_t shard, std::uint32_t shards, std::size_t count) {
      SearchSetup setup;
      setup.seed = 5;
      setup.shard = shard;
      setup.shards = shards;
      setup.bound = 1;
      const auto search = Strategy::make(name, setup);
      std::set<std::string> texts;
      for (std::size_t i = 0; i < count; ++i) {
        const auto schedule = search->next();
        if (!schedule) break;
        Trail trail;
        const bool counts = !search->needs_to_learn();
        search->prepare(trail);
        {
          Program program(*schedule, &trail);
          lost_update(program);
        }
        // The length that pct learns is the program's, the same in every part.
        search->learn(*schedule, trail);
        if (counts) texts.insert(schedule->text());
      }
      return texts;
    };
    const bool finite = std::string(name) == "exhaustive" || std::string(name) == "round-robin";
    const std::size_t each = finite ? 100'000 : 30;
    const std::set<std::string> whole = first(0, 1, finite ? each : 3 * each);
    std::set<std::string> together;
    std::size_t sum = 0;
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      const std::set<std::string> part = first(shard, 3, each);
      sum += part.size();
      together.insert(part.begin(), part.end());
    }
    EXPECT_EQ(sum, together.size()) << name;
    if (std::string(name) != "pct" && std::string(name) != "mixed") {
      EXPECT_EQ(together, whole) << name;
    }
    EXPECT_EQ(together.size(), whole.size()) << name;
  }
}

// ---- pct, coverage ----

TEST(ProbabilisticConcurrencyTesting, FindsAnOrderThatRandomWalksRarelyTake) {
  // Strand 2 must go all its way before strand 1 takes its second step: one change of priority.
  const auto body = [](Program& program) {
    int done = 0;
    program.spawn([&] {
      program.spawn([&] {
        for (int i = 0; i < 200; ++i) program.point("long");
        done = 1;
      });
      program.point("first");
      program.point("second");
      if (done == 1) program.found = true;
      for (int i = 0; i < 200; ++i) program.point("rest");
    });
    program.run();
  };
  SearchSetup setup;
  setup.depth = 2;
  const Hunt hunted = hunt("pct", body, 200, setup);
  EXPECT_TRUE(hunted.found);
}

TEST(TheCoverageGuidedSearch, ClimbsWhereEachStepIsANewPairOfPlaces) {
  // Each right turn brings the strands to places with names of their own.
  static const char* const kLevels[] = {"l0", "l1", "l2", "l3",  "l4",  "l5", "l6",
                                        "l7", "l8", "l9", "l10", "l11", "l12"};
  const auto body = [](Program& program) {
    int level = 0;
    const auto climb = [&program, &level](int parity) {
      for (int i = 0; i < 12; ++i) {
        program.point(kLevels[level]);
        if (level % 2 == parity && level < 12) ++level;
        for (int j = 0; j < 4; ++j) program.point("rest");
      }
    };
    program.spawn([&] {
      program.spawn([&climb] { climb(1); });
      climb(0);
    });
    program.run();
    program.found = level >= 8;
  };
  const Hunt guided = hunt("coverage", body, 20'000);
  EXPECT_TRUE(guided.found) << guided.runs;
  EXPECT_GT(guided.trail.pairs.size(), 4U);
}

// ---- shrinking ----

TEST(Shrinking, LeavesOnlyTheTurnsThatMatter) {
  for (const char* strategy : {"random", "pct", "coverage", "round-robin"}) {
    const Hunt hunted = hunt(strategy, lost_update, 5000);
    ASSERT_TRUE(hunted.found);
    const auto shows = [](const Schedule& schedule) {
      Program program(schedule);
      lost_update(program);
      return program.found;
    };
    const auto shrunk = shrink(hunted.schedule, hunted.trail, shows, [] { return true; });
    ASSERT_TRUE(shrunk) << strategy;
    EXPECT_TRUE(shows(shrunk->schedule));
    EXPECT_LE(shrunk->schedule.turns().size(), 3U) << shrunk->schedule.text();
    for (std::size_t i = 0; i < shrunk->schedule.turns().size(); ++i) {
      std::vector<Turn> fewer = shrunk->schedule.turns();
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_FALSE(shows(Schedule::given(fewer))) << "turn " << i << " is not needed";
    }
  }
}

TEST(Shrinking, SaysThatItDoesNotFollowFromTheSchedule) {
  const Hunt hunted = hunt("random", lost_update, 5000);
  EXPECT_FALSE(shrink(
      hunted.schedule, hunted.trail, [](const Schedule&) { return false; }, [] { return true; }));
}

TEST(Shrinking, StopsWhenTimeIsUp) {
  const Hunt hunted = hunt("random", zipper(4), 5000);
  ASSERT_TRUE(hunted.found);
  int left = 3;
  int calls = 0;
  const auto shrunk = shrink(
      hunted.schedule, hunted.trail,
      [&calls](const Schedule& schedule) {
        ++calls;
        Program program(schedule);
        zipper(4)(program);
        return program.found;
      },
      [&left] { return left-- > 0; });
  ASSERT_TRUE(shrunk);
  EXPECT_LE(calls, 5);
}

TEST(Shrinking, TakesAwayFailuresAndAnswersThatDoNotMatter) {
  Trail trail;
  trail.turns = {{1, 1, 2}, {2, 2, 1}};
  trail.yes = {1, 2, 3, 4};
  const Schedule schedule = Schedule(7).with_failures({{2, 0}, {5, 3}});
  const auto shows = [](const Schedule& s) {
    return s.fails(6) && std::ranges::find(s.answers(), 3U) != s.answers().end();
  };
  const auto shrunk = shrink(schedule, trail, shows, [] { return true; });
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shrunk->schedule.text(), "x.y3.f5+3");
}

// ---- fault search ----

/// A program with fallible calls a to e; b is made twice, e only when b has failed.
void fallible(Program& program) {
  program.spawn([&] {
    const auto fails = [&](std::uint64_t place) { return program.machine.fault("call", place); };
    fails(0xA);
    for (int i = 0; i < 2; ++i) {
      if (!fails(0xB)) continue;
      if (fails(0xE)) program.found = true;
    }
    fails(0xC);
    fails(0xD);
  });
  program.run();
}

std::vector<std::string> schedules_of(FaultSearch& search, std::size_t count) {
  std::vector<std::string> texts;
  while (texts.size() < count) {
    const auto schedule = search.next();
    if (!schedule) break;
    texts.push_back(schedule->text());
    Trail trail;
    search.prepare(trail);
    {
      Program program(*schedule, &trail);
      fallible(program);
    }
    search.learn(*schedule, trail);
  }
  return texts;
}

TEST(TheFaultSearch, FailsEachStackOnceAndThoseBehindAFailureToo) {
  FaultSearch search({}, false);
  const std::vector<std::string> texts = schedules_of(search, 10);
  const std::vector<std::string> expected{"0",
                                          "0.f1",
                                          "0.f2",
                                          "0.f4",
                                          "0.f5",
                                          "0.f2,3",
                                          "0.f1+1073741824",
                                          "0.f2+1073741824",
                                          "0.f4+1073741824",
                                          "0.f5+1073741824"};
  EXPECT_EQ(texts, expected);
  EXPECT_EQ(search.places_seen(), 5U);
  EXPECT_EQ(search.places_failed(), 5U);
  EXPECT_TRUE(search.through());
}

TEST(TheFaultSearch, FailsEachTwoOnDemand) {
  FaultSearch search({}, true);
  const std::vector<std::string> texts = schedules_of(search, 30);
  for (const char* pair : {"0.f1,2", "0.f1,4", "0.f1,5", "0.f2,5", "0.f4,5"})
    EXPECT_NE(std::ranges::find(texts, pair), texts.end()) << pair;
}

TEST(TheFaultSearch, EndsWhereNothingCanFail) {
  FaultSearch search({}, false);
  ASSERT_TRUE(search.next());
  search.learn(Schedule(0), Trail{});
  EXPECT_FALSE(search.next());
}

// ---- points inside drivers ----

TEST(PointsInsideDrivers, CountLessTheMoreOftenTheyArePassed) {
  RarePoints points;
  const auto counted = [&points](const char* what, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) count += points.counts(what) ? 1 : 0;
    return count;
  };
  const std::string again = "tick";
  EXPECT_EQ(counted("tick", 8), 8);
  EXPECT_EQ(counted(again.c_str(), 56), 7) << "each 8th up to the 64th, whatever address the name has";
  EXPECT_EQ(counted("tick", 448), 7) << "each 64th up to the 512th";
  EXPECT_EQ(counted("halt", 1), 1);
  EXPECT_EQ(counted("tick", 9), 8) << "something new has come: all begin anew";
}

TEST(PointsInsideDrivers, AreWherePreemptionsComeIfTheScheduleSaysSo) {
  const auto body = [](bool inside) {
    return [inside](Program& program) {
      int step = 0;
      program.spawn([&] {
        program.machine.current().set_focused(inside);
        step = 1;
        program.point("in the middle");
        step = 2;
      });
      program.spawn([&] { program.found = program.found || step == 1; });
      program.run();
    };
  };
  int met[2] = {};
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    for (const bool inside : {false, true}) {
      Program program(Schedule::pct(2, seed, 4).with_focus(true).with_processors(1));
      body(inside)(program);
      met[inside ? 1 : 0] += program.found ? 1 : 0;
    }
  }
  EXPECT_GT(met[1], met[0]);
}

// ---- the clock ----

TEST(TheClock, MayOvertakeAStrandThatIsInTheMiddleOfSomething) {
  class Alarm final : public Timer {
   public:
    bool rang = false;

   private:
    void expire(Ticks) noexcept override { rang = true; }
  };
  const auto body = [](Ticks due) {
    return [due](Program& program) {
      Alarm alarm;
      program.spawn([&] {
        program.machine.arm(alarm, due);
        program.point("one");
        program.point("two");
        if (alarm.rang) program.found = true;
        program.machine.disarm(alarm);
      });
      program.run();
    };
  };
  const Hunt met = hunt("random", body(Simulated::kReach), 1000);
  EXPECT_TRUE(met.found);
  EXPECT_TRUE(met.schedule.clock_overtakes()) << met.schedule.text();
  EXPECT_FALSE(hunt("random", body(Simulated::kReach + 1), 1000).found)
      << "what is far away waits until nothing else can run";
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    for (const Schedule& still : {Schedule(seed), Schedule::pct(3, seed, 8)}) {
      Program program(still);
      body(1)(program);
      EXPECT_FALSE(program.found) << still.text() << ": no schedule but one that says so";
    }
  }
}

}  // namespace
}  // namespace undis::machine
