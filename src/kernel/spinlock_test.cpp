// SPDX-License-Identifier: MIT
//
// Spin locks: exclusion under many schedules, and what is reported when they are used wrongly.
#include "kernel/spin.h"

#include "kernel/scheduling_test.h"

namespace undis::kernel {
namespace {

TEST(AcquiringASpinLock, ExcludesTheOthersUnder1000Seeds) {
  std::uint64_t switches = 0;
  under_seeds(1000, [&](World& world) {
    KSPIN_LOCK lock;
    KeInitializeSpinLock(&lock);
    int inside = 0;
    int turns = 0;
    for (int t = 0; t < 4; ++t) {
      world.system.spawn("t", [&] {
        for (int i = 0; i < 10; ++i) {
          KIRQL before;
          KeAcquireSpinLock(&lock, &before);
          EXPECT_EQ(before, PASSIVE_LEVEL);
          EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
          EXPECT_EQ(inside++, 0);
          schedule_point("inside");
          EXPECT_EQ(--inside, 0);
          ++turns;
          KeReleaseSpinLock(&lock, before);
          EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
        }
      });
    }
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
    EXPECT_EQ(turns, 40);
    switches += world.machine.switches();
  });
  EXPECT_GT(switches, 10'000U) << "the seeds hardly switch: nothing was tested";
}

TEST(AcquiringASpinLock, ExcludesADpcOnAnotherProcessor) {
  struct Shared {
    KSPIN_LOCK lock;
    int inside;
    int dpcs;
  };
  under_seeds(500, [](World& world) {
    Shared shared{};
    KeInitializeSpinLock(&shared.lock);
    KDPC dpc;
    KeInitializeDpc(
        &dpc,
        [](PKDPC, PVOID context, PVOID, PVOID) {
          auto& s = *static_cast<Shared*>(context);
          KeAcquireSpinLockAtDpcLevel(&s.lock);
          EXPECT_EQ(s.inside++, 0);
          schedule_point("inside");
          --s.inside;
          ++s.dpcs;
          KeReleaseSpinLockFromDpcLevel(&s.lock);
        },
        &shared);
    KeSetTargetProcessorDpc(&dpc, 1);
    world.system.run("thread", [&] {
      for (int i = 0; i < 5; ++i) {
        KeInsertQueueDpc(&dpc, nullptr, nullptr);
        KLOCK_QUEUE_HANDLE handle;
        KeAcquireInStackQueuedSpinLock(&shared.lock, &handle);
        EXPECT_EQ(shared.inside++, 0);
        schedule_point("inside");
        --shared.inside;
        KeReleaseInStackQueuedSpinLock(&handle);
      }
      KeFlushQueuedDpcs();
    });
    EXPECT_GE(shared.dpcs, 1);
  });
}

TEST(AcquiringASpinLock, IsReportedAndHangsWhenTheThreadHoldsIt) {
  World world;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  const Outcome outcome = world.system.run("recursive", [&] {
    KIRQL before;
    KeAcquireSpinLock(&lock, &before);
    KeAcquireSpinLock(&lock, &before);
  });
  EXPECT_EQ(outcome, Outcome::Hang);
  EXPECT_TRUE(world.recorder.saw(Misuse::LockRecursion, "KeAcquireSpinLock")) << world.recorder.text();
  ASSERT_EQ(world.recorder.hangs.size(), 1U);
  ASSERT_EQ(world.recorder.hangs[0].waiters.size(), 1U);
  const Waiter& waiter = world.recorder.hangs[0].waiters[0];
  EXPECT_EQ(waiter.thread_name, "recursive");
  EXPECT_NE(waiter.waits_for.find("held by thread recursive on cpu"), std::string::npos) << waiter.waits_for;
  EXPECT_STREQ(waiter.function, "KeAcquireSpinLock");
  EXPECT_GT(waiter.stack.count, 1U);
}

TEST(AcquiringASpinLock, IsReportedWhenTheLockWasNeverInitialised) {
  World world;
  KSPIN_LOCK lock = 0xCDCDCDCDCDCDCDCD;
  world.system.run("t", [&] {
    KIRQL before;
    KeAcquireSpinLock(&lock, &before);
    KeReleaseSpinLock(&lock, before);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeAcquireSpinLock"));
}

TEST(AcquiringASpinLockAtDpcLevel, IsReportedBelowDispatchLevel) {
  World world;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  world.system.run("t", [&] {
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeAcquireSpinLockAtDpcLevel"));
}

TEST(ReleasingASpinLock, IsReportedWhenNobodyHoldsIt) {
  World world;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  world.system.run("t", [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, before);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::LockNotHeld, "KeReleaseSpinLock"));
}

TEST(ReleasingASpinLock, IsReportedWhenTheIrqlToRestoreIsAboveTheCurrent) {
  World world;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  world.system.run("t", [&] {
    KIRQL before;
    KeAcquireSpinLock(&lock, &before);
    KeReleaseSpinLock(&lock, 5);
    KeLowerIrql(before);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeReleaseSpinLock")) << world.recorder.text();
}

TEST(EndingAThread, ReleasesAndReportsTheLocksThatItHolds) {
  World world;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               KIRQL before;
                               KeAcquireSpinLock(&lock, &before);
                             }),
            Outcome::Idle);
  EXPECT_TRUE(world.recorder.saw(Misuse::LockNotReleased, "KeAcquireSpinLock"));
  EXPECT_EQ(lock, 0U);
}

TEST(ReturningFromACallback, IsReportedWithALockThatItKept) {
  World world;
  Driver& driver = world.system.add_driver("keeper", {}, false);
  static KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  world.system.run("t", [&] {
    constexpr CallbackInfo info{"MiniportKeep", PASSIVE_LEVEL, false};
    call_driver(&driver, info, nullptr, nullptr, callback<void()>(+[] {
      KIRQL before;
      KeAcquireSpinLock(&lock, &before);
    }));
    EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  });
  ASSERT_EQ(world.recorder.misuses.size(), 1U) << world.recorder.text();
  EXPECT_EQ(world.recorder.misuses[0].kind, Misuse::LockNotReleased);
  EXPECT_EQ(world.recorder.misuses[0].driver, &driver);
  EXPECT_EQ(lock, 0U);
}

TEST(ReturningFromACallback, IsReportedWithTheIrqlRaised) {
  World world;
  Driver& driver = world.system.add_driver("raiser", {}, false);
  world.system.run("t", [&] {
    constexpr CallbackInfo info{"MiniportRaise", PASSIVE_LEVEL, false};
    call_driver(&driver, info, nullptr, nullptr, callback<void()>(+[] { KeRaiseIrqlToDpcLevel(); }));
    EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::IrqlNotRestored, "MiniportRaise"));
}

TEST(ReaderWriterSpinLock, LetsReadersInTogetherAndWritersAlone) {
  int most_readers = 0;
  under_seeds(500, [&](World& world) {
    EX_SPIN_LOCK lock = 0;
    int readers = 0;
    int writers = 0;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("reader", [&] {
        for (int i = 0; i < 5; ++i) {
          const KIRQL before = ExAcquireSpinLockShared(&lock);
          EXPECT_EQ(writers, 0);
          most_readers = std::max(most_readers, ++readers);
          schedule_point("reading");
          --readers;
          ExReleaseSpinLockShared(&lock, before);
        }
      });
    }
    world.system.spawn("writer", [&] {
      for (int i = 0; i < 5; ++i) {
        const KIRQL before = ExAcquireSpinLockExclusive(&lock);
        EXPECT_EQ(readers, 0);
        EXPECT_EQ(writers++, 0);
        schedule_point("writing");
        --writers;
        ExReleaseSpinLockExclusive(&lock, before);
      }
    });
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
    EXPECT_EQ(lock, 0);
  });
  EXPECT_EQ(most_readers, 2) << "on two processors two readers meet in some schedule";
}

}  // namespace
}  // namespace undis::kernel
