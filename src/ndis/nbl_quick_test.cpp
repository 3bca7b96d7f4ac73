// SPDX-License-Identifier: MIT
//
// Lists and buffers of drivers that are not watched, on the threaded machine, where allocating and freeing
// take a way of their own (item.h, nbl_pool.h): what a driver gets is the same as on the long way.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ndis/buffer_pool.h"
#include "ndis/least_stack_testing.h"
#include "ndis/nbl_pool.h"

namespace undis::test {
namespace {

class QuickLists : public ::testing::TestWithParam<kernel::Watch> {
 protected:
  static lab::WorldOptions options() {
    lab::WorldOptions options;
    options.engine = lab::Engine::Threaded;
    options.processors = 1;
    options.watch = GetParam();
    return options;
  }
  /// Runs `body` on a kernel thread; what was told of it.
  std::vector<std::string> told_of(const std::function<void()>& body) {
    EXPECT_TRUE(stack_.is_up());
    EXPECT_EQ(stack_.run(body), kernel::Outcome::Idle);
    return stack_.world().verifier().violation_lines();
  }
  void expect_silent(const std::function<void()>& body) {
    EXPECT_EQ(told_of(body), std::vector<std::string>{});
  }

  NDIS_HANDLE list_pool(USHORT context = 0, ULONG data = 0) {
    NET_BUFFER_LIST_POOL_PARAMETERS p{};
    p.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    p.fAllocateNetBuffer = TRUE;
    p.ProtocolId = 7;
    p.ContextSize = context;
    p.DataSize = data;
    return NdisAllocateNetBufferListPool(stack_.binding(), &p);
  }
  NDIS_HANDLE buffer_pool(ULONG data) {
    NET_BUFFER_POOL_PARAMETERS p{};
    p.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
    p.DataSize = data;
    return NdisAllocateNetBufferPool(stack_.binding(), &p);
  }

 private:
  LeastStack stack_{options()};
};
INSTANTIATE_TEST_SUITE_P(Watched, QuickLists,
                         ::testing::Values(kernel::Watch::Nothing, kernel::Watch::Holder),
                         [](const auto& watched) {
                           return watched.param == kernel::Watch::Nothing ? "Nothing" : "Holder";
                         });

/// MDLs of `bytes`, each of that length.
MDL* chain_of(std::vector<std::uint8_t>& bytes, std::size_t each) {
  MDL* first = nullptr;
  MDL** end = &first;
  for (std::size_t at = 0; at < bytes.size(); at += each) {
    *end = IoAllocateMdl(&bytes[at], static_cast<ULONG>(each), FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(*end);
    end = &(*end)->Next;
  }
  return first;
}
void free_chain(MDL* mdl) {
  while (mdl != nullptr) IoFreeMdl(std::exchange(mdl, mdl->Next));
}
std::vector<std::uint8_t> bytes_in(NET_BUFFER* buffer) {
  std::vector<std::uint8_t> bytes(buffer->DataLength);
  EXPECT_EQ(copy_out(bytes.data(), buffer->CurrentMdl, buffer->CurrentMdlOffset, bytes.size()), bytes.size());
  return bytes;
}

TEST_P(QuickLists, OneThatIsUsedAgainIsClear) {
  expect_silent([this] {
    const NDIS_HANDLE pool = list_pool(32);
    std::vector<NET_BUFFER_LIST*> before;
    for (int round = 0; round < 2; ++round) {
      std::vector<NET_BUFFER_LIST*> lists;
      for (int i = 0; i < 200; ++i) {  // more than the processor has at hand
        NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 16, 16);
        ASSERT_NE(list, nullptr);
        NET_BUFFER_LIST expected{};
        expected.NdisPoolHandle = pool;
        expected.FirstNetBuffer = list->FirstNetBuffer;
        expected.Context = list->Context;
        NdisSetNetBufferListProtocolId(&expected, 7);
        EXPECT_EQ(std::memcmp(list, &expected, sizeof(expected)), 0);
        NET_BUFFER buffer{};
        buffer.NdisPoolHandle = pool;
        ASSERT_NE(list->FirstNetBuffer, nullptr);
        EXPECT_EQ(std::memcmp(list->FirstNetBuffer, &buffer, sizeof(buffer)), 0);
        ASSERT_NE(list->Context, nullptr);
        EXPECT_EQ(list->Context->Size - list->Context->Offset, 16);
        EXPECT_GE(list->Context->Offset, 16);
        std::memset(NET_BUFFER_LIST_CONTEXT_DATA_START(list), 0xA1, 16);
        std::memset(list->ProtocolReserved, 0xA2, sizeof(list->ProtocolReserved));
        std::memset(list->NetBufferListInfo, 0xA3, sizeof(list->NetBufferListInfo));
        std::memset(list->FirstNetBuffer->ProtocolReserved, 0xA4,
                    sizeof(list->FirstNetBuffer->ProtocolReserved));
        list->SourceHandle = list;
        list->FirstNetBuffer->Next = list->FirstNetBuffer;
        lists.push_back(list);
      }
      std::ranges::sort(lists);
      EXPECT_EQ(std::ranges::adjacent_find(lists), lists.end());
      std::vector<NET_BUFFER_LIST*> again;
      std::ranges::set_intersection(lists, before, std::back_inserter(again));
      EXPECT_EQ(again.size() > lists.size() / 2, round == 1);
      before = lists;
      for (NET_BUFFER_LIST* const list : lists) NdisFreeNetBufferList(list);
    }
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_P(QuickLists, APoolsDataIsThereAgainWhateverItsMdlSaid) {
  expect_silent([this] {
    const NDIS_HANDLE pool = list_pool(0, 100);
    for (int round = 0; round < 2; ++round) {
      NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 0, 0);
      NET_BUFFER* const buffer = list->FirstNetBuffer;
      ASSERT_NE(buffer->MdlChain, nullptr);
      EXPECT_EQ(buffer->MdlChain->ByteCount, 100U);
      EXPECT_EQ(buffer->DataLength, 0U);
      EXPECT_EQ(buffer->CurrentMdl, buffer->MdlChain);
      std::memset(MmGetSystemAddressForMdlSafe(buffer->MdlChain, NormalPagePriority), 0xEE, 100);
      NdisAdjustMdlLength(buffer->MdlChain, 10);
      NdisFreeNetBufferList(list);
    }
    NdisFreeNetBufferListPool(pool);
    const NDIS_HANDLE buffers = buffer_pool(60);
    NET_BUFFER* const with = NdisAllocateNetBufferMdlAndData(buffers);
    NET_BUFFER* const without = NdisAllocateNetBuffer(buffers, nullptr, 0, 0);
    EXPECT_EQ(with->MdlChain->ByteCount, 60U);
    EXPECT_EQ(without->MdlChain, nullptr);
    NdisFreeNetBuffer(with);
    NdisFreeNetBuffer(without);
    NdisFreeNetBufferPool(buffers);
  });
}

TEST_P(QuickLists, ContextSpaceIsAStackOfSeveralDrivers) {
  expect_silent([this] {
    const NDIS_HANDLE pool = list_pool();
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0);
    EXPECT_EQ(list->Context, nullptr);
    constexpr USHORT kSizes[] = {16, 32, 16, 128, 16};  // the fourth does not fit the list's own block
    for (int round = 0; round < 2; ++round) {
      std::vector<UCHAR*> places;
      for (const USHORT size : kSizes) {
        ASSERT_EQ(NdisAllocateNetBufferListContext(list, size, 0, 0), NDIS_STATUS_SUCCESS);
        places.push_back(NET_BUFFER_LIST_CONTEXT_DATA_START(list));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(places.back()) % 16, 0U);
        std::memset(places.back(), static_cast<int>(places.size()), size);
      }
      for (std::size_t i = std::size(kSizes); i-- > 0;) {
        EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list), places[i]);
        EXPECT_TRUE(std::all_of(places[i], places[i] + kSizes[i], [i](UCHAR byte) { return byte == i + 1; }));
        NdisFreeNetBufferListContext(list, kSizes[i]);
      }
    }
    EXPECT_EQ(NdisAllocateNetBufferListContext(list, 12, 0, 0), NDIS_STATUS_FAILURE);
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_P(QuickLists, AListsOwnContextIsNotGivenBackBeforeTheList) {
  expect_silent([this] {
    const NDIS_HANDLE pool = list_pool(16);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 16, 0);
    UCHAR* const own = NET_BUFFER_LIST_CONTEXT_DATA_START(list);
    ASSERT_EQ(NdisAllocateNetBufferListContext(list, 48, 0, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list), own - 48);
    NdisFreeNetBufferListContext(list, 48);
    EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list), own);
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_P(QuickLists, AClonesDataIsTheOriginals) {
  expect_silent([this] {
    std::vector<std::uint8_t> bytes(96);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    const NDIS_HANDLE pool = list_pool();
    for (const std::size_t each : {96U, 32U}) {  // in one MDL, in three
      MDL* const mdls = chain_of(bytes, each);
      NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdls, 20, 60);
      list->FirstNetBuffer->ChecksumBias = 5;
      for (const ULONG flags : {ULONG{0}, ULONG{NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS}}) {
        for (int round = 0; round < 2; ++round) {
          NET_BUFFER_LIST* const clone = NdisAllocateCloneNetBufferList(list, pool, nullptr, flags);
          ASSERT_NE(clone, nullptr);
          EXPECT_EQ(bytes_in(clone->FirstNetBuffer), std::vector(bytes.begin() + 20, bytes.begin() + 80));
          EXPECT_EQ(clone->FirstNetBuffer->CurrentMdl == mdls, flags != 0);
          EXPECT_EQ(clone->FirstNetBuffer->ChecksumBias, 5);
          EXPECT_EQ(NdisRetreatNetBufferDataStart(clone->FirstNetBuffer, 4, 0, nullptr), NDIS_STATUS_SUCCESS);
          NdisAdvanceNetBufferDataStart(clone->FirstNetBuffer, 4, TRUE, nullptr);
          NET_BUFFER_LIST* const second = NdisAllocateCloneNetBufferList(clone, pool, nullptr, flags);
          EXPECT_EQ(bytes_in(second->FirstNetBuffer), bytes_in(list->FirstNetBuffer));
          NdisFreeCloneNetBufferList(second, flags);
          NdisFreeCloneNetBufferList(clone, flags);
        }
      }
      NdisFreeNetBufferList(list);
      free_chain(mdls);
    }
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_P(QuickLists, WhatAnotherPoolNotedInAListIsNotThereInMemoryThatIsUsedAgain) {
  expect_silent([this] {
    constexpr int kPools = 200;  // memory of a pool that is gone is used again after that of many others
    std::vector<NET_BUFFER_LIST*> seen;
    bool again = false;
    for (int i = 0; i < kPools; ++i) {
      const NDIS_HANDLE pool = list_pool();
      NET_BUFFER_LIST* lists[2] = {};
      for (NET_BUFFER_LIST*& list : lists) {
        list = NdisAllocateNetBufferList(pool, 0, 0);
        NblItem& item = *item_of(list);
        again |= std::ranges::find(seen, list) != seen.end();
        EXPECT_EQ(item.packet, nullptr);
        EXPECT_EQ(item.depth, 0);
        seen.push_back(list);
        item.packet = reinterpret_cast<NDIS_PACKET*>(list);
        item.used = true;
      }
      for (NET_BUFFER_LIST* const list : lists) NdisFreeNetBufferList(list);
      NdisFreeNetBufferListPool(pool);
    }
    EXPECT_TRUE(again);
  });
}

TEST_P(QuickLists, FreeingTwiceIsTold) {
  EXPECT_EQ(told_of([this] {
              const NDIS_HANDLE pool = list_pool();
              NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 0, 0);
              NdisFreeNetBufferList(list);
              NdisFreeNetBufferList(list);
              NdisFreeNetBufferListPool(pool);
            }),
            (std::vector<std::string>{"host: NblMisuse"}));
}

TEST_P(QuickLists, ACloneThatIsFreedAsAnotherKindIsTold) {
  EXPECT_EQ(told_of([this] {
              std::vector<std::uint8_t> bytes(64);
              const NDIS_HANDLE pool = list_pool();
              MDL* const mdls = chain_of(bytes, 64);
              NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdls, 0, 64);
              NdisFreeNetBufferList(NdisAllocateCloneNetBufferList(list, pool, nullptr, 0));
              NdisFreeNetBufferList(list);
              free_chain(mdls);
              NdisFreeNetBufferListPool(pool);
            }),
            (std::vector<std::string>{"host: NblMisuse"}));
}

TEST_P(QuickLists, APoolThatIsFreedBeforeItsListsIsTold) {
  EXPECT_EQ(told_of([this] {
              const NDIS_HANDLE pool = list_pool();
              NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 0, 0);
              NdisFreeNetBufferListPool(pool);
              NdisFreeNetBufferList(list);
            }),
            (std::vector<std::string>{"host: NblMisuse"}));
}

}  // namespace
}  // namespace undis::test
