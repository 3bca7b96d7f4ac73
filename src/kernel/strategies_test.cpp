// SPDX-License-Identifier: MIT
//
// The machine's promises to drivers hold under every strategy: locks exclude, a wake-up is not lost, timers
// expire in order, IRQL keeps out what it must, and a run that is repeated takes the same switches.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "kernel/scheduling_test.h"
#include "machine/strategy.h"

namespace undis::kernel {
namespace {

struct Case {
  const char* strategy;
  std::uint32_t processors;
};

class UnderEveryStrategy : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr int kSchedules = 60;

  /// Runs `body` under the first schedules of the strategy.
  static void each(const std::function<void(World&)>& body) {
    machine::SearchSetup setup;
    setup.processors = GetParam().processors;
    setup.seed = 0x5eed;
    const auto search = machine::Strategy::make(GetParam().strategy, setup);
    for (int i = 0; i < kSchedules && !::testing::Test::HasFailure(); ++i) {
      const auto schedule = search->next();
      if (!schedule) break;
      SCOPED_TRACE(schedule->text());
      machine::Trail trail;
      search->prepare(trail);
      {
        World world(*schedule, &trail);
        body(world);
        EXPECT_EQ(world.recorder.text(), "");
      }
      search->learn(*schedule, trail);
    }
  }
};

TEST_P(UnderEveryStrategy, OneAtATimeHoldsASpinLock) {
  each([](World& world) {
    KSPIN_LOCK lock = 0;
    KeInitializeSpinLock(&lock);
    int inside = 0;
    int most = 0;
    int count = 0;
    EXPECT_EQ(world.system.run("main",
                               [&] {
                                 for (int i = 0; i < 3; ++i) {
                                   world.system.spawn("worker", [&] {
                                     for (int j = 0; j < 4; ++j) {
                                       KIRQL before = 0;
                                       KeAcquireSpinLock(&lock, &before);
                                       EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
                                       most = std::max(most, ++inside);
                                       schedule_point("inside");
                                       ++count;
                                       --inside;
                                       KeReleaseSpinLock(&lock, before);
                                     }
                                   });
                                 }
                               }),
              Outcome::Idle);
    EXPECT_EQ(most, 1);
    EXPECT_EQ(count, 12);
  });
}

TEST_P(UnderEveryStrategy, OneAtATimeOwnsAMutex) {
  each([](World& world) {
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    int inside = 0;
    int count = 0;
    EXPECT_EQ(world.system.run("main",
                               [&] {
                                 for (int i = 0; i < 3; ++i) {
                                   world.system.spawn("worker", [&] {
                                     for (int j = 0; j < 3; ++j) {
                                       EXPECT_EQ(wait_on(&mutex), STATUS_SUCCESS);
                                       EXPECT_EQ(++inside, 1);
                                       schedule_point("inside");
                                       sleep_ms(1);
                                       --inside;
                                       ++count;
                                       KeReleaseMutex(&mutex, FALSE);
                                     }
                                   });
                                 }
                                 sleep_ms(1000);  // time passes only while this thread waits
                               }),
              Outcome::Idle);
    EXPECT_EQ(count, 9);
  });
}

TEST_P(UnderEveryStrategy, NoWakeUpIsLost) {
  each([](World& world) {
    KEVENT filled;
    KEVENT emptied;
    KeInitializeEvent(&filled, SynchronizationEvent, FALSE);
    KeInitializeEvent(&emptied, SynchronizationEvent, TRUE);
    int slot = 0;
    std::vector<int> seen;
    EXPECT_EQ(world.system.run("producer",
                               [&] {
                                 world.system.spawn("consumer", [&] {
                                   for (int i = 1; i <= 8; ++i) {
                                     EXPECT_EQ(wait_on(&filled), STATUS_SUCCESS);
                                     seen.push_back(slot);
                                     KeSetEvent(&emptied, IO_NO_INCREMENT, FALSE);
                                   }
                                 });
                                 for (int i = 1; i <= 8; ++i) {
                                   EXPECT_EQ(wait_on(&emptied), STATUS_SUCCESS);
                                   slot = i;
                                   KeSetEvent(&filled, IO_NO_INCREMENT, FALSE);
                                 }
                               }),
              Outcome::Idle);
    EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  });
}

struct Ticking {
  std::vector<int>* order;
  int number;
};

VOID NTAPI note_tick(PKDPC, PVOID context, PVOID, PVOID) {
  const auto& tick = *static_cast<Ticking*>(context);
  EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
  tick.order->push_back(tick.number);
}

TEST_P(UnderEveryStrategy, TimersExpireInTheOrderOfTheirTimes) {
  each([](World& world) {
    std::vector<int> order;
    std::array<KTIMER, 4> timers{};
    std::array<KDPC, 4> dpcs{};
    std::array<Ticking, 4> ticks{};
    EXPECT_EQ(world.system.run("main",
                               [&] {
                                 static constexpr std::array<int, 4> kMilliseconds{7, 3, 9, 5};
                                 for (std::size_t i = 0; i < 4; ++i) {
                                   ticks[i] = {&order, kMilliseconds[i]};
                                   KeInitializeTimer(&timers[i]);
                                   KeInitializeDpc(&dpcs[i], &note_tick, &ticks[i]);
                                   // One processor for all of them: its queue keeps their order.
                                   KeSetTargetProcessorDpc(&dpcs[i], 0);
                                 }
                                 for (std::size_t i = 0; i < 4; ++i)
                                   KeSetTimer(&timers[i], relative_ms(kMilliseconds[i]), &dpcs[i]);
                                 sleep_ms(30);
                               }),
              Outcome::Idle);
    // Time may pass between two that are set: what counts is when each was due.
    std::vector<std::pair<ULONGLONG, int>> due;
    for (std::size_t i = 0; i < 4; ++i) due.emplace_back(timers[i].DueTime.QuadPart, ticks[i].number);
    std::ranges::stable_sort(due, {}, [](const auto& one) { return one.first; });
    std::vector<int> expected;
    for (const auto& one : due) expected.push_back(one.second);
    EXPECT_EQ(order, expected);
  });
}

TEST_P(UnderEveryStrategy, NothingOfItsProcessorRunsWhileAThreadIsAtDispatchLevel) {
  each([](World& world) {
    struct Shared {
      std::array<int, 64> raised{};
      int met = 0;
      static VOID NTAPI look(PKDPC, PVOID context, PVOID, PVOID) {
        auto& shared = *static_cast<Shared*>(context);
        if (shared.raised[KeGetCurrentProcessorNumber()] != 0) ++shared.met;
      }
    } shared;
    std::array<KDPC, 6> dpcs{};
    for (KDPC& dpc : dpcs) KeInitializeDpc(&dpc, &Shared::look, &shared);
    EXPECT_EQ(world.system.run("main",
                               [&] {
                                 for (std::size_t i = 0; i < dpcs.size(); ++i) {
                                   world.system.spawn("raiser", [&, i] {
                                     const KIRQL before = KeRaiseIrqlToDpcLevel();
                                     const ULONG here = KeGetCurrentProcessorNumber();
                                     ++shared.raised[here];
                                     EXPECT_EQ(shared.raised[here], 1);
                                     KeInsertQueueDpc(&dpcs[i], nullptr, nullptr);
                                     schedule_point("raised");
                                     EXPECT_EQ(KeGetCurrentProcessorNumber(), here)
                                         << "a thread at DISPATCH_LEVEL moved";
                                     --shared.raised[here];
                                     KeLowerIrql(before);
                                   });
                                 }
                               }),
              Outcome::Idle);
    EXPECT_EQ(shared.met, 0);
  });
}

TEST_P(UnderEveryStrategy, TheSameScheduleIsTheSameRun) {
  const auto body = [](World& world) {
    KEVENT go;
    KeInitializeEvent(&go, NotificationEvent, FALSE);
    KSPIN_LOCK lock = 0;
    KeInitializeSpinLock(&lock);
    world.system.run("main", [&] {
      for (int i = 0; i < 3; ++i) {
        world.system.spawn("worker", [&] {
          wait_on_for_ms(&go, 5);
          KIRQL before = 0;
          KeAcquireSpinLock(&lock, &before);
          KeReleaseSpinLock(&lock, before);
          sleep_ms(2);
        });
      }
      sleep_ms(3);
      KeSetEvent(&go, IO_NO_INCREMENT, FALSE);
    });
    return world.machine.switch_hash();
  };
  std::vector<std::pair<machine::Schedule, std::uint64_t>> hashes;
  each([&](World& world) {
    const machine::Schedule schedule = world.machine.schedule();
    hashes.emplace_back(schedule, body(world));
  });
  for (const auto& [schedule, hash] : hashes) {
    World again(schedule);
    EXPECT_EQ(body(again), hash) << schedule.text();
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, UnderEveryStrategy,
                         ::testing::Values(Case{"mixed", 2}, Case{"random", 1}, Case{"random", 2},
                                           Case{"random", 8}, Case{"random", 64}, Case{"pct", 2},
                                           Case{"pct", 3}, Case{"round-robin", 2}, Case{"exhaustive", 2},
                                           Case{"coverage", 2}),
                         [](const auto& param) {
                           std::string name = std::string(param.param.strategy) + "On" +
                                              std::to_string(param.param.processors);
                           std::erase(name, '-');
                           return name;
                         });

// ---- locks in both orders ----

TEST(LocksInBothOrders, AreToldWithoutADeadlock) {
  World world;
  KSPIN_LOCK a = 0;
  KSPIN_LOCK b = 0;
  const auto both = [](KSPIN_LOCK& first, KSPIN_LOCK& second) {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeAcquireSpinLockAtDpcLevel(&first);
    KeAcquireSpinLockAtDpcLevel(&second);
    KeReleaseSpinLockFromDpcLevel(&second);
    KeReleaseSpinLockFromDpcLevel(&first);
    KeLowerIrql(before);
  };
  EXPECT_EQ(world.system.run("one",
                             [&] {
                               both(a, b);
                               both(b, a);
                               both(a, b);
                             }),
            Outcome::Idle);
  EXPECT_FALSE(world.recorder.saw(Misuse::LockOrder, "KeAcquireSpinLockAtDpcLevel"))
      << "one thread alone cannot deadlock with itself";
  EXPECT_EQ(world.system.run("other", [&] { both(b, a); }), Outcome::Idle);
  EXPECT_TRUE(world.recorder.saw(Misuse::LockOrder, "KeAcquireSpinLockAtDpcLevel"));
  EXPECT_EQ(world.recorder.misuses.size(), 1U) << world.recorder.text();
}

TEST(LocksInBothOrders, AreToldOverOthersBetweenThem) {
  World world;
  std::array<KSPIN_LOCK, 3> locks{};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world.system.run("thread",
                               [&] {
                                 const KIRQL before = KeRaiseIrqlToDpcLevel();
                                 KeAcquireSpinLockAtDpcLevel(&locks[i]);
                                 KeAcquireSpinLockAtDpcLevel(&locks[(i + 1) % 3]);
                                 KeReleaseSpinLockFromDpcLevel(&locks[(i + 1) % 3]);
                                 KeReleaseSpinLockFromDpcLevel(&locks[i]);
                                 KeLowerIrql(before);
                               }),
              Outcome::Idle);
    EXPECT_EQ(world.recorder.misuses.size(), i == 2 ? 1U : 0U);
  }
}

TEST(LocksInBothOrders, AreFineUnderALockThatKeepsThemApart) {
  World world;
  KSPIN_LOCK gate = 0;
  KSPIN_LOCK a = 0;
  KSPIN_LOCK b = 0;
  for (const bool turned : {false, true}) {
    EXPECT_EQ(world.system.run("thread",
                               [&] {
                                 const KIRQL before = KeRaiseIrqlToDpcLevel();
                                 KeAcquireSpinLockAtDpcLevel(&gate);
                                 KeAcquireSpinLockAtDpcLevel(turned ? &b : &a);
                                 KeAcquireSpinLockAtDpcLevel(turned ? &a : &b);
                                 KeReleaseSpinLockFromDpcLevel(turned ? &a : &b);
                                 KeReleaseSpinLockFromDpcLevel(turned ? &b : &a);
                                 KeReleaseSpinLockFromDpcLevel(&gate);
                                 KeLowerIrql(before);
                               }),
              Outcome::Idle);
  }
  EXPECT_TRUE(world.recorder.misuses.empty()) << world.recorder.text();
}

TEST(LocksInBothOrders, AreOthersOnceInitialisedAnew) {
  World world;
  KSPIN_LOCK a = 0;
  KSPIN_LOCK b = 0;
  for (const bool turned : {false, true}) {
    EXPECT_EQ(world.system.run("thread",
                               [&] {
                                 KeInitializeSpinLock(&a);
                                 const KIRQL before = KeRaiseIrqlToDpcLevel();
                                 KeAcquireSpinLockAtDpcLevel(turned ? &b : &a);
                                 KeAcquireSpinLockAtDpcLevel(turned ? &a : &b);
                                 KeReleaseSpinLockFromDpcLevel(turned ? &a : &b);
                                 KeReleaseSpinLockFromDpcLevel(turned ? &b : &a);
                                 KeLowerIrql(before);
                               }),
              Outcome::Idle);
  }
  EXPECT_TRUE(world.recorder.misuses.empty()) << world.recorder.text();
}

// ---- who waits for whom ----

TEST(AHang, NamesTheCircleOfWhoWaitsForWhom) {
  World world;
  KMUTEX first;
  KMUTEX second;
  KeInitializeMutex(&first, 0);
  KeInitializeMutex(&second, 0);
  EXPECT_EQ(world.system.run("main",
                             [&] {
                               Thread& left = world.system.spawn("left", [&] {
                                 wait_on(&first);
                                 sleep_ms(1);
                                 wait_on(&second);
                               });
                               world.system.spawn("right", [&] {
                                 wait_on(&second);
                                 sleep_ms(1);
                                 wait_on(&first);
                               });
                               wait_on(left.object());
                             }),
            Outcome::Hang);
  ASSERT_EQ(world.recorder.hangs.size(), 1U);
  const HangEvent& hang = world.recorder.hangs[0];
  EXPECT_EQ(hang.waiters.size(), 3U);
  EXPECT_EQ(hang.now, 10'000U);
  EXPECT_EQ(circles_of(hang), (std::vector<std::string>{"left -> right -> left"}));
  for (const Waiter& waiter : hang.waiters) {
    EXPECT_EQ(waiter.held_by.size(), 1U) << waiter.thread_name;
    EXPECT_GT(waiter.stack.count, 0U) << waiter.thread_name;
    EXPECT_LE(waiter.since, hang.now);
  }
}

TEST(AHang, WithoutACircleNamesNone) {
  World world;
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  EXPECT_EQ(world.system.run("main", [&] { wait_on(&never); }), Outcome::Hang);
  ASSERT_EQ(world.recorder.hangs.size(), 1U);
  EXPECT_TRUE(circles_of(world.recorder.hangs[0]).empty());
}

}  // namespace
}  // namespace undis::kernel
