// SPDX-License-Identifier: MIT
#include <cstring>

#include "ddi/testing.h"

namespace undis {
namespace {

using kernel::Misuse;
constexpr ULONG kTag = 0x31676154;
constexpr NDIS_PHYSICAL_ADDRESS kAnywhere{.QuadPart = -1};

class AllocatingMemory : public ServiceTest {};

TEST_F(AllocatingMemory, GivesBlocksOfTheCallersThatEachFreeFunctionTakesBack) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  as_driver([&] {
    void* tagged = nullptr;
    ASSERT_EQ(NdisAllocateMemoryWithTag(&tagged, 100, kTag), NDIS_STATUS_SUCCESS);
    std::memset(tagged, 1, 100);
    void* flagged = nullptr;
    ASSERT_EQ(NdisAllocateMemory(&flagged, 200, NDIS_MEMORY_CONTIGUOUS, kAnywhere), NDIS_STATUS_SUCCESS);
    void* const with_handle =
        NdisAllocateMemoryWithTagPriority(miniport->handle(), 300, kTag, NormalPoolPriority);
    ASSERT_NE(with_handle, nullptr);
    EXPECT_EQ(system->pool().live_bytes(driver), 600U);
    NdisFreeMemory(tagged, 100, 0);
    NdisFreeMemory(flagged, 200, NDIS_MEMORY_CONTIGUOUS);
    NdisFreeMemoryWithTagPriority(miniport->handle(), with_handle, kTag);
  });
}

TEST_F(AllocatingMemory, FailsWhenThereIsNone) {
  with_first_call_failing([&] {
    void* block = &block;
    EXPECT_EQ(NdisAllocateMemoryWithTag(&block, 8, kTag), NDIS_STATUS_FAILURE);
    EXPECT_EQ(block, nullptr);
  });
  with_first_call_failing([&] {
    void* block = &block;
    EXPECT_EQ(NdisAllocateMemory(&block, 8, 0, kAnywhere), NDIS_STATUS_FAILURE);
    EXPECT_EQ(block, nullptr);
  });
}

TEST_F(AllocatingMemory, TellsOfAHandleThatIsNoneAndOfAClosedOne) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const NDIS_HANDLE stale = miniport->handle();
  library->remove(*miniport, "test");
  as_driver([&] {
    for (const NDIS_HANDLE wrong : {NDIS_HANDLE{nullptr}, NDIS_HANDLE{this}, stale}) {
      void* const block = NdisAllocateMemoryWithTagPriority(wrong, 8, kTag, NormalPoolPriority);
      EXPECT_NE(block, nullptr);
      NdisFreeMemory(block, 0, 0);
    }
  });
  EXPECT_EQ(handle_misuses(), 3U);
}

TEST_F(AllocatingMemory, MayBeDoneAtDispatchLevelButNotAbove) {
  as_driver_at(DISPATCH_LEVEL, [&] {
    void* block = nullptr;
    NdisAllocateMemoryWithTag(&block, 8, kTag);
    NdisFreeMemory(block, 8, 0);
  });
  EXPECT_EQ(misuses(), Kinds{});
  as_driver_at(DISPATCH_LEVEL + 1, [&] {
    void* block = nullptr;
    NdisAllocateMemoryWithTag(&block, 8, kTag);
    NdisFreeMemory(block, 8, 0);
  });
  EXPECT_EQ(misuses(), (Kinds{Misuse::WrongIrql, Misuse::WrongIrql}));
}

class FreeingMemory : public ServiceTest {};

TEST_F(FreeingMemory, TwiceOrWhatIsNoneIsTold) {
  as_driver([&] {
    void* block = nullptr;
    NdisAllocateMemoryWithTag(&block, 8, kTag);
    NdisFreeMemory(block, 8, 0);
    NdisFreeMemory(block, 8, 0);
    int on_the_stack = 0;
    NdisFreeMemory(&on_the_stack, 4, 0);
  });
  EXPECT_EQ(misuses(), (Kinds{Misuse::PoolDoubleFree, Misuse::PoolBadPointer}));
}

TEST_F(FreeingMemory, WithAnotherTagFlagsOrLengthIsTold) {
  as_driver([&] {
    void* block = nullptr;
    NdisAllocateMemoryWithTag(&block, 8, kTag);
    NdisFreeMemoryWithTag(block, kTag + 1);
    NdisAllocateMemory(&block, 64, NDIS_MEMORY_NONCACHED, kAnywhere);
    NdisFreeMemory(block, 64, 0);
    NdisAllocateMemory(&block, 64, NDIS_MEMORY_NONCACHED, kAnywhere);
    NdisFreeMemory(block, 63, NDIS_MEMORY_NONCACHED);
  });
  EXPECT_EQ(misuses(), (Kinds{Misuse::PoolTagMismatch, Misuse::BadParameter, Misuse::PoolTagMismatch}));
}

TEST_F(FreeingMemory, ThatIsContiguousNeedsPassiveLevel) {
  void* block = nullptr;
  as_driver([&] { NdisAllocateMemory(&block, 64, NDIS_MEMORY_CONTIGUOUS, kAnywhere); });
  as_driver_at(DISPATCH_LEVEL, [&] { NdisFreeMemory(block, 64, NDIS_MEMORY_CONTIGUOUS); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
}

TEST(LookasideLists, GiveAndTakeBack) {
  struct Fixture : ServiceTest {
    void TestBody() override {
      as_driver([&] {
        NPAGED_LOOKASIDE_LIST list;
        NdisInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 40, kTag, 0);
        void* const entry = NdisAllocateFromNPagedLookasideList(&list);
        ASSERT_NE(entry, nullptr);
        NdisFreeToNPagedLookasideList(&list, entry);
        NdisDeleteNPagedLookasideList(&list);
      });
      EXPECT_EQ(misuses(), Kinds{});
    }
  };
  Fixture().TestBody();
}

class LookasideList : public ServiceTest {};

TEST_F(LookasideList, IsToldOnceOfAWrongIrql) {
  NPAGED_LOOKASIDE_LIST list;
  as_driver_at(DISPATCH_LEVEL + 1,
               [&] { NdisInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 40, kTag, 0); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
  as_driver_at(DISPATCH_LEVEL, [&] { NdisDeleteNPagedLookasideList(&list); });
}

class GenericObjects : public ServiceTest {};

TEST_F(GenericObjects, AreHandlesForWhatNeedsOne) {
  as_driver([&] {
    NDIS_GENERIC_OBJECT* const object = NdisAllocateGenericObject(driver->object(), kTag, 16);
    ASSERT_NE(object, nullptr);
    EXPECT_EQ(object->DriverObject, driver->object());
    EXPECT_EQ(object->Header.Type, NDIS_OBJECT_TYPE_GENERIC_OBJECT);
    std::memset(object + 1, 1, 16);  // the caller's part
    void* const block = NdisAllocateMemoryWithTagPriority(object, 8, kTag, NormalPoolPriority);
    NdisFreeMemoryWithTagPriority(object, block, kTag);
    EXPECT_EQ(handle_misuses(), 0U);
    NdisFreeGenericObject(object);
    NdisFreeMemory(NdisAllocateMemoryWithTagPriority(object, 8, kTag, NormalPoolPriority), 0, 0);
    EXPECT_EQ(handle_misuses(), 1U);
    NdisFreeGenericObject(object);
  });
  EXPECT_EQ(misuses(), Kinds{Misuse::PoolDoubleFree});
}

// LIFE-180
TEST_F(GenericObjects, FreedBeforeWhatWasAllocatedWithThemAreTold) {
  as_driver([&] {
    NDIS_GENERIC_OBJECT* const object = NdisAllocateGenericObject(driver->object(), kTag, 0);
    PNDIS_RW_LOCK_EX const early = NdisAllocateRWLock(object);
    PNDIS_RW_LOCK_EX const late = NdisAllocateRWLock(object);
    NdisFreeRWLock(early);
    NdisFreeGenericObject(object);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisFreeRWLock(late);
  });
}

TEST_F(GenericObjects, AreNotThereWithoutMemory) {
  with_first_call_failing([&] { EXPECT_EQ(NdisAllocateGenericObject(nullptr, kTag, 0), nullptr); });
}

}  // namespace
}  // namespace undis
