// SPDX-License-Identifier: MIT
//
// Device interrupts: when they arrive, at which IRQL, on which processor, and that a disconnected one is
// never served.
#include "kernel/interrupt.h"

#include <ntddk.h>

#include "kernel/scheduling_test.h"
#include "kernel/spin.h"

namespace undis::kernel {
namespace {

constexpr std::uint64_t kAnywhere = ~std::uint64_t{0};

Interrupts& controller(World& world) {
  return world.system.scheduling().interrupts;
}

TEST(Interrupting, ComesAtTheIrqlOfTheInputAndOnlyBelowIt) {
  under_seeds(200, [](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("message", false, kAnywhere);
    int served = 0;
    KIRQL at = 0;
    world.system.run("t", [&] {
      PKINTERRUPT object = nullptr;
      interrupts.connect(input, {.service =
                                     [&] {
                                       ++served;
                                       at = irql();
                                       return true;
                                     },
                                 .where = &object});
      interrupts.signal(input);
      while (served == 0) schedule_point("poll");
      EXPECT_EQ(at, input.irql());
      EXPECT_GT(at, DISPATCH_LEVEL);
      interrupts.disconnect(object);
    });
    EXPECT_EQ(served, 1);
    EXPECT_EQ(irql(), PASSIVE_LEVEL);
  });
}

TEST(Interrupting, PreemptsADpcAndAThreadAtDispatchLevelInSomeSchedule) {
  bool in_between = false;
  under_seeds(300, [&](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("message", false, 1);
    bool served = false;
    world.system.run("t", [&] {
      KeSetSystemAffinityThread(1);
      PKINTERRUPT object = nullptr;
      interrupts.connect(input, {.service =
                                     [&] {
                                       served = true;
                                       return true;
                                     },
                                 .where = &object});
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      interrupts.signal(input);
      for (int i = 0; i < 50 && !served; ++i) schedule_point("work at DISPATCH_LEVEL");
      in_between = in_between || served;
      KeLowerIrql(before);
      while (!served) schedule_point("poll");
      interrupts.disconnect(object);
    });
  });
  EXPECT_TRUE(in_between);
}

TEST(Interrupting, DoesNotComeAtOrAboveItsIrqlOnTheSameProcessor) {
  under_seeds(300, [](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("message", false, 1);  // processor 0 alone
    bool served = false;
    world.system.run("t", [&] {
      KeSetSystemAffinityThread(1);
      PKINTERRUPT object = nullptr;
      interrupts.connect(input, {.service =
                                     [&] {
                                       served = true;
                                       return true;
                                     },
                                 .where = &object});
      KIRQL before = 0;
      KeRaiseIrql(input.irql(), &before);
      interrupts.signal(input);
      for (int i = 0; i < 50; ++i) schedule_point("work at device IRQL");
      EXPECT_FALSE(served);
      KeLowerIrql(before);
      while (!served) schedule_point("poll");
      interrupts.disconnect(object);
    });
  });
}

TEST(Interrupting, DoesNotBringALowerOneAlongIntoASectionThatExcludesIt) {
  bool in_between = false;
  under_seeds(300, [&](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& lower = interrupts.add_input("lower", false, 1);
    InterruptInput& higher = interrupts.add_input("higher", false, 1);
    ASSERT_LT(lower.irql(), higher.irql());
    world.system.run("t", [&] {
      KeSetSystemAffinityThread(1);
      PKINTERRUPT objects[2] = {};
      int served[2] = {};
      interrupts.connect(lower, {.service = [&] { return ++served[0] != 0; }, .where = &objects[0]});
      interrupts.connect(higher, {.service = [&] { return ++served[1] != 0; }, .where = &objects[1]});
      interrupts.synchronize(*objects[0], "test", [&] {
        interrupts.signal(lower);
        interrupts.signal(higher);
        for (int i = 0; i < 30; ++i) schedule_point("in the section");
        EXPECT_EQ(served[0], 0);
        in_between = in_between || served[1] != 0;
        return true;
      });
      while (served[0] == 0 || served[1] == 0) schedule_point("poll");
      for (PKINTERRUPT object : objects) interrupts.disconnect(object);
    });
  });
  EXPECT_TRUE(in_between);
}

TEST(ALine, IsServedUntilItsDeviceReleasesIt) {
  under_seeds(100, [](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("line", true, kAnywhere);
    int served = 0;
    world.system.run("t", [&] {
      PKINTERRUPT object = nullptr;
      interrupts.assert_line(input);  // before anybody is connected: it stays asserted
      interrupts.connect(input, {.service =
                                     [&] {
                                       if (++served == 3) interrupts.release_line(input);
                                       return true;
                                     },
                                 .where = &object});
      while (interrupts.is_pending(input) || served < 3) schedule_point("poll");
      interrupts.disconnect(object);
    });
    EXPECT_EQ(served, 3);
  });
}

TEST(ALine, IsSharedAndItsServiceEndsWithTheDeviceThatClaimsIt) {
  World world;
  Interrupts& interrupts = controller(world);
  InterruptInput& input = interrupts.add_input("line", true, kAnywhere);
  std::vector<int> asked;
  world.system.run("t", [&] {
    PKINTERRUPT objects[3] = {};
    for (int i = 0; i < 3; ++i)
      interrupts.connect(input, {.service =
                                     [&, i] {
                                       asked.push_back(i);
                                       if (i == 1) interrupts.release_line(input);
                                       return i == 1;
                                     },
                                 .where = &objects[i]});
    interrupts.assert_line(input);
    while (asked.size() < 2) schedule_point("poll");
    sleep_ms(1);
    for (PKINTERRUPT object : objects) interrupts.disconnect(object);
  });
  EXPECT_EQ(asked, (std::vector<int>{0, 1}));
}

TEST(ALine, ThatNobodyMakesReleaseIsToldAndMasked) {
  World world;
  Interrupts& interrupts = controller(world);
  InterruptInput& input = interrupts.add_input("the line of nic", true, kAnywhere);
  world.system.run("t", [&] {
    PKINTERRUPT object = nullptr;
    interrupts.connect(input, {.service = [] { return true; }, .where = &object});
    interrupts.assert_line(input);
    sleep_ms(1);
    interrupts.disconnect(object);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::InterruptMisuse, "interrupt service")) << world.recorder.text();
}

TEST(Disconnecting, ReturnsOnlyWhenTheServiceIsOver) {
  under_seeds(300, [](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("message", false, kAnywhere);
    bool running = false;
    bool gone = false;
    world.system.run("t", [&] {
      PKINTERRUPT object = nullptr;
      interrupts.connect(input, {.service =
                                     [&] {
                                       EXPECT_FALSE(gone);
                                       running = true;
                                       for (int i = 0; i < 20; ++i) schedule_point("in the service");
                                       running = false;
                                       return true;
                                     },
                                 .where = &object});
      interrupts.signal(input);
      schedule_point("now or later");
      interrupts.disconnect(object);
      gone = true;
      EXPECT_FALSE(running);
      interrupts.signal(input);
    });
    EXPECT_FALSE(interrupts.is_pending(input));
  });
}

TEST(Synchronizing, KeepsTheServiceOutOnEveryProcessor) {
  under_seeds(300, [](World& world) {
    Interrupts& interrupts = controller(world);
    InterruptInput& input = interrupts.add_input("message", false, kAnywhere);
    bool inside = false;
    int served = 0;
    world.system.run("t", [&] {
      PKINTERRUPT object = nullptr;
      interrupts.connect(input, {.service =
                                     [&] {
                                       EXPECT_FALSE(inside);
                                       ++served;
                                       return true;
                                     },
                                 .where = &object});
      for (int i = 0; i < 3; ++i) {
        const bool result = interrupts.synchronize(*object, "test", [&] {
          inside = true;
          EXPECT_EQ(irql(), input.irql());
          interrupts.signal(input);
          for (int k = 0; k < 10; ++k) schedule_point("in the section");
          inside = false;
          return true;
        });
        EXPECT_TRUE(result);
      }
      while (served == 0) schedule_point("poll");
      interrupts.disconnect(object);
    });
  });
}

TEST(Synchronizing, IsToldAboveTheIrqlOfTheInterrupt) {
  World world;
  Interrupts& interrupts = controller(world);
  InterruptInput& input = interrupts.add_input("message", false, kAnywhere);
  world.system.run("t", [&] {
    PKINTERRUPT object = nullptr;
    interrupts.connect(input, {.service = [] { return true; }, .where = &object});
    KIRQL before = 0;
    KeRaiseIrql(HIGH_LEVEL, &before);
    EXPECT_FALSE(interrupts.synchronize(*object, "KeSynchronizeExecution", [] { return true; }));
    KeLowerIrql(before);
    interrupts.disconnect(object);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeSynchronizeExecution"));
}

// ---- by the entry points ----

struct Seen {
  int count = 0;
  PKINTERRUPT object = nullptr;
};
BOOLEAN note_service(PKINTERRUPT interrupt, PVOID context) {
  auto& seen = *static_cast<Seen*>(context);
  ++seen.count;
  EXPECT_EQ(interrupt, seen.object);
  return TRUE;
}

TEST(IoConnectInterrupt, CallsTheRoutineWithItsObjectUntilDisconnected) {
  under_seeds(100, [](World& world) {
    InterruptInput& input = controller(world).add_input("message", false, kAnywhere);
    Seen seen;
    world.system.run("t", [&] {
      ASSERT_EQ(IoConnectInterrupt(&seen.object, &note_service, &seen, nullptr, input.vector(), input.irql(),
                                   input.irql(), Latched, FALSE, 3, FALSE),
                STATUS_SUCCESS);
      controller(world).signal(input);
      while (seen.count == 0) schedule_point("poll");
      const KIRQL before = KeAcquireInterruptSpinLock(seen.object);
      EXPECT_EQ(irql(), input.irql());
      KeReleaseInterruptSpinLock(seen.object, before);
      EXPECT_EQ(KeSynchronizeExecution(
                    seen.object, [](PVOID context) -> BOOLEAN { return context != nullptr; }, &seen),
                TRUE);
      IoDisconnectInterrupt(seen.object);
    });
    EXPECT_EQ(seen.count, 1);
  });
}

TEST(IoConnectInterrupt, RefusesAVectorThatThereIsNot) {
  World world;
  Seen seen;
  world.system.run("t", [&] {
    EXPECT_EQ(
        IoConnectInterrupt(&seen.object, &note_service, &seen, nullptr, 0x30, 5, 5, Latched, FALSE, 3, FALSE),
        STATUS_INVALID_PARAMETER);
    IoDisconnectInterrupt(seen.object);
  });
  EXPECT_TRUE(world.recorder.saw(Misuse::BadParameter, "IoDisconnectInterrupt"));
}

}  // namespace
}  // namespace undis::kernel
