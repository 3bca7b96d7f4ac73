// SPDX-License-Identifier: MIT
//
// Running the machine: outcomes, replay, hang reports, threads of drivers, IRQL rules, crashes of drivers.
#include "kernel/system.h"

#include <csignal>
#include <cstdlib>
#include <sys/mman.h>

#include "kernel/crash.h"
#include "kernel/object.h"
#include "kernel/scheduling_test.h"

namespace undis::kernel {
namespace {

TEST(Running, EndsIdleWhenEverythingHasEnded) {
  World world;
  int ran = 0;
  EXPECT_EQ(world.system.run("a", [&] { ++ran; }), Outcome::Idle);
  EXPECT_EQ(world.system.run("b", [&] { ++ran; }), Outcome::Idle);
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/// A busy scene whose order of events depends on every choice of the schedule.
std::string trace_of(std::uint64_t seed, std::uint64_t* hash) {
  World world(seed);
  std::string trace;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  for (int t = 0; t < 4; ++t) {
    world.system.spawn("t" + std::to_string(t), [&, t] {
      for (int i = 0; i < 5; ++i) {
        KIRQL before;
        KeAcquireSpinLock(&lock, &before);
        trace += static_cast<char>('a' + t);
        KeReleaseSpinLock(&lock, before);
        if (t % 2 == 0) {
          KeSetEvent(&event, 0, FALSE);
        } else {
          wait_on_for_ms(&event, 1 + t);
        }
        if (choose("pend?")) trace += '?';
        queue_work("w", [&, t] { trace += static_cast<char>('A' + t); });
      }
    });
  }
  world.system.run_until_idle();
  world.system.advance(1'000'000);
  *hash = world.machine.switch_hash();
  return trace;
}

TEST(RunningAgain, WithTheSameSeedIsTheSameRun) {
  std::vector<std::string> different;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    const std::string trace = trace_of(seed, &first);
    ASSERT_EQ(trace_of(seed, &second), trace) << "seed " << seed;
    ASSERT_EQ(first, second) << "seed " << seed;
    if (std::find(different.begin(), different.end(), trace) == different.end()) different.push_back(trace);
  }
  EXPECT_GT(different.size(), 200U) << "seeds must lead to different runs";
}

TEST(Hanging, IsReportedWithWhoWaitsForWhomAndWhere) {
  World world;
  KMUTEX first;
  KMUTEX second;
  KeInitializeMutex(&first, 0);
  KeInitializeMutex(&second, 0);
  Driver& driver = world.system.add_driver("locker", {}, false);
  static PVOID mutex_wanted;
  mutex_wanted = &second;
  world.system.spawn("other", [&] {
    wait_on(&second);
    sleep_ms(5);
    wait_on(&first);
  });
  EXPECT_EQ(world.system.run("body",
                             [&] {
                               wait_on(&first);
                               sleep_ms(5);
                               constexpr CallbackInfo info{"ProtocolUnbindAdapterEx", PASSIVE_LEVEL, false};
                               call_driver(&driver, info, nullptr, nullptr,
                                           callback<void()>(+[] { wait_on(mutex_wanted); }));
                             }),
            Outcome::Hang);
  ASSERT_EQ(world.recorder.hangs.size(), 1U);
  const auto& waiters = world.recorder.hangs[0].waiters;
  ASSERT_EQ(waiters.size(), 2U);
  EXPECT_EQ(waiters[0].thread_name, "other");
  EXPECT_NE(waiters[0].waits_for.find("held by thread body"), std::string::npos) << waiters[0].waits_for;
  EXPECT_EQ(waiters[1].thread_name, "body");
  EXPECT_NE(waiters[1].waits_for.find("held by thread other"), std::string::npos) << waiters[1].waits_for;
  EXPECT_EQ(waiters[1].driver, &driver);
  EXPECT_STREQ(waiters[1].callback, "ProtocolUnbindAdapterEx");
  EXPECT_STREQ(waiters[1].function, "KeWaitForSingleObject");
  EXPECT_EQ(waiters[1].since, 50'000U);
  EXPECT_GT(waiters[1].stack.count, 2U);
}

TEST(Hanging, NamesTheEventsOfUndisAndWhoseTheyAre) {
  World world;
  const std::string whose = "nic";
  Event event({"pause complete", &whose});
  EXPECT_EQ(world.system.run("body", [&] { event.wait(); }), Outcome::Hang);
  EXPECT_EQ(world.recorder.hangs[0].waiters[0].waits_for,
            "event 'nic: pause complete', which nobody has set");
  EXPECT_EQ(world.system.run("later", [] {}), Outcome::Hang) << "nothing runs after a hang";
}

TEST(Hanging, CutsANameThatIsTooLong) {
  World world;
  const std::string whose(1'000, 'n');
  Event event({"pause complete", &whose});
  EXPECT_EQ(world.system.run("body", [&] { event.wait(); }), Outcome::Hang);
  EXPECT_TRUE(world.recorder.hangs[0].waiters[0].waits_for.starts_with("event 'nnn"));
  EXPECT_LT(world.recorder.hangs[0].waiters[0].waits_for.size(), whose.size());
}

TEST(Hanging, IsSeenThoughAPeriodicTimerGoesOn) {
  World world;
  KTIMER timer;
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  EXPECT_EQ(world.system.run("body",
                             [&] {
                               KeInitializeTimer(&timer);
                               KeSetTimerEx(&timer, relative_ms(100), 100, nullptr);
                               wait_on(&never);
                             }),
            Outcome::Hang);
}

TEST(Hanging, IsSeenInALoopThatPolls) {
  World world;
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  EXPECT_EQ(world.system.run("body",
                             [&] {
                               while (KeReadStateEvent(&never) == 0) sleep_ms(1000);
                             }),
            Outcome::Hang);
}

TEST(Hanging, IsSeenInALoopThatPollsWithoutADelay) {
  World world;
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  world.system.spawn("poller", [&] {
    while (KeReadStateEvent(&never) == 0) {
    }
  });
  EXPECT_EQ(world.system.run("body", [] {}), Outcome::Hang)
      << "the body has ended, but the machine never comes to rest";
  EXPECT_EQ(world.recorder.hangs[0].waiters[0].thread_name, "poller");
  EXPECT_EQ(world.recorder.hangs[0].waiters[0].waits_for, "nothing: it runs without end");
}

TEST(TheHost, WaitsByLettingTheOthersRun) {
  World world;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  world.system.spawn("setter", [&] {
    sleep_ms(7);
    KeSetEvent(&event, 0, FALSE);
  });
  EXPECT_EQ(wait_on(&event), STATUS_SUCCESS);
  EXPECT_EQ(now(), 70'000U);
}

TEST(TheHostDeathTest, AbortsWithTheReportWhenItCanNeverGoOn) {
  EXPECT_DEATH(
      {
        World world;
        Event event("what never comes");
        event.wait();
      },
      "waits for event 'what never comes'");
}

TEST(BugChecking, EndsTheRun) {
  World world;
  bool went_on = false;
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               KeBugCheckEx(0x1234, 1, 2, 3, 4);
                               went_on = true;
                             }),
            Outcome::BugCheck);
  EXPECT_FALSE(went_on);
  ASSERT_EQ(world.recorder.bug_checks.size(), 1U);
  EXPECT_EQ(world.recorder.bug_checks[0].code, 0x1234U);
  EXPECT_EQ(world.recorder.bug_checks[0].parameters[3], 4U);
  EXPECT_GT(world.recorder.bug_checks[0].stack.count, 1U);
}

TEST(CallingAtTheWrongIrql, IsReported) {
  World world;
  world.system.run("t", [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    HANDLE thread = nullptr;
    PsCreateSystemThread(
        &thread, 0, nullptr, nullptr, nullptr, [](PVOID) {}, nullptr);
    LARGE_INTEGER zero{};
    KeDelayExecutionThread(KernelMode, FALSE, &zero);
    KIRQL old;
    KeRaiseIrql(APC_LEVEL, &old);
    KeLowerIrql(before);
    KeLowerIrql(DISPATCH_LEVEL);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "PsCreateSystemThread"));
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeDelayExecutionThread"));
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeRaiseIrql"));
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeLowerIrql"));
}

TEST(ASystemThread, IsWaitedForAndEndsByPsTerminateSystemThread) {
  under_seeds(200, [](World& world) {
    static int steps;
    steps = 0;
    EXPECT_EQ(world.system.run("creator",
                               [&] {
                                 HANDLE handle = nullptr;
                                 ASSERT_EQ(PsCreateSystemThread(
                                               &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
                                               [](PVOID) {
                                                 ++steps;
                                                 PsTerminateSystemThread(STATUS_SUCCESS);
                                                 ++steps;
                                               },
                                               nullptr),
                                           STATUS_SUCCESS);
                                 PVOID thread = nullptr;
                                 ASSERT_EQ(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, nullptr,
                                                                     KernelMode, &thread, nullptr),
                                           STATUS_SUCCESS);
                                 ZwClose(handle);
                                 EXPECT_EQ(wait_on(thread), STATUS_SUCCESS);
                                 EXPECT_EQ(steps, 1);
                                 ObDereferenceObject(thread);
                               }),
              Outcome::Idle);
  });
}

TEST(AThreadsAffinity, MovesItToTheProcessor) {
  World world(0, 4);
  world.system.run("t", [&] {
    for (ULONG cpu = 0; cpu < 4; ++cpu) {
      KeSetSystemAffinityThread(KAFFINITY{1} << cpu);
      EXPECT_EQ(KeGetCurrentProcessorNumberEx(nullptr), cpu);
    }
    KeRevertToUserAffinityThread();
  });
  EXPECT_EQ(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), 4U);
}

TEST(AThreadsAffinity, IsSetByZwSetInformationThread) {
  World world(0, 4);
  world.system.run("t", [&] {
    const HANDLE self = NtCurrentThread();
    for (ULONG cpu = 0; cpu < 4; ++cpu) {
      KAFFINITY mask = KAFFINITY{1} << cpu;
      EXPECT_EQ(ZwSetInformationThread(self, ThreadAffinityMask, &mask, sizeof mask), STATUS_SUCCESS);
      EXPECT_EQ(KeGetCurrentProcessorNumberEx(nullptr), cpu);
    }
    KAFFINITY none = KAFFINITY{1} << 9;
    EXPECT_EQ(ZwSetInformationThread(self, ThreadAffinityMask, &none, sizeof none), STATUS_INVALID_PARAMETER);
    EXPECT_EQ(ZwSetInformationThread(self, ThreadAffinityMask, &none, 2), STATUS_INFO_LENGTH_MISMATCH);
    EXPECT_EQ(ZwSetInformationThread(self, ThreadNameInformation, &none, sizeof none),
              STATUS_INVALID_INFO_CLASS);
    EXPECT_EQ(ZwSetInformationThread(nullptr, ThreadAffinityMask, &none, sizeof none), STATUS_INVALID_HANDLE);
    LONG priority = 12;
    EXPECT_EQ(ZwSetInformationThread(self, ThreadPriority, &priority, sizeof priority), STATUS_SUCCESS);
  });
}

TEST(TheChainOfCalls, NamesTheDriverAndTheCallback) {
  World world;
  Driver& driver = world.system.add_driver("d", {}, false);
  world.system.run("t", [&] {
    EXPECT_EQ(current_driver(), nullptr);
    constexpr CallbackInfo info{"MiniportInitializeEx", PASSIVE_LEVEL, false};
    static int object;
    static Driver* seen;
    call_driver(&driver, info, &object, nullptr, callback<void()>(+[] {
      seen = current_driver();
      EXPECT_STREQ(current_callback()->name, "MiniportInitializeEx");
      EXPECT_TRUE(inside_callback("MiniportInitializeEx", &object));
      EXPECT_FALSE(inside_callback("MiniportHaltEx"));
    }));
    EXPECT_EQ(seen, &driver);
    EXPECT_EQ(current_callback(), nullptr);
  });
}

// ---- crashes ----

#if !UNDIS_ASAN && !UNDIS_TSAN
volatile bool go_deeper = true;

[[gnu::noinline]] int overflow(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return (go_deeper ? overflow(depth + 1) : 0) + frame[0];
}

/// Through a variable: compilers see a constant null pointer and say so, or do away with the access.
volatile std::uintptr_t null_and_a_bit = 8;
void write_to_null() {
  *reinterpret_cast<volatile int*>(null_and_a_bit) = 1;
}

struct CrashCase {
  const char* name;
  void (*crash)();
  int signal;
  const char* text;
};

const CrashCase kCrashes[] = {
    {"NullWrite", [] { write_to_null(); }, SIGSEGV, "writing 0x8: a null pointer"},
    {"NullCall", [] { reinterpret_cast<void (*)()>(null_and_a_bit - 8)(); }, SIGSEGV, "calling 0x0"},
    {"Abort", [] { std::abort(); }, SIGABRT, "abort()"},
    {"Overflow", [] { overflow(0); }, SIGSEGV, "stack overflow"},
    {"Trap", [] { __builtin_trap(); }, SIGILL, "SIGILL"},
    {"DivisionByZero",
     [] {
       volatile int seven = 7;
       volatile int zero = 0;
       seven = seven / zero;
     },
     SIGFPE, "SIGFPE"},
};

class ACrashOfADriver : public ::testing::TestWithParam<CrashCase> {};

TEST_P(ACrashOfADriver, EndsTheRunWithAReport) {
  static void (*crash)();
  crash = GetParam().crash;
  for (int i = 0; i < 3; ++i) {  // and again, after the handlers were given back
    World world;
    world.system.enable_crash_reports();
    Driver& driver = world.system.add_driver("crasher", {}, false);
    EXPECT_EQ(world.system.run("t",
                               [&] {
                                 constexpr CallbackInfo info{"MiniportHaltEx", PASSIVE_LEVEL, false};
                                 call_driver(&driver, info, nullptr, nullptr,
                                             callback<void()>(+[] { crash(); }));
                               }),
              Outcome::Crash);
    ASSERT_EQ(world.recorder.crashes.size(), 1U);
    const CrashEvent& event = world.recorder.crashes[0];
    EXPECT_EQ(event.signal, GetParam().signal);
    EXPECT_EQ(event.driver, &driver);
    EXPECT_STREQ(event.function, "MiniportHaltEx");
    EXPECT_NE(event.text.find(GetParam().text), std::string::npos) << event.text;
    EXPECT_GT(event.stack.count, 3U);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, ACrashOfADriver, ::testing::ValuesIn(kCrashes),
                         [](const auto& crash) { return std::string(crash.param.name); });

TEST(ACrashOfTheHostDeathTest, IsACrash) {
  EXPECT_DEATH(
      {
        World world;
        world.system.enable_crash_reports();
        write_to_null();
      },
      "");
}

[[gnu::noinline]] void loop_for_ever() {
  volatile bool go_on = true;
  while (go_on) {
  }
}

TEST(ALoopThatCallsNothing, IsReportedAsAHang) {
  World world;
  world.system.enable_crash_reports();
  const auto begin = reinterpret_cast<std::uintptr_t>(&loop_for_ever);
  Driver& driver = world.system.add_driver("looper", {begin, begin + 128}, false);
  EXPECT_EQ(world.system.run("t",
                             [&] {
                               constexpr CallbackInfo info{"MiniportPause", PASSIVE_LEVEL, false};
                               call_driver(&driver, info, nullptr, nullptr, callback<void()>(&loop_for_ever));
                             }),
            Outcome::Hang);
  ASSERT_EQ(world.recorder.hangs.size(), 1U);
  ASSERT_EQ(world.recorder.hangs[0].waiters.size(), 1U);
  EXPECT_EQ(world.recorder.hangs[0].waiters[0].waits_for, "nothing: it loops without calling anything");
  EXPECT_EQ(world.recorder.hangs[0].waiters[0].driver, &driver);
}

// The watch is a timer of the process: its signal comes at any instruction, also while a system is made or
// taken down.
TEST(ALookOfTheWatch, FindsNothingWhileASystemGoes) {
  int looks = 0;
  struct Looks {
    explicit Looks(int& seen) : count(seen) {}
    ~Looks() { ++count, std::raise(SIGVTALRM); }
    int& count;
  };
  install_crash_handlers();
  {
    World world;
    EXPECT_EQ(world.system.run("t",
                               [&] {
                                 world.system.spawn("waits", [keep = std::make_shared<Looks>(looks)] {
                                   Event("never").wait();
                                 });
                               }),
              Outcome::Idle);
  }
  std::raise(SIGVTALRM);
  remove_crash_handlers();
  EXPECT_EQ(looks, 1);
}
#endif

TEST(AProcessorThatSpins, LetsOthersGoOnAtYieldProcessor) {
  under_seeds(20, [](World& world) {
    std::atomic<bool> flag = false;
    EXPECT_EQ(world.system.run("spins",
                               [&] {
                                 world.system.spawn("sets the flag", [&] { flag = true; });
                                 while (!flag) YieldProcessor();
                               }),
              Outcome::Idle);
  });
}

}  // namespace
}  // namespace undis::kernel
