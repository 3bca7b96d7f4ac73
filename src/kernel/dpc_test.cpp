// SPDX-License-Identifier: MIT
//
// DPCs, timers and work items: when they run, at which IRQL, and that they are neither lost nor doubled.
#include "kernel/dpc.h"

#include <ntddk.h>

#include "kernel/scheduling_test.h"
#include "kernel/time.h"

namespace undis::kernel {
namespace {

struct Log {
  std::vector<int> seen;
  std::vector<std::uint64_t> at;
  KIRQL irql = 0xFF;
};

void note(PKDPC, PVOID context, PVOID argument1, PVOID) {
  auto& log = *static_cast<Log*>(context);
  log.seen.push_back(static_cast<int>(reinterpret_cast<std::intptr_t>(argument1)));
  log.at.push_back(now());
  log.irql = KeGetCurrentIrql();
}

TEST(QueueingADpc, RunsItOnceAtDispatchLevel) {
  under_seeds(300, [](World& world) {
    Log log;
    KDPC dpc;
    KeInitializeDpc(&dpc, &note, &log);
    world.system.run("t", [&] {
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      EXPECT_EQ(KeInsertQueueDpc(&dpc, reinterpret_cast<PVOID>(7), nullptr), TRUE);
      EXPECT_EQ(KeInsertQueueDpc(&dpc, reinterpret_cast<PVOID>(8), nullptr), FALSE) << "it is queued already";
      EXPECT_TRUE(log.seen.empty()) << "this processor is at DISPATCH_LEVEL";
      KeLowerIrql(before);
      KeFlushQueuedDpcs();
      EXPECT_EQ(log.seen, std::vector<int>{7});
      EXPECT_EQ(log.irql, DISPATCH_LEVEL);
    });
  });
}

TEST(QueueingADpc, PreemptsAThreadInSomeSchedule) {
  bool before_return = false;
  bool after_return = false;
  under_seeds(200, [&](World& world) {
    Log log;
    KDPC dpc;
    KeInitializeDpc(&dpc, &note, &log);
    world.system.run("t", [&] {
      KeInsertQueueDpc(&dpc, nullptr, nullptr);
      (log.seen.empty() ? after_return : before_return) = true;
      KeFlushQueuedDpcs();
      EXPECT_EQ(log.seen.size(), 1U);
      EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    });
  });
  EXPECT_TRUE(before_return);
  EXPECT_TRUE(after_return);
}

TEST(QueueingADpc, NeverInterruptsItsProcessorAtDispatchLevel) {
  under_seeds(300, [](World& world) {
    Log log;
    KDPC dpc;
    KeInitializeDpc(&dpc, &note, &log);
    world.system.run("t", [&] {
      for (int i = 0; i < 10; ++i) {
        const KIRQL before = KeRaiseIrqlToDpcLevel();
        const std::size_t runs = log.seen.size();
        KeInsertQueueDpc(&dpc, nullptr, nullptr);
        for (int k = 0; k < 5; ++k) schedule_point("busy");
        EXPECT_EQ(log.seen.size(), runs);
        KeLowerIrql(before);
        KeFlushQueuedDpcs();
      }
    });
  });
}

TEST(QueueingDpcs, KeepsTheirOrderAndPutsImportantOnesFirst) {
  World world;
  Log log;
  KDPC dpcs[3];
  for (KDPC& dpc : dpcs) KeInitializeDpc(&dpc, &note, &log);
  KeSetImportanceDpc(&dpcs[2], HighImportance);
  world.system.run("t", [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    for (std::intptr_t i = 0; i < 3; ++i) KeInsertQueueDpc(&dpcs[i], reinterpret_cast<PVOID>(i), nullptr);
    KeLowerIrql(before);
    KeFlushQueuedDpcs();
  });
  EXPECT_EQ(log.seen, (std::vector<int>{2, 0, 1}));
}

TEST(RemovingADpc, KeepsItFromRunning) {
  World world;
  Log log;
  KDPC dpc;
  KeInitializeDpc(&dpc, &note, &log);
  world.system.run("t", [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
    EXPECT_EQ(KeRemoveQueueDpc(&dpc), TRUE);
    EXPECT_EQ(KeRemoveQueueDpc(&dpc), FALSE);
    KeLowerIrql(before);
    KeFlushQueuedDpcs();
  });
  EXPECT_TRUE(log.seen.empty());
}

TEST(QueueingADpc, IsReportedWhenItWasNeverInitialised) {
  World world;
  KDPC dpc{};
  world.system.run("t", [&] { EXPECT_EQ(KeInsertQueueDpc(&dpc, nullptr, nullptr), FALSE); });
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeInsertQueueDpc"));
}

// ---- timers ----

TEST(SettingTimers, ExpiresThemInTheOrderOfTheirTimes) {
  under_seeds(200, [](World& world) {
    // One processor, so that the DPCs run in the order in which they were queued.
    Log log;
    KTIMER timers[5];
    KDPC dpcs[5];
    const LONGLONG due_ms[5] = {50, 10, 30, 30, 20};
    world.system.run("t", [&] {
      for (int i = 0; i < 5; ++i) {
        KeInitializeTimer(&timers[i]);
        KeInitializeDpc(&dpcs[i], &note, &log);
        KeSetTargetProcessorDpc(&dpcs[i], 0);
        KeSetTimer(&timers[i], relative_ms(due_ms[i]), &dpcs[i]);
      }
      sleep_ms(100);
      KeFlushQueuedDpcs();
    });
    EXPECT_EQ(log.at, (std::vector<std::uint64_t>{100'000, 200'000, 300'000, 300'000, 500'000}));
    EXPECT_EQ(log.irql, DISPATCH_LEVEL);
  });
}

TEST(APeriodicTimer, ExpiresUntilItIsCancelled) {
  World world;
  Log log;
  KTIMER timer;
  KDPC dpc;
  world.system.run("t", [&] {
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeInitializeDpc(&dpc, &note, &log);
    EXPECT_EQ(KeSetTimerEx(&timer, relative_ms(5), 10, &dpc), FALSE);
    sleep_ms(46);
    EXPECT_EQ(KeCancelTimer(&timer), TRUE);
    EXPECT_EQ(KeCancelTimer(&timer), FALSE);
    sleep_ms(100);
  });
  EXPECT_EQ(log.at, (std::vector<std::uint64_t>{50'000, 150'000, 250'000, 350'000, 450'000}));
}

TEST(APeriodicTimer, DoesNotKeepARunFromEnding) {
  World world;
  KTIMER timer;
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               KeInitializeTimer(&timer);
                               KeSetTimerEx(&timer, relative_ms(1), 1, nullptr);
                             }),
            Outcome::Idle);
  EXPECT_EQ(world.machine.now(), 0U);
  world.system.advance(20'000);
  EXPECT_EQ(KeReadStateTimer(&timer), TRUE);
}

TEST(WaitingForATimer, EndsWhenItExpires) {
  World world;
  KTIMER timer;
  world.system.run("t", [&] {
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeSetTimer(&timer, relative_ms(3), nullptr);
    EXPECT_EQ(KeReadStateTimer(&timer), FALSE);
    EXPECT_EQ(wait_on(&timer), STATUS_SUCCESS);
    EXPECT_EQ(now(), 30'000U);
    EXPECT_EQ(KeReadStateTimer(&timer), FALSE) << "a synchronization timer is reset by the wait";
  });
}

TEST(SettingATimer, AgainMovesIt) {
  World world;
  KTIMER timer;
  world.system.run("t", [&] {
    KeInitializeTimer(&timer);
    EXPECT_EQ(KeSetTimer(&timer, relative_ms(3), nullptr), FALSE);
    EXPECT_EQ(KeSetTimer(&timer, relative_ms(9), nullptr), TRUE);
    EXPECT_EQ(wait_on(&timer), STATUS_SUCCESS);
    EXPECT_EQ(now(), 90'000U);
  });
}

TEST(SettingATimer, IsReportedWhenItWasNeverInitialised) {
  World world;
  KTIMER timer{};
  world.system.run("t", [&] { KeSetTimer(&timer, relative_ms(1), nullptr); });
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeSetTimer"));
}

TEST(AnExTimer, CallsItsRoutineAndCanBeDeletedByIt) {
  under_seeds(100, [](World& world) {
    static int calls;
    calls = 0;
    world.system.run("t", [&] {
      PEX_TIMER timer = ExAllocateTimer([](PEX_TIMER, PVOID) { ++calls; }, nullptr, EX_TIMER_NOTIFICATION);
      ExSetTimer(timer, -10'000, 10'000, nullptr);
      sleep_ms(3);
      KeFlushQueuedDpcs();
      EXPECT_GE(calls, 2);
      EXPECT_EQ(ExCancelTimer(timer, nullptr), TRUE);
      ExDeleteTimer(timer, TRUE, TRUE, nullptr);

      PEX_TIMER own = ExAllocateTimer(
          [](PEX_TIMER self, PVOID) { ExDeleteTimer(self, TRUE, FALSE, nullptr); }, nullptr, 0);
      ExSetTimer(own, -10'000, 0, nullptr);
      sleep_ms(5);
      KeFlushQueuedDpcs();
    });
  });
}

TEST(PollingAClock, LetsTimePass) {
  World world;
  EXPECT_EQ(world.system.run("poller",
                             [] {
                               LARGE_INTEGER start;
                               LARGE_INTEGER current;
                               KeQueryTickCount(&start);
                               do {
                                 KeQueryTickCount(&current);
                               } while (current.QuadPart < start.QuadPart + 3);
                             }),
            Outcome::Idle);
}

TEST(PollingAFlag, LetsTheOthersRun) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KTIMER timer;
  KDPC dpc;
  KeInitializeDpc(
      &dpc, [](PKDPC, PVOID context, PVOID, PVOID) { KeSetEvent(static_cast<PKEVENT>(context), 0, FALSE); },
      &event);
  EXPECT_EQ(world.system.run("poller",
                             [&] {
                               KeInitializeTimer(&timer);
                               KeSetTimer(&timer, relative_ms(1), &dpc);
                               while (KeReadStateEvent(&event) == 0) KeStallExecutionProcessor(1);
                             }),
            Outcome::Idle);
}

// ---- work items ----

TEST(QueueingWork, RunsEachItemOnceAtPassiveLevel) {
  under_seeds(300, [](World& world) {
    struct Item {
      WORK_QUEUE_ITEM item;
      int runs;
    };
    static std::array<Item, 5> items;
    items = {};
    for (Item& item : items) {
      ExInitializeWorkItem(
          &item.item,
          [](PVOID context) {
            EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
            ++static_cast<Item*>(context)->runs;
          },
          &item);
    }
    world.system.run("t", [&] {
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      for (Item& item : items) ExQueueWorkItem(&item.item, DelayedWorkQueue);
      KeLowerIrql(before);
    });
    for (const Item& item : items) EXPECT_EQ(item.runs, 1);
  });
}

TEST(QueueingWork, GivesAnItemThatWaitsForAnotherItsOwnThread) {
  under_seeds(100, [](World& world) {
    Event done("second item done");
    bool finished = false;
    queue_work("first", [&] {
      done.wait();
      finished = true;
    });
    queue_work("second", [&] { done.set(); });
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
    EXPECT_TRUE(finished);
  });
}

TEST(QueueingWork, IsReportedWhenTheItemIsQueuedAlready) {
  World world;
  WORK_QUEUE_ITEM item;
  ExInitializeWorkItem(
      &item, [](PVOID) {}, nullptr);
  world.system.run("t", [&] {
    ExQueueWorkItem(&item, DelayedWorkQueue);
    ExQueueWorkItem(&item, DelayedWorkQueue);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "ExQueueWorkItem"));
}

TEST(AnIoWorkItem, CanBeFreedByItsRoutine) {
  under_seeds(100, [](World& world) {
    static int runs;
    runs = 0;
    world.system.run("t", [&] {
      PIO_WORKITEM item = IoAllocateWorkItem(nullptr);
      IoQueueWorkItem(
          item,
          [](PDEVICE_OBJECT, PVOID context) {
            ++runs;
            IoFreeWorkItem(static_cast<PIO_WORKITEM>(context));
          },
          DelayedWorkQueue, item);
    });
    EXPECT_EQ(runs, 1);
  });
}

TEST(FreeingAnIoWorkItem, IsReportedTheSecondTime) {
  World world;
  world.system.run("t", [&] {
    PIO_WORKITEM item = IoAllocateWorkItem(nullptr);
    IoFreeWorkItem(item);
    IoFreeWorkItem(item);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "IoFreeWorkItem"));
}

// ---- what is left at unload ----

TEST(SweepingADriver, ReportsItsTimersDpcsWorkItemsAndThreads) {
  World world;
  Driver& driver = world.system.add_driver("messy", {}, false);
  static KTIMER timer;
  static KDPC dpc;
  static WORK_QUEUE_ITEM item;
  static KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  world.system.run("t", [&] {
    constexpr CallbackInfo info{"DriverEntry", PASSIVE_LEVEL, false};
    call_driver(&driver, info, nullptr, nullptr, callback<void()>(+[] {
      KeInitializeTimer(&timer);
      KeInitializeDpc(
          &dpc, [](PKDPC, PVOID, PVOID, PVOID) {}, nullptr);
      ExInitializeWorkItem(
          &item, [](PVOID) { wait_on(&never); }, nullptr);
      KeSetTimer(&timer, relative_ms(1'000'000), nullptr);
      ExQueueWorkItem(&item, DelayedWorkQueue);
      IoAllocateWorkItem(nullptr);
      HANDLE thread;
      PsCreateSystemThread(
          &thread, 0, nullptr, nullptr, nullptr, [](PVOID) { wait_on(&never); }, nullptr);
    }));
    sleep_ms(1);
    // A DPC cannot be kept waiting from here but at DISPATCH_LEVEL on its own processor.
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    call_driver(&driver, {"Queue", DISPATCH_LEVEL, true}, nullptr, nullptr,
                callback<void()>(+[] { KeInsertQueueDpc(&dpc, nullptr, nullptr); }));
    world.system.sweep(driver);
    KeLowerIrql(before);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::TimerActiveAtUnload, "DriverUnload"));
  EXPECT_TRUE(world.recorder.saw(Misuse::DpcQueuedAtUnload, "DriverUnload"));
  EXPECT_TRUE(world.recorder.saw(Misuse::WorkItemAtUnload, "DriverUnload"));
  EXPECT_TRUE(world.recorder.saw(Misuse::ThreadAtUnload, "DriverUnload"));
  for (const auto& finding : world.recorder.misuses) EXPECT_EQ(finding.driver, &driver) << finding.text;
}

}  // namespace
}  // namespace undis::kernel
