// SPDX-License-Identifier: MIT
//
// Events, sleeping, timers, work items.
#include "ddi/testing.h"

namespace undis {
namespace {

using kernel::Misuse;
constexpr std::uint64_t kMs = 10'000;
LARGE_INTEGER in_ms(LONGLONG ms) {
  return {.QuadPart = -ms * 10'000};
}

class Events : public ServiceTest {};

TEST_F(Events, EndWaitsWhenTheyAreSet) {
  NDIS_EVENT event;
  bool waited = false;
  system->spawn("waiter", [&] {
    EXPECT_EQ(NdisWaitEvent(&event, 0), TRUE);
    EXPECT_EQ(NdisWaitEvent(&event, 10), TRUE) << "it stays set";
    NdisResetEvent(&event);
    EXPECT_EQ(NdisWaitEvent(&event, 10), FALSE);
    waited = true;
  });
  NdisInitializeEvent(&event);
  EXPECT_EQ(system->run("setter", [&] { NdisSetEvent(&event); }), kernel::Outcome::Idle);
  system->advance(20 * kMs);
  EXPECT_TRUE(waited);
  EXPECT_EQ(kernel::now(), 20 * kMs);
}

TEST_F(Events, NobodySetHangTheWaiter) {
  NDIS_EVENT event;
  NdisInitializeEvent(&event);
  EXPECT_EQ(system->run("waiter", [&] { NdisWaitEvent(&event, 0); }), kernel::Outcome::Hang);
}

TEST_F(Events, NeverInitializedAreTold) {
  NDIS_EVENT event{};
  as_driver([&] {
    NdisSetEvent(&event);
    NdisResetEvent(&event);
    EXPECT_EQ(NdisWaitEvent(&event, 1), FALSE);
  });
  EXPECT_EQ(misuses(), Kinds(3, Misuse::ObjectNotInitialized));
}

TEST_F(Events, WaitedForAtDispatchLevelAreTold) {
  NDIS_EVENT event;
  NdisInitializeEvent(&event);
  NdisSetEvent(&event);
  as_driver_at(DISPATCH_LEVEL, [&] { EXPECT_EQ(NdisWaitEvent(&event, 1), TRUE); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
}

class Sleeping : public ServiceTest {};

TEST_F(Sleeping, TakesTheTimeAskedFor) {
  system->run("sleeper", [&] { NdisMSleep(5'000); });
  EXPECT_EQ(kernel::now(), 5 * kMs);
}

TEST_F(Sleeping, AtDispatchLevelIsToldAndHoldsTheProcessor) {
  as_driver_at(DISPATCH_LEVEL, [&] { NdisMSleep(5'000); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
  EXPECT_EQ(kernel::now(), 5 * kMs);
}

TEST_F(Sleeping, ForMoreThanHalfAMinuteIsTold) {
  system->run("sleeper", [&] { NdisMSleep(30'000'001); });
  EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
}

class TimerObjects : public ServiceTest {
 protected:
  static void NetTimerCallback(PVOID, PVOID context, PVOID, PVOID) {
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    last_context = context;
    ++fired;
    if (freed_inside != nullptr) NdisFreeTimerObject(std::exchange(freed_inside, nullptr));
  }
  void SetUp() override {
    fired = 0;
    last_context = freed_inside = nullptr;
    miniport = add_miniport6();
    as_driver([&] { timer = allocate(); });
  }
  NDIS_HANDLE allocate() {
    NDIS_TIMER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
    c.AllocationTag = 0x31726D54;
    c.TimerFunction = NetTimerCallback;
    c.FunctionContext = this;
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisAllocateTimerObject(miniport->handle(), &c, &handle), NDIS_STATUS_SUCCESS);
    return handle;
  }
  void free_timer() {
    as_driver([&] { NdisFreeTimerObject(timer); });
  }

  static inline int fired = 0;
  static inline void* last_context = nullptr;
  static inline NDIS_HANDLE freed_inside = nullptr;
  Ref<MiniportDriver> miniport;
  NDIS_HANDLE timer = nullptr;
};

TEST_F(TimerObjects, FireOnceWhenDueWithTheirContext) {
  as_driver([&] { EXPECT_EQ(NdisSetTimerObject(timer, in_ms(10), 0, nullptr), FALSE); });
  system->advance(9 * kMs);
  EXPECT_EQ(fired, 0);
  system->advance(20 * kMs);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(last_context, this);
  as_driver([&] { NdisSetTimerObject(timer, in_ms(1), 0, &fired); });
  system->advance(2 * kMs);
  EXPECT_EQ(last_context, &fired);
  free_timer();
}

// LIFE-176
TEST_F(TimerObjects, FirePeriodicallyUntilCancelled) {
  as_driver([&] { NdisSetTimerObject(timer, in_ms(5), 10, nullptr); });
  system->advance(36 * kMs);
  EXPECT_EQ(fired, 4);
  system->run("cancel", [&] { as_driver([&] { EXPECT_EQ(NdisCancelTimerObject(timer), TRUE); }); });
  system->advance(100 * kMs);
  EXPECT_EQ(fired, 4);
  free_timer();
}

// LIFE-176
TEST_F(TimerObjects, SetAgainOrCancelledSayWhetherTheyWereSet) {
  as_driver([&] {
    EXPECT_EQ(NdisCancelTimerObject(timer), FALSE);
    EXPECT_EQ(NdisSetTimerObject(timer, in_ms(10), 0, nullptr), FALSE);
    EXPECT_EQ(NdisSetCoalescableTimerObject(timer, in_ms(10), 0, nullptr, 50), TRUE);
    EXPECT_EQ(NdisCancelTimerObject(timer), TRUE);
  });
  system->advance(100 * kMs);
  EXPECT_EQ(fired, 0);
  free_timer();
}

TEST_F(TimerObjects, MayBeFreedByTheirFunction) {
  freed_inside = timer;
  as_driver([&] { NdisSetTimerObject(timer, in_ms(1), 0, nullptr); });
  system->advance(2 * kMs);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(library->services().all(HandleKind::Timer).size(), 0U);
}

TEST_F(TimerObjects, FreedWhileSetAreToldAndDoNotFire) {
  as_driver([&] {
    NdisSetTimerObject(timer, in_ms(10), 0, nullptr);
    NdisFreeTimerObject(timer);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisSetTimerObject(timer, in_ms(10), 0, nullptr);
    NdisFreeTimerObject(timer);
    EXPECT_EQ(handle_misuses(), 2U);
  });
  system->advance(100 * kMs);
  EXPECT_EQ(fired, 0);
}

// LIFE-177
TEST_F(TimerObjects, OfPeriodAreCancelledAtPassiveLevelOnly) {
  as_driver([&] { NdisSetTimerObject(timer, in_ms(10), 10, nullptr); });
  as_driver_at(DISPATCH_LEVEL, [&] { EXPECT_EQ(NdisCancelTimerObject(timer), TRUE); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
  free_timer();
}

TEST_F(TimerObjects, OfBadCharacteristicsAreRefused) {
  NDIS_TIMER_CHARACTERISTICS c{};
  NDIS_HANDLE handle = this;
  as_driver([&] {
    EXPECT_EQ(NdisAllocateTimerObject(miniport->handle(), &c, &handle), NDIS_STATUS_BAD_CHARACTERISTICS);
    EXPECT_EQ(handle, nullptr);
    EXPECT_EQ(NdisAllocateTimerObject(this, &c, &handle), NDIS_STATUS_FAILURE);
  });
  EXPECT_EQ(handle_misuses(), 1U);
  free_timer();
}

TEST_F(TimerObjects, LeftByADriverAreToldAndDoNotFire) {
  restart("0");
  static NDIS_TIMER_CHARACTERISTICS c;
  c = {};
  c.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
              NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
  c.TimerFunction = NetTimerCallback;
  library->load(
      *driver, +[](PDRIVER_OBJECT object, PUNICODE_STRING) -> NTSTATUS {
        NDIS_GENERIC_OBJECT* const caller = NdisAllocateGenericObject(object, 1, 0);
        NDIS_HANDLE handle = nullptr;
        EXPECT_EQ(NdisAllocateTimerObject(caller, &c, &handle), NDIS_STATUS_SUCCESS);
        NdisSetTimerObject(handle, in_ms(1), 0, nullptr);
        NdisFreeGenericObject(caller);
        return STATUS_UNSUCCESSFUL;
      });
  EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter}) << "the generic object goes before its timer";
  ASSERT_EQ(seen.left.size(), 1U);
  EXPECT_EQ(seen.left[0].kind, HandleKind::Timer);
  system->advance(10 * kMs);
  EXPECT_EQ(fired, 0);
}

class OldTimers : public ServiceTest {
 protected:
  static void fire(PVOID, PVOID context, PVOID, PVOID) { ++*static_cast<int*>(context); }
  int fired = 0;
};

TEST_F(OldTimers, FireAndAreCancelled) {
  NDIS_TIMER timer{};
  as_driver([&] {
    NdisInitializeTimer(&timer, fire, &fired);
    NdisSetTimer(&timer, 10);
  });
  system->advance(11 * kMs);
  EXPECT_EQ(fired, 1);
  as_driver([&] {
    BOOLEAN cancelled = TRUE;
    NdisCancelTimer(&timer, &cancelled);
    EXPECT_EQ(cancelled, FALSE);
    NdisSetTimer(&timer, 10);
    NdisCancelTimer(&timer, &cancelled);
    EXPECT_EQ(cancelled, TRUE);
  });
  system->advance(20 * kMs);
  EXPECT_EQ(fired, 1);
}

TEST_F(OldTimers, MayBeSetWithAnotherContext) {
  NDIS_TIMER timer{};
  int other = 0;
  as_driver([&] {
    NdisInitializeTimer(&timer, fire, &fired);
    NdisSetTimerEx(&timer, 10, &other);
  });
  system->advance(11 * kMs);
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(other, 1);
  NDIS_TIMER none{};
  as_driver([&] { NdisSetTimerEx(&none, 10, &other); });
  EXPECT_EQ(misuses(), Kinds{Misuse::ObjectNotInitialized});
}

TEST_F(OldTimers, OfMiniportsFireForTheirAdapter) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  NDIS_MINIPORT_TIMER timer{};
  as_driver([&] {
    NdisMInitializeTimer(&timer, adapter->handle(), fire, &fired);
    NdisMSetTimer(&timer, 5);
  });
  system->advance(6 * kMs);
  EXPECT_EQ(fired, 1);
  as_driver([&] { NdisMSetPeriodicTimer(&timer, 10); });
  system->advance(35 * kMs);
  EXPECT_EQ(fired, 4);
  as_driver([&] {
    BOOLEAN cancelled = FALSE;
    NdisMCancelTimer(&timer, &cancelled);
    EXPECT_EQ(cancelled, TRUE);
  });
}

TEST_F(OldTimers, NeverInitializedOrInitializedWhileSetAreTold) {
  NDIS_TIMER timer{};
  as_driver([&] {
    NdisSetTimer(&timer, 1);
    EXPECT_EQ(misuses(), Kinds{Misuse::ObjectNotInitialized});
    NdisInitializeTimer(&timer, fire, &fired);
    NdisSetTimer(&timer, 1);
    NdisInitializeTimer(&timer, fire, &fired);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
  });
  system->advance(10 * kMs);
  EXPECT_EQ(fired, 0);
}

class WorkItems : public ServiceTest {
 protected:
  static void work(PVOID context, NDIS_HANDLE item) {
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    ++*static_cast<int*>(context);
    if (item == freed_inside) NdisFreeIoWorkItem(std::exchange(freed_inside, nullptr));
  }
  static void old_work(NDIS_WORK_ITEM* item, PVOID context) {
    ++*static_cast<int*>(context);
    if (again-- > 0) NdisScheduleWorkItem(item);
  }
  static inline NDIS_HANDLE freed_inside = nullptr;
  static inline int again = 0;
  int done = 0;
};

TEST_F(WorkItems, RunAtPassiveLevelAndMayFreeThemselves) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver_at(DISPATCH_LEVEL, [&] {
    const NDIS_HANDLE item = NdisAllocateIoWorkItem(adapter->handle());
    ASSERT_NE(item, nullptr);
    freed_inside = item;
    NdisQueueIoWorkItem(item, work, &done);
  });
  system->run_until_idle();
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(library->services().all(HandleKind::IoWorkItem).empty());
}

TEST_F(WorkItems, QueuedTwiceOrFreedWhileQueuedAreTold) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  as_driver([&] {
    const NDIS_HANDLE item = NdisAllocateIoWorkItem(miniport->handle());
    NdisQueueIoWorkItem(item, work, &done);
    NdisQueueIoWorkItem(item, work, &done);
    NdisFreeIoWorkItem(item);
    EXPECT_EQ(misuses(), Kinds(2, Misuse::BadParameter));
    NdisQueueIoWorkItem(item, work, &done);
    EXPECT_EQ(handle_misuses(), 1U);
  });
  system->run_until_idle();
}

TEST_F(WorkItems, AreNotForHandlesOfOthers) {
  as_driver([&] { EXPECT_EQ(NdisAllocateIoWorkItem(&done), nullptr); });
  EXPECT_EQ(handle_misuses(), 1U);
}

TEST_F(WorkItems, OfTheOldFormRunAndMayBeScheduledAgain) {
  NDIS_WORK_ITEM item;
  again = 2;
  as_driver([&] {
    NdisInitializeWorkItem(&item, old_work, &done);
    EXPECT_EQ(NdisScheduleWorkItem(&item), NDIS_STATUS_SUCCESS);
    NdisScheduleWorkItem(&item);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
  });
  system->run_until_idle();
  EXPECT_EQ(done, 3);
}

TEST_F(WorkItems, OfTheOldFormNeverInitializedAreTold) {
  NDIS_WORK_ITEM item{};
  as_driver([&] { NdisScheduleWorkItem(&item); });
  EXPECT_EQ(misuses(), Kinds{Misuse::ObjectNotInitialized});
}

TEST_F(WorkItems, OfTheOldFormFreedWhileQueuedAreToldAndDoNotRun) {
  as_driver([&] {
    void* item = nullptr;
    NdisAllocateMemoryWithTag(&item, sizeof(NDIS_WORK_ITEM), 1);
    NdisInitializeWorkItem(static_cast<NDIS_WORK_ITEM*>(item), old_work, &done);
    NdisScheduleWorkItem(static_cast<NDIS_WORK_ITEM*>(item));
    NdisFreeMemory(item, 0, 0);
  });
  system->run_until_idle();
  EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace undis
