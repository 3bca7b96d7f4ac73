// SPDX-License-Identifier: MIT
//
// Spin locks and read/write locks.
#include "ddi/testing.h"

namespace undis {
namespace {

using kernel::Misuse;

class SpinLocks : public ServiceTest {
 protected:
  NDIS_SPIN_LOCK lock{};
};

TEST_F(SpinLocks, RaiseTheIrqlAndPutItBack) {
  as_driver([&] {
    NdisAllocateSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    NdisReleaseSpinLock(&lock);
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisDprAcquireSpinLock(&lock);
    NdisDprReleaseSpinLock(&lock);
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    NdisFreeSpinLock(&lock);
  });
}

TEST_F(SpinLocks, KeepOthersOutUnderEverySchedule) {
  for (int seed = 1; seed <= 30; ++seed) {
    restart(std::to_string(seed).c_str());
    NdisAllocateSpinLock(&lock);
    int inside = 0;
    int entered = 0;
    for (int t = 0; t < 3; ++t)
      system->spawn("t" + std::to_string(t), [&] {
        for (int i = 0; i < 5; ++i) {
          NdisAcquireSpinLock(&lock);
          EXPECT_EQ(++inside, 1);
          ++entered;
          kernel::schedule_point("inside");
          --inside;
          NdisReleaseSpinLock(&lock);
        }
      });
    ASSERT_EQ(system->run_until_idle(), kernel::Outcome::Idle);
    EXPECT_EQ(entered, 15);
    NdisFreeSpinLock(&lock);
  }
}

TEST_F(SpinLocks, UsedBeforeTheyAreAllocatedOrAfterTheyAreFreedAreTold) {
  as_driver([&] {
    NdisAcquireSpinLock(&lock);  // zeroed is not allocated
    NdisReleaseSpinLock(&lock);
    NdisAllocateSpinLock(&lock);
    NdisFreeSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
    NdisReleaseSpinLock(&lock);
  });
  EXPECT_EQ(misuses(), (Kinds{Misuse::ObjectNotInitialized, Misuse::ObjectNotInitialized}));
}

TEST_F(SpinLocks, ReleasedUnheldAreTold) {
  as_driver([&] {
    NdisAllocateSpinLock(&lock);
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisReleaseSpinLock(&lock);
  });
  EXPECT_EQ(misuses(), Kinds{Misuse::LockNotHeld});
}

TEST_F(SpinLocks, ReleasedByTheOtherFormAreTold) {
  as_driver_at(DISPATCH_LEVEL, [&] {
    NdisAllocateSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
    NdisDprReleaseSpinLock(&lock);
    NdisDprAcquireSpinLock(&lock);
    NdisReleaseSpinLock(&lock);
  });
  EXPECT_EQ(misuses(), (Kinds{Misuse::BadParameter, Misuse::BadParameter}));
}

TEST_F(SpinLocks, OfTheDprFormBelowDispatchLevelAreToldAndWorkAllTheSame) {
  as_driver([&] {
    NdisAllocateSpinLock(&lock);
    NdisDprAcquireSpinLock(&lock);
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    NdisDprReleaseSpinLock(&lock);
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
  });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
}

TEST_F(SpinLocks, ReleasedInTheOrderOfAcquisitionAreTold) {
  NDIS_SPIN_LOCK other{};
  as_driver([&] {
    NdisAllocateSpinLock(&lock);
    NdisAllocateSpinLock(&other);
    NdisAcquireSpinLock(&lock);
    NdisAcquireSpinLock(&other);
    NdisReleaseSpinLock(&lock);  // back to PASSIVE_LEVEL, with `other` held
    EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
    NdisReleaseSpinLock(&other);
  });
  EXPECT_FALSE(misuses().empty());
}

TEST_F(SpinLocks, KeptByACallbackAreToldAndTakenAway) {
  as_driver([&] {
    NdisAllocateSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
  });
  EXPECT_EQ(misuses(), Kinds{Misuse::LockNotReleased});
  as_driver([&] {
    NdisAcquireSpinLock(&lock);
    NdisReleaseSpinLock(&lock);
  });
}

TEST_F(SpinLocks, AcquiredAgainHangAndAreTold) {
  EXPECT_EQ(system->run("twice",
                        [&] {
                          NdisAllocateSpinLock(&lock);
                          NdisAcquireSpinLock(&lock);
                          NdisAcquireSpinLock(&lock);
                        }),
            kernel::Outcome::Hang);
  EXPECT_EQ(misuses(), Kinds{Misuse::LockRecursion});
}

class ReadWriteLocks : public ServiceTest {};

TEST_F(ReadWriteLocks, LetManyReadOrOneWriteUnderEverySchedule) {
  for (int seed = 1; seed <= 30; ++seed) {
    restart(std::to_string(seed).c_str());
    const Ref<MiniportDriver> miniport = add_miniport6();
    NDIS_RW_LOCK_EX* const lock = NdisAllocateRWLock(miniport->handle());
    ASSERT_NE(lock, nullptr);
    int readers = 0;
    int writers = 0;
    for (int t = 0; t < 3; ++t)
      system->spawn("t" + std::to_string(t), [&, t] {
        for (int i = 0; i < 4; ++i) {
          LOCK_STATE_EX state;
          if (t == 0) {
            NdisAcquireRWLockWrite(lock, &state, 0);
            EXPECT_EQ(++writers + readers, 1);
            kernel::schedule_point("writing");
            --writers;
          } else {
            NdisAcquireRWLockRead(lock, &state, 0);
            ++readers;
            EXPECT_EQ(writers, 0);
            kernel::schedule_point("reading");
            --readers;
          }
          EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
          NdisReleaseRWLock(lock, &state);
        }
      });
    ASSERT_EQ(system->run_until_idle(), kernel::Outcome::Idle);
    NdisFreeRWLock(lock);
  }
}

TEST_F(ReadWriteLocks, MayBeNestedByTheirHolder) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  as_driver([&] {
    NDIS_RW_LOCK_EX* const lock = NdisAllocateRWLock(miniport->handle());
    LOCK_STATE_EX outer;
    LOCK_STATE_EX inner;
    NdisAcquireRWLockRead(lock, &outer, 0);
    NdisAcquireRWLockRead(lock, &inner, NDIS_RWL_AT_DISPATCH_LEVEL);
    NdisReleaseRWLock(lock, &inner);
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    NdisReleaseRWLock(lock, &outer);
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    NdisAcquireRWLockWrite(lock, &outer, 0);
    NdisAcquireRWLockWrite(lock, &inner, 0);
    NdisReleaseRWLock(lock, &inner);
    NdisReleaseRWLock(lock, &outer);
    NdisFreeRWLock(lock);
  });
}

TEST_F(ReadWriteLocks, AskedToPromoteAReaderHangAndAreTold) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  NDIS_RW_LOCK_EX* const lock = NdisAllocateRWLock(miniport->handle());
  EXPECT_EQ(system->run("promote",
                        [&] {
                          LOCK_STATE_EX read;
                          LOCK_STATE_EX write;
                          NdisAcquireRWLockRead(lock, &read, 0);
                          NdisAcquireRWLockWrite(lock, &write, 0);
                        }),
            kernel::Outcome::Hang);
  EXPECT_EQ(misuses(), Kinds{Misuse::LockRecursion});
}

TEST_F(ReadWriteLocks, ReleasedUnheldOrFreedWhileHeldAreTold) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  as_driver([&] {
    NDIS_RW_LOCK_EX* const lock = NdisAllocateRWLock(miniport->handle());
    LOCK_STATE_EX state;
    NdisAcquireRWLockRead(lock, &state, 0);
    NdisFreeRWLock(lock);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisReleaseRWLock(lock, &state);
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisReleaseRWLock(lock, &state);
    EXPECT_EQ(misuses(), Kinds{Misuse::LockNotHeld});
    NdisFreeRWLock(lock);
    NdisFreeRWLock(lock);
    EXPECT_EQ(handle_misuses(), 1U);
  });
}

TEST_F(ReadWriteLocks, NeedAHandleExceptInDriverEntry) {
  as_driver([&] { NdisFreeRWLock(NdisAllocateRWLock(nullptr)); });
  EXPECT_EQ(handle_misuses(), 1U);
  with_first_call_failing([&] {
    EXPECT_EQ(NdisAllocateRWLock(nullptr), nullptr);  // the failing one
    NdisFreeRWLock(NdisAllocateRWLock(nullptr));
  });
}

TEST_F(ReadWriteLocks, LeftByADriverAreTold) {
  restart("0");
  library->load(
      *driver, +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS {
        NdisAllocateRWLock(nullptr);
        return STATUS_UNSUCCESSFUL;
      });
  ASSERT_EQ(seen.left.size(), 1U);
  EXPECT_EQ(seen.left[0].kind, HandleKind::RwLock);
  EXPECT_EQ(library->handles().open_count(), 0U);
}

TEST_F(ReadWriteLocks, OfTheOldFormWorkAlike) {
  as_driver([&] {
    NDIS_RW_LOCK lock;
    NdisInitializeReadWriteLock(&lock);
    LOCK_STATE read;
    LOCK_STATE again;
    NdisAcquireReadWriteLock(&lock, FALSE, &read);
    NdisDprAcquireReadWriteLock(&lock, FALSE, &again);
    NdisDprReleaseReadWriteLock(&lock, &again);
    NdisReleaseReadWriteLock(&lock, &read);
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    NdisAcquireReadWriteLock(&lock, TRUE, &read);
    NdisReleaseReadWriteLock(&lock, &read);
    NDIS_RW_LOCK never{};
    NdisAcquireReadWriteLock(&never, TRUE, &read);
  });
  EXPECT_EQ(misuses(), Kinds{Misuse::ObjectNotInitialized});
}

}  // namespace
}  // namespace undis
