// SPDX-License-Identifier: MIT
//
// Waiting: events, semaphores, mutexes, several objects, timeouts in virtual time, threads.
#include "kernel/wait.h"

#include <array>

#include "kernel/scheduling_test.h"

namespace undis::kernel {
namespace {

/// Events hold a pointer to themselves: they are made in place.
struct Events {
  explicit Events(EVENT_TYPE type) {
    for (KEVENT& event : all) KeInitializeEvent(&event, type, FALSE);
  }
  std::array<KEVENT, 4> all;
};

NTSTATUS wait_many(std::array<KEVENT, 4>& events, ULONG count, WAIT_TYPE type, LONGLONG ms) {
  std::array<PVOID, 4> objects{&events[0], &events[1], &events[2], &events[3]};
  std::array<KWAIT_BLOCK, 4> blocks;
  LARGE_INTEGER timeout = relative_ms(ms);
  return KeWaitForMultipleObjects(count, objects.data(), type, Executive, KernelMode, FALSE, &timeout,
                                  blocks.data());
}

TEST(WaitingForAnEvent, LosesNoWakeUp) {
  under_seeds(1000, [](World& world) {
    KEVENT ready;
    KEVENT taken;
    KeInitializeEvent(&ready, SynchronizationEvent, FALSE);
    KeInitializeEvent(&taken, SynchronizationEvent, FALSE);
    int value = 0;
    int sum = 0;
    world.system.spawn("producer", [&] {
      for (int i = 1; i <= 10; ++i) {
        value = i;
        KeSetEvent(&ready, 0, FALSE);
        EXPECT_EQ(wait_on(&taken), STATUS_SUCCESS);
      }
    });
    EXPECT_EQ(world.system.run("consumer",
                               [&] {
                                 for (int i = 1; i <= 10; ++i) {
                                   EXPECT_EQ(wait_on(&ready), STATUS_SUCCESS);
                                   sum += value;
                                   KeSetEvent(&taken, 0, FALSE);
                                 }
                               }),
              Outcome::Idle);
    EXPECT_EQ(sum, 55);
  });
}

TEST(SettingASynchronizationEvent, ReleasesOneWaiterAtATime) {
  under_seeds(300, [](World& world) {
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    int released = 0;
    for (int i = 0; i < 3; ++i) {
      world.system.spawn("waiter", [&] {
        wait_on(&event);
        ++released;
      });
    }
    world.system.run_until_idle();
    for (int i = 1; i <= 3; ++i) {
      EXPECT_EQ(KeSetEvent(&event, 0, FALSE), 0);
      world.system.run_until_idle();
      EXPECT_EQ(released, i);
    }
    EXPECT_EQ(KeReadStateEvent(&event), 0);
  });
}

TEST(SettingANotificationEvent, ReleasesEverybodyAndStaysSet) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  int released = 0;
  for (int i = 0; i < 3; ++i) {
    world.system.spawn("waiter", [&] {
      wait_on(&event);
      ++released;
    });
  }
  world.system.run_until_idle();
  EXPECT_EQ(KeSetEvent(&event, 0, FALSE), 0);
  EXPECT_EQ(KeSetEvent(&event, 0, FALSE), 1);
  world.system.run_until_idle();
  EXPECT_EQ(released, 3);
  EXPECT_EQ(KeResetEvent(&event), 1);
  EXPECT_EQ(KeReadStateEvent(&event), 0);
}

TEST(WaitingWithATimeout, ReturnsTimeoutWhenItsVirtualTimeHasPassed) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  world.system.run("t", [&] {
    const std::uint64_t before = now();
    EXPECT_EQ(wait_on_for_ms(&event, 12'000), STATUS_TIMEOUT);
    EXPECT_EQ(now() - before, 120'000'000U);
    EXPECT_EQ(wait_on_for_ms(&event, 0), STATUS_TIMEOUT);
    EXPECT_EQ(now() - before, 120'000'000U);
  });
  EXPECT_EQ(world.recorder.text(), "");
}

TEST(WaitingWithATimeout, EndsEarlyWhenTheEventComes) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  world.system.spawn("setter", [&] {
    sleep_ms(10);
    KeSetEvent(&event, 0, FALSE);
  });
  world.system.run("t", [&] {
    EXPECT_EQ(wait_on_for_ms(&event, 100), STATUS_SUCCESS);
    EXPECT_EQ(now(), 100'000U);
    sleep_ms(1000);  // the timeout of the wait that ended must not end this one
    EXPECT_EQ(now(), 10'100'000U);
  });
}

TEST(WaitingWithAnAbsoluteTimeout, MeansSystemTime) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  world.system.run("t", [&] {
    LARGE_INTEGER at;
    KeQuerySystemTime(&at);
    at.QuadPart += 50'000;
    EXPECT_EQ(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &at), STATUS_TIMEOUT);
    EXPECT_EQ(now(), 50'000U);
  });
}

TEST(WaitingForAny, SaysWhichOneAndConsumesOnlyThat) {
  World world;
  Events events(SynchronizationEvent);
  world.system.run("t", [&] {
    KeSetEvent(&events.all[2], 0, FALSE);
    KeSetEvent(&events.all[3], 0, FALSE);
    EXPECT_EQ(wait_many(events.all, 4, WaitAny, 10), STATUS_WAIT_0 + 2);
    EXPECT_EQ(KeReadStateEvent(&events.all[2]), 0);
    EXPECT_EQ(KeReadStateEvent(&events.all[3]), 1);
    EXPECT_EQ(wait_many(events.all, 4, WaitAny, 10), STATUS_WAIT_0 + 3);
    EXPECT_EQ(wait_many(events.all, 4, WaitAny, 10), STATUS_TIMEOUT);
  });
}

TEST(WaitingForAll, TakesNothingUntilEverythingIsThere) {
  under_seeds(300, [](World& world) {
    Events events(SynchronizationEvent);
    bool done = false;
    world.system.spawn("waiter", [&] {
      EXPECT_EQ(wait_many(events.all, 4, WaitAll, 1'000), STATUS_WAIT_0);
      done = true;
    });
    world.system.run("setter", [&] {
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_FALSE(done);
        KeSetEvent(&events.all[i], 0, FALSE);
        sleep_ms(1);
        if (i < 3) {
          for (std::size_t k = 0; k <= i; ++k) EXPECT_EQ(KeReadStateEvent(&events.all[k]), 1);
        }
      }
      sleep_ms(1);
      EXPECT_TRUE(done);
    });
    for (KEVENT& event : events.all) EXPECT_EQ(KeReadStateEvent(&event), 0);
  });
}

TEST(WaitingForSeveral, IsReportedWithoutWaitBlocksForMoreThanThree) {
  World world;
  Events events(NotificationEvent);
  world.system.run("t", [&] {
    std::array<PVOID, 4> objects{&events.all[0], &events.all[1], &events.all[2], &events.all[3]};
    LARGE_INTEGER zero{};
    KeWaitForMultipleObjects(4, objects.data(), WaitAny, Executive, KernelMode, FALSE, &zero, nullptr);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "KeWaitForMultipleObjects"));
}

TEST(WaitingAtDispatchLevel, IsReportedWhenItWouldBlock) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  world.system.spawn("setter", [&] {
    sleep_ms(1);
    KeSetEvent(&event, 0, FALSE);
  });
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               const KIRQL before = KeRaiseIrqlToDpcLevel();
                               EXPECT_EQ(wait_on_for_ms(&event, 0), STATUS_TIMEOUT);
                               EXPECT_TRUE(world.recorder.misuses.empty()) << world.recorder.text();
                               wait_on(&event);
                               EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
                               KeLowerIrql(before);
                             }),
            Outcome::Idle);
  EXPECT_TRUE(world.recorder.saw(Misuse::WaitAtDispatch, "KeWaitForSingleObject"));
}

TEST(WaitingInADpc, IsABugCheck) {
  World world;
  static KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KDPC dpc;
  KeInitializeDpc(
      &dpc, [](PKDPC, PVOID, PVOID, PVOID) { wait_on(&event); }, nullptr);
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               KeInsertQueueDpc(&dpc, nullptr, nullptr);
                               sleep_ms(1);
                             }),
            Outcome::BugCheck);
  EXPECT_TRUE(world.recorder.saw(Misuse::WaitAtDispatch, "KeWaitForSingleObject"));
  ASSERT_EQ(world.recorder.bug_checks.size(), 1U);
  EXPECT_EQ(world.recorder.bug_checks[0].code, 0xB8U);
}

TEST(UsingAnEvent, IsReportedWhenItWasNeverInitialised) {
  World world;
  KEVENT zeroed{};
  world.system.run("t", [&] {
    KeSetEvent(&zeroed, 0, FALSE);
    EXPECT_EQ(wait_on(&zeroed), STATUS_OBJECT_TYPE_MISMATCH);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeSetEvent"));
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeWaitForSingleObject"));
}

TEST(AMutex, IsRecursiveAndExcludesTheOthers) {
  under_seeds(500, [](World& world) {
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    int inside = 0;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("t", [&] {
        for (int i = 0; i < 3; ++i) {
          EXPECT_EQ(wait_on(&mutex), STATUS_SUCCESS);
          EXPECT_EQ(wait_on(&mutex), STATUS_SUCCESS);
          EXPECT_EQ(inside++, 0);
          sleep_ms(1);
          --inside;
          KeReleaseMutex(&mutex, FALSE);
          KeReleaseMutex(&mutex, FALSE);
        }
      });
    }
    world.system.advance(1'000'000);
    EXPECT_EQ(KeReadStateMutex(&mutex), 1);
  });
}

TEST(ReleasingAMutex, IsReportedWhenTheThreadDoesNotOwnIt) {
  World world;
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  world.system.run("t", [&] { KeReleaseMutex(&mutex, FALSE); });
  EXPECT_TRUE(world.recorder.saw(Misuse::LockNotHeld, "KeReleaseMutex"));
}

TEST(ASemaphore, CountsAndReleasesAsManyAsItWasGiven) {
  World world;
  KSEMAPHORE semaphore;
  int released = 0;
  world.system.run("t", [&] { KeInitializeSemaphore(&semaphore, 1, 3); });
  for (int i = 0; i < 4; ++i) {
    world.system.spawn("waiter", [&] {
      wait_on(&semaphore);
      ++released;
    });
  }
  world.system.run_until_idle();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 0);
  world.system.run_until_idle();
  EXPECT_EQ(released, 3);
  EXPECT_EQ(KeReleaseSemaphore(&semaphore, 0, 4, FALSE), 0);
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "KeReleaseSemaphore"));
  KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
  world.system.run_until_idle();
  EXPECT_EQ(released, 4);
}

TEST(AFastMutex, RaisesToApcLevelAndExcludesTheOthers) {
  under_seeds(500, [](World& world) {
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    int inside = 0;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("t", [&] {
        for (int i = 0; i < 3; ++i) {
          ExAcquireFastMutex(&mutex);
          EXPECT_EQ(KeGetCurrentIrql(), APC_LEVEL);
          EXPECT_EQ(inside++, 0);
          schedule_point("inside");
          --inside;
          ExReleaseFastMutex(&mutex);
          EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
        }
      });
    }
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
  });
}

TEST(RundownProtection, WaitsForEveryReferenceAndThenRefuses) {
  under_seeds(500, [](World& world) {
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    bool freed = false;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("user", [&] {
        for (int i = 0; i < 5; ++i) {
          if (ExAcquireRundownProtection(&reference) == FALSE) return;
          EXPECT_FALSE(freed);
          schedule_point("using");
          EXPECT_FALSE(freed);
          ExReleaseRundownProtection(&reference);
        }
      });
    }
    EXPECT_EQ(world.system.run("owner",
                               [&] {
                                 ExWaitForRundownProtectionRelease(&reference);
                                 freed = true;
                                 EXPECT_EQ(ExAcquireRundownProtection(&reference), FALSE);
                               }),
              Outcome::Idle);
  });
}

TEST(APushLock, ExcludesAndNeedsACriticalRegion) {
  under_seeds(300, [](World& world) {
    EX_PUSH_LOCK lock;
    ExInitializePushLock(&lock);
    int writers = 0;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("t", [&] {
        for (int i = 0; i < 3; ++i) {
          KeEnterCriticalRegion();
          ExAcquirePushLockExclusive(&lock);
          EXPECT_EQ(writers++, 0);
          schedule_point("inside");
          --writers;
          ExReleasePushLockExclusive(&lock);
          ExAcquirePushLockShared(&lock);
          EXPECT_EQ(writers, 0);
          ExReleasePushLockShared(&lock);
          KeLeaveCriticalRegion();
        }
      });
    }
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
  });
  World world;
  EX_PUSH_LOCK lock;
  ExInitializePushLock(&lock);
  world.system.run("t", [&] {
    ExAcquirePushLockExclusive(&lock);
    ExReleasePushLockExclusive(&lock);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "ExAcquirePushLockExclusive"));
}

TEST(AResource, IsRecursiveForItsWriterAndSharedByReaders) {
  under_seeds(300, [](World& world) {
    ERESOURCE resource;
    ExInitializeResourceLite(&resource);
    int writers = 0;
    for (int t = 0; t < 3; ++t) {
      world.system.spawn("t", [&] {
        for (int i = 0; i < 3; ++i) {
          ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
          EXPECT_EQ(ExAcquireResourceSharedLite(&resource, TRUE), TRUE);
          EXPECT_EQ(writers++, 0);
          schedule_point("inside");
          --writers;
          ExReleaseResourceLite(&resource);
          ExReleaseResourceAndLeaveCriticalRegion(&resource);
          ExEnterCriticalRegionAndAcquireResourceShared(&resource);
          EXPECT_EQ(writers, 0);
          ExReleaseResourceAndLeaveCriticalRegion(&resource);
        }
      });
    }
    EXPECT_EQ(world.system.run_until_idle(), Outcome::Idle);
    ExDeleteResourceLite(&resource);
  });
}

}  // namespace
}  // namespace undis::kernel
