// SPDX-License-Identifier: MIT
//
// Pages  wdm/nf-wdm-exallocatepool2, wdm/nf-wdm-exallocatepoolwithtag, wdm/nf-wdm-exfreepoolwithtag
#include <algorithm>
#include <cstring>

#include <ntddk.h>

#include "kernel/sanitizer.h"
#include "kernel/stack_table.h"
#include "kernel/testing.h"

namespace undis::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ULONG kTag = 0x74736554;  // 'Test'

class AllocatingPool : public KernelTest {};

TEST_F(AllocatingPool, KnowsOwnerTagSizeAndStackOfEachBlock) {
  void* block = nullptr;
  as_driver([&] { block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, kTag); });

  PoolBlock found;
  ASSERT_TRUE(system->pool().find(static_cast<char*>(block) + 99, found));
  EXPECT_EQ(found.address, block);
  EXPECT_EQ(found.size, 100u);
  EXPECT_EQ(found.tag, kTag);
  EXPECT_EQ(found.owner, driver);
  EXPECT_TRUE(found.live);
  EXPECT_GT(found.allocated->count, 0u);
  EXPECT_FALSE(system->pool().find(static_cast<char*>(block) + 100, found));

  as_driver([&] { ExFreePoolWithTag(block, kTag); });
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
}

TEST_F(AllocatingPool, ZeroesWhatIsToBeZeroedAndFillsTheRest) {
  as_driver([&] {
    auto* const zeroed = static_cast<unsigned char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 5000, kTag));
    auto* const zeroed_too = static_cast<unsigned char*>(ExAllocatePoolZero(NonPagedPool, 50, kTag));
    auto* const raw =
        static_cast<unsigned char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, 50, kTag));
    const auto is = [](unsigned char value) { return [value](unsigned char byte) { return byte == value; }; };
    EXPECT_TRUE(std::all_of(zeroed, zeroed + 5000, is(0)));
    EXPECT_TRUE(std::all_of(zeroed_too, zeroed_too + 50, is(0)));
    EXPECT_TRUE(std::all_of(raw, raw + 50, is(0xCD)));
    for (void* const block :
         {static_cast<void*>(zeroed), static_cast<void*>(zeroed_too), static_cast<void*>(raw)})
      ExFreePoolWithTag(block, kTag);
  });
}

TEST_F(AllocatingPool, AlignsBlocksOfAPageToAPageAndNeverCrossesOneWithASmallerBlock) {
  as_driver([&] {
    std::vector<void*> blocks;
    for (std::size_t size = 1; size < 4096; size += 37) {
      void* const block = ExAllocatePoolWithTag(NonPagedPool, size, kTag);
      const auto first = reinterpret_cast<std::uintptr_t>(block);
      EXPECT_EQ(first % 16, 0u) << size;
#if !UNDIS_ADDRESS_SANITIZER  // whose allocator knows no pages
      EXPECT_EQ(first / 4096, (first + size - 1) / 4096) << size;
#endif
      blocks.push_back(block);
    }
    for (const std::size_t size : {4096u, 5000u, 70000u, 1048576u}) {
      void* const block = ExAllocatePoolWithTag(NonPagedPool, size, kTag);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 4096, 0u) << size;
      blocks.push_back(block);
    }
    for (void* const block : blocks) ExFreePoolWithTag(block, kTag);
  });
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
}

TEST_F(AllocatingPool, CountsWhatIsLiveByTagAndDriver) {
  Driver& other = system->add_driver("other", {}, false);
  void* blocks[3] = {};
  as_driver([&] {
    blocks[0] = ExAllocatePoolWithTag(NonPagedPool, 10, kTag);
    blocks[1] = ExAllocatePoolWithTag(NonPagedPool, 20, kTag);
  });
  as_driver(other, [&] { blocks[2] = ExAllocatePoolWithTag(NonPagedPool, 40, 1); });

  std::size_t bytes = 0;
  for (const PoolCount& count : system->pool().counts()) {
    if (count.owner == driver && count.tag == kTag) {
      EXPECT_EQ(count.blocks, 2u);
      bytes += count.bytes;
    }
    if (count.owner == &other) bytes += 100 * count.bytes;
  }
  EXPECT_EQ(bytes, 30u + 4000u);
  for (void* const block : blocks) system->pool().free(block, 0, "test", nullptr);
}

TEST_F(AllocatingPool, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] {
    EXPECT_EQ(ExAllocatePoolWithTag(NonPagedPool, 10, kTag), nullptr);
    void* const block = ExAllocatePoolWithTag(NonPagedPool, 10, kTag);
    EXPECT_NE(block, nullptr);
    ExFreePoolWithTag(block, kTag);
  });
}

TEST_F(AllocatingPool, NeverFailsForTheHost) {
  restart("0.f1");
  void* const block = ExAllocatePoolWithTag(NonPagedPool, 10, kTag);
  EXPECT_NE(block, nullptr);
  ExFreePool(block);
}

TEST_F(AllocatingPool, IsReportedForZeroBytesATagOfZeroAndUnknownFlags) {
  as_driver([&] {
    ExFreePool(ExAllocatePoolWithTag(NonPagedPool, 0, kTag));
    EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, 0), nullptr);
    EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 10, kTag), nullptr);
    EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x40000000, 10, kTag), nullptr);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolZeroSize, Misuse::BadParameter, Misuse::BadParameter,
                                          Misuse::BadParameter));
}

TEST_F(AllocatingPool, IsReportedForPagedPoolAtDispatchLevel) {
  as_driver([&] {
    void* block = nullptr;
    {
      const RaiseIrql raised(DISPATCH_LEVEL);
      block = ExAllocatePoolWithTag(PagedPool, 10, kTag);
      ExFreePool(block);
    }
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::WrongIrql, Misuse::WrongIrql));
}

class FreeingPool : public KernelTest {};

TEST_F(FreeingPool, IsReportedTheSecondTimeWithTheFirstOne) {
  as_driver([&] {
    void* const block = ExAllocatePoolWithTag(NonPagedPool, 10, kTag);
    ExFreePool(block);
    ExFreePool(block);
  });
  ASSERT_EQ(seen.misuses.size(), 1u);
  EXPECT_EQ(seen.misuses[0].driver, driver);
  EXPECT_EQ(seen.misuses[0].function, "ExFreePool");
  EXPECT_TRUE(seen.misuses[0].has_origin);
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("was freed before"));
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolDoubleFree));
}

TEST_F(FreeingPool, IsReportedForForeignAndInnerPointers) {
  int own = 0;
  as_driver([&] {
    ExFreePool(&own);
    ExFreePool(nullptr);
    auto* const block = static_cast<char*>(ExAllocatePoolWithTag(NonPagedPool, 100, kTag));
    ExFreePool(block + 16);
    ExFreePool(block);
  });
  EXPECT_THAT(take_misuses(),
              ElementsAre(Misuse::PoolBadPointer, Misuse::PoolBadPointer, Misuse::PoolBadPointer));
}

TEST_F(FreeingPool, IsReportedForAnotherTagAndFreesAllTheSame) {
  as_driver([&] { ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 10, kTag), kTag + 1); });
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolTagMismatch));
}

#if !UNDIS_ADDRESS_SANITIZER  // which stops the test where the byte is written, as it should
TEST_F(FreeingPool, IsReportedWhenBytesBeyondTheEndWereWritten) {
  as_driver([&] {
    auto* const block = static_cast<char*>(ExAllocatePoolWithTag(NonPagedPool, 100, kTag));
    block[100] = 'x';
    ExFreePool(block);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolCorruption));
}

TEST_F(FreeingPool, IsReportedWhenTheBlockIsWrittenToAfterwards) {
  as_driver([&] {
    auto* const block = static_cast<char*>(ExAllocatePoolWithTag(NonPagedPool, 100, kTag));
    ExFreePool(block);
    block[3] = 'x';
  });
  system->pool().sweep(*driver);
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolCorruption));
}

TEST_F(FreeingPool, PoisonsTheBlock) {
  as_driver([&] {
    auto* const block = static_cast<unsigned char*>(ExAllocatePoolWithTag(NonPagedPool, 100, kTag));
    ExFreePool(block);
    EXPECT_TRUE(std::all_of(block, block + 100, [](unsigned char byte) { return byte == 0xDD; }));
  });
}
#endif

class SweepingPool : public KernelTest {};

TEST_F(SweepingPool, ReportsEachLeakOnceWithItsStackAndFreesIt) {
  as_driver([&] {
    ExAllocatePoolWithTag(NonPagedPool, 10, kTag);
    ExAllocatePoolWithTag(PagedPool, 70000, kTag);
  });
  EXPECT_EQ(system->pool().sweep(*driver), 2u);
  ASSERT_EQ(seen.misuses.size(), 2u);
  EXPECT_TRUE(seen.misuses[0].has_origin);
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("10 bytes, tag 'Test'"));
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::PoolLeak, Misuse::PoolLeak));
  EXPECT_EQ(system->pool().sweep(*driver), 0u);
}

TEST_F(SweepingPool, IsSilentForHarnessDriversAndOtherDrivers) {
  Driver& harness = system->add_driver("fake", {}, true);
  void* kept = nullptr;
  as_driver(harness, [&] { ExAllocatePoolWithTag(NonPagedPool, 10, kTag); });
  as_driver([&] { kept = ExAllocatePoolWithTag(NonPagedPool, 10, kTag); });
  EXPECT_EQ(system->pool().sweep(harness), 1u);
  EXPECT_THAT(take_misuses(), IsEmpty());
  EXPECT_EQ(system->pool().live_blocks(driver), 1u);
  as_driver([&] { ExFreePool(kept); });
}

TEST_F(SweepingPool, KeepsTheNumbersRightOverManyCycles) {
  for (int cycle = 0; cycle < 200; ++cycle) {
    as_driver([&] {
      std::vector<void*> blocks;
      for (std::size_t i = 0; i < 50; ++i)
        blocks.push_back(ExAllocatePoolWithTag(NonPagedPool, 1 + i * 97, kTag));
      for (void* const block : blocks) ExFreePoolWithTag(block, kTag);
    });
    EXPECT_EQ(system->pool().sweep(*driver), 0u);
  }
  EXPECT_EQ(system->pool().live_bytes(driver), 0u);
}

class UsingLookasideLists : public KernelTest {};

TEST_F(UsingLookasideLists, GivesEntriesThatArePoolOfTheDriver) {
  as_driver([&] {
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 48, kTag, 0);
    void* const entry = ExAllocateFromNPagedLookasideList(&list);
    EXPECT_EQ(system->pool().live_bytes(driver), 48u);
    ExFreeToNPagedLookasideList(&list, entry);
    ExDeleteNPagedLookasideList(&list);
    LOOKASIDE_LIST_EX more;
    EXPECT_EQ(ExInitializeLookasideListEx(&more, nullptr, nullptr, NonPagedPoolNx, 0, 64, kTag, 0),
              STATUS_SUCCESS);
    ExFreeToLookasideListEx(&more, ExAllocateFromLookasideListEx(&more));
    ExDeleteLookasideListEx(&more);
  });
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
}

TEST_F(UsingLookasideLists, IsReportedForAListThatWasDeleted) {
  as_driver([&] {
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 48, kTag, 0);
    ExDeleteNPagedLookasideList(&list);
    EXPECT_EQ(ExAllocateFromNPagedLookasideList(&list), nullptr);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::ObjectNotInitialized));
}

TEST_F(UsingLookasideLists, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] {
    PAGED_LOOKASIDE_LIST list;
    ExInitializePagedLookasideList(&list, nullptr, nullptr, 0, 48, kTag, 0);
    EXPECT_EQ(ExAllocateFromPagedLookasideList(&list), nullptr);
    ExDeletePagedLookasideList(&list);
  });
}

}  // namespace
TEST(AStackTable, KeepsEachStackOnceWhereItIs) {
  StackTable table;
  EXPECT_EQ(table.add(Stack{}), 0u);
  const auto stack_of = [](std::uintptr_t seed) {
    Stack stack;
    for (std::uintptr_t i = 0; i <= seed % Stack::kDepth; ++i)
      stack.frames[stack.count++] = reinterpret_cast<void*>(0x1000 + seed * 16 + i);
    return stack;
  };
  constexpr std::uintptr_t kStacks = 1000;  // more than a chunk, and more than the table begins with
  const Stack* const first = &table.at(table.add(stack_of(0)));
  std::vector<std::uint32_t> numbers;
  for (std::uintptr_t seed = 0; seed < kStacks; ++seed) numbers.push_back(table.add(stack_of(seed)));
  EXPECT_EQ(&table.at(numbers[0]), first);
  for (std::uintptr_t seed = 0; seed < kStacks; ++seed) {
    const Stack wanted = stack_of(seed);
    EXPECT_EQ(table.add(wanted), numbers[seed]);
    const Stack& kept = table.at(numbers[seed]);
    ASSERT_EQ(kept.count, wanted.count);
    EXPECT_TRUE(std::equal(kept.frames, kept.frames + kept.count, wanted.frames));
  }
}

}  // namespace undis::kernel
