// SPDX-License-Identifier: MIT
//
// The kernel slice on the threaded machine: real threads, so what is told here holds in any order of events.
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "kernel/scheduling_test.h"
#include "kernel/thread.h"
#include "machine/threaded.h"

namespace undis::kernel {
namespace {

class OnThreads : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  /// Starts a thread for each of `bodies` from one that waits for all of them.
  Outcome together(std::vector<std::function<void()>> bodies) {
    return system.run("all", [&] {
      KEVENT done;
      KeInitializeEvent(&done, NotificationEvent, FALSE);
      std::atomic<std::size_t> left = bodies.size();
      for (const auto& body : bodies) {
        system.spawn("one of all", [&, body] {
          body();
          if (--left == 0) KeSetEvent(&done, 0, FALSE);
        });
      }
      wait_on(&done);
    });
  }
  void TearDown() override { EXPECT_EQ(recorder.text(), ""); }

  machine::Threaded machine{GetParam()};
  Recorder recorder;
  System system{machine, recorder};
};

TEST_P(OnThreads, ASpinLockExcludes) {
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  int counter = 0;
  bool inside = false;
  std::atomic<int> overlaps = 0;
  const auto body = [&] {
    for (int i = 0; i < 2'000; ++i) {
      KIRQL before;
      KeAcquireSpinLock(&lock, &before);
      if (inside) ++overlaps;
      inside = true;
      ++counter;
      inside = false;
      KeReleaseSpinLock(&lock, before);
    }
  };
  EXPECT_EQ(together({body, body, body, body}), Outcome::Idle);
  EXPECT_EQ(counter, 8'000);
  EXPECT_EQ(overlaps, 0);
}

TEST_P(OnThreads, NoWakeUpOfAnEventIsLost) {
  KEVENT ping;
  KEVENT pong;
  KeInitializeEvent(&ping, SynchronizationEvent, FALSE);
  KeInitializeEvent(&pong, SynchronizationEvent, FALSE);
  int turns = 0;
  EXPECT_EQ(together({[&] {
                        for (int i = 0; i < 2'000; ++i) {
                          KeSetEvent(&ping, 0, FALSE);
                          wait_on(&pong);
                        }
                      },
                      [&] {
                        for (int i = 0; i < 2'000; ++i) {
                          wait_on(&ping);
                          ++turns;
                          KeSetEvent(&pong, 0, FALSE);
                        }
                      }}),
            Outcome::Idle);
  EXPECT_EQ(turns, 2'000);
}

TEST_P(OnThreads, ASemaphoreCountsEachRelease) {
  KSEMAPHORE semaphore;
  KeInitializeSemaphore(&semaphore, 0, MAXLONG);
  std::atomic<int> taken = 0;
  const auto taker = [&] {
    for (int i = 0; i < 500; ++i) {
      wait_on(&semaphore);
      ++taken;
    }
  };
  const auto giver = [&] {
    for (int i = 0; i < 500; ++i) KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
  };
  EXPECT_EQ(together({taker, giver, taker, giver}), Outcome::Idle);
  EXPECT_EQ(taken, 1'000);
}

TEST_P(OnThreads, AWaitEndsByItsObjectOrByItsTimeoutNeverByBoth) {
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  std::atomic<int> set = 0;
  std::atomic<int> met = 0;
  EXPECT_EQ(together({[&] {
                        for (int i = 0; i < 200; ++i) {
                          LARGE_INTEGER soon;
                          soon.QuadPart = -(i % 7) * 100 - 1;  // up to 60 us: about when the event comes
                          if (KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &soon) ==
                              STATUS_SUCCESS)
                            ++met;
                        }
                      },
                      [&] {
                        for (int i = 0; i < 200; ++i) {
                          if (KeSetEvent(&event, 0, FALSE) == 0) ++set;
                          machine.stall(300);
                        }
                      }}),
            Outcome::Idle);
  const int left = KeReadStateEvent(&event) != 0 ? 1 : 0;
  EXPECT_EQ(met + left, set);
}

struct Counted {
  KDPC dpc{};
  KEVENT done{};
  std::atomic<int> runs{0};
  std::atomic<int> wrong_irql{0};
  int until = 0;
  static VOID NTAPI routine(PKDPC, PVOID context, PVOID, PVOID) {
    auto& self = *static_cast<Counted*>(context);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL) ++self.wrong_irql;
    if (++self.runs >= self.until) KeSetEvent(&self.done, 0, FALSE);
  }
  explicit Counted(int runs_wanted, CCHAR processor = -1) : until(runs_wanted) {
    KeInitializeDpc(&dpc, &routine, this);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    if (processor >= 0) KeSetTargetProcessorDpc(&dpc, processor);
  }
};

TEST_P(OnThreads, ADpcRunsOnceForEachTimeItWasQueued) {
  Counted dpc(500);
  int queued = 0;
  EXPECT_EQ(together({[&] {
              while (queued < 500) {
                if (KeInsertQueueDpc(&dpc.dpc, nullptr, nullptr)) ++queued;
                YieldProcessor();
              }
              wait_on(&dpc.done);
            }}),
            Outcome::Idle);
  EXPECT_EQ(dpc.runs, 500);
  EXPECT_EQ(dpc.wrong_irql, 0);
}

TEST_P(OnThreads, ADpcOfAnotherProcessorRunsThereWhileThisOneWaits) {
  std::vector<std::unique_ptr<Counted>> dpcs;
  for (std::uint32_t i = 0; i < GetParam(); ++i)
    dpcs.push_back(std::make_unique<Counted>(1, static_cast<CCHAR>(i)));
  EXPECT_EQ(together({[&] {
              for (const auto& dpc : dpcs) KeInsertQueueDpc(&dpc->dpc, nullptr, nullptr);
              for (const auto& dpc : dpcs) wait_on(&dpc->done);
            }}),
            Outcome::Idle);
  for (const auto& dpc : dpcs) EXPECT_EQ(dpc->runs, 1);
}

TEST_P(OnThreads, APeriodicTimerExpiresUntilItIsCancelled) {
  Counted dpc(5);
  KTIMER timer;
  KeInitializeTimer(&timer);
  EXPECT_EQ(together({[&] {
              LARGE_INTEGER due;
              due.QuadPart = -10'000;
              KeSetTimerEx(&timer, due, 1, &dpc.dpc);
              wait_on(&dpc.done);
              EXPECT_TRUE(KeCancelTimer(&timer));
              KeFlushQueuedDpcs();
            }}),
            Outcome::Idle);
  EXPECT_GE(dpc.runs, 5);
  EXPECT_EQ(dpc.wrong_irql, 0);
}

TEST_P(OnThreads, WorkItemsAllRunAtPassiveLevel) {
  std::atomic<int> ran = 0;
  std::atomic<int> wrong = 0;
  const auto queuer = [&] {
    for (int i = 0; i < 300; ++i) {
      queue_work("counts", [&] {
        if (irql() != PASSIVE_LEVEL) ++wrong;
        ++ran;
      });
    }
  };
  EXPECT_EQ(together({queuer, queuer, queuer}), Outcome::Idle);
  EXPECT_EQ(ran, 900) << "run() ends when nothing can run, not before";
  EXPECT_EQ(wrong, 0);
}

TEST_P(OnThreads, AWaitThatCannotEndIsToldAsAHang) {
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  EXPECT_EQ(system.run("waits", [&] { wait_on(&never); }), Outcome::Hang);
  ASSERT_EQ(recorder.hangs.size(), 1U);
  EXPECT_EQ(system.run("after it", [] { ADD_FAILURE() << "nothing runs after a hang"; }), Outcome::Hang);
}

TEST_P(OnThreads, ABugCheckStopsEveryThread) {
  std::atomic<std::uint64_t> passes = 0;
  EXPECT_EQ(system.run("checks",
                       [&] {
                         system.spawn("goes on and on", [&] {
                           KSPIN_LOCK lock;
                           KeInitializeSpinLock(&lock);
                           for (;;) {
                             KIRQL before;
                             KeAcquireSpinLock(&lock, &before);
                             KeReleaseSpinLock(&lock, before);
                             ++passes;
                           }
                         });
                         KeBugCheckEx(0xCE, 1, 2, 3, 4);
                       }),
            Outcome::BugCheck);
  const std::uint64_t then = passes;
  machine.stall(10'000);
  EXPECT_EQ(passes, then);
  ASSERT_EQ(recorder.bug_checks.size(), 1U);
  EXPECT_EQ(recorder.bug_checks[0].code, 0xCEU);
}

INSTANTIATE_TEST_SUITE_P(Processors, OnThreads, ::testing::Values(1U, 2U, 4U),
                         [](const ::testing::TestParamInfo<std::uint32_t>& processors) {
                           return std::to_string(processors.param);
                         });

}  // namespace
}  // namespace undis::kernel
