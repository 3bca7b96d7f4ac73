// SPDX-License-Identifier: MIT
//
// Pools and what comes out of them: lists, buffers, packets; their data and context space; misuse; low
// memory; what is left behind.
//
// Pages   nblapi/index, ndis/nf-ndis-ndisallocatepacketpoolex
#include <cstring>
#include <numeric>

#include "kernel/sanitizer.h"
#include "ndis/buffer_pool.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr ULONG kTag = 0x64636261;  // 'abcd'

/// One driver that does nothing but allocate.
class Items : public Traffic {
 protected:
  Items() {
    driver = &system->add_driver("probe", {}, false);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  }
  void again(const char* schedule) {
    restart(schedule);
    driver = &system->add_driver("probe", {}, false);
  }
  void as_driver(const std::function<void()>& body) { as(*driver, body); }
  /// Runs `body` in a DriverEntry whose first fallible call fails.
  void with_first_call_failing(const std::function<void()>& body) {
    again("0.f1");
    static const std::function<void()>* code;
    code = &body;
    library->load(
        *driver, +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS {
          (*code)();
          return STATUS_UNSUCCESSFUL;
        });
  }
  void sweep() { sweep_items(*driver, LeftBehind::When::Unload); }

  static NDIS_HANDLE list_pool(bool with_buffer, USHORT context = 0, ULONG data = 0) {
    NET_BUFFER_LIST_POOL_PARAMETERS p{};
    p.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    p.fAllocateNetBuffer = with_buffer ? TRUE : FALSE;
    p.ProtocolId = 2;
    p.ContextSize = context;
    p.DataSize = data;
    p.PoolTag = kTag;
    return NdisAllocateNetBufferListPool(nullptr, &p);
  }
  static NDIS_HANDLE buffer_pool(ULONG data = 0) {
    NET_BUFFER_POOL_PARAMETERS p{};
    p.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
    p.PoolTag = kTag;
    p.DataSize = data;
    return NdisAllocateNetBufferPool(nullptr, &p);
  }
  static MDL* mdl_for(void* data, std::size_t length) {
    MDL* const mdl = IoAllocateMdl(data, static_cast<ULONG>(length), FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(mdl);
    return mdl;
  }
  /// A chain of MDLs over `bytes`, of these lengths.
  MDL* chain(std::initializer_list<std::size_t> lengths) {
    MDL* first = nullptr;
    MDL** end = &first;
    std::size_t at = 0;
    for (const std::size_t length : lengths) {
      *end = mdl_for(bytes.data() + at, length);
      end = &(*end)->Next;
      at += length;
    }
    return first;
  }
  static void free_chain(MDL* mdl) {
    while (mdl != nullptr) {
      MDL* const next = mdl->Next;
      NdisFreeMdl(mdl);
      mdl = next;
    }
  }
  Bytes part(std::size_t from, std::size_t length) const {
    return Bytes(bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(from + length));
  }

  kernel::Driver* driver = nullptr;
  Bytes bytes = Bytes(200);
};

// ---- lists and buffers ----

TEST_F(Items, AListOfAPoolIsClearAndKnowsItsPool) {
  as_driver([] {
    const NDIS_HANDLE pool = list_pool(true, 64);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 32, 16);
    ASSERT_NE(list, nullptr);
    EXPECT_EQ(list->Next, nullptr);
    EXPECT_EQ(list->ParentNetBufferList, nullptr);
    EXPECT_EQ(list->ChildRefCount, 0);
    ASSERT_NE(list->FirstNetBuffer, nullptr);
    EXPECT_EQ(NdisGetPoolFromNetBufferList(list), pool);
    EXPECT_EQ(NdisGetNetBufferListProtocolId(list), 2);
    EXPECT_EQ(list->Context->Size - list->Context->Offset, 32);
    std::memset(NET_BUFFER_LIST_CONTEXT_DATA_START(list), 0xAA, 32);
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_F(Items, APoolWithDataGivesABufferWithItsMdl) {
  as_driver([] {
    const NDIS_HANDLE lists = list_pool(true, 0, 1514);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(lists, 0, 0);
    MDL* const mdl = list->FirstNetBuffer->MdlChain;
    ASSERT_NE(mdl, nullptr);
    EXPECT_EQ(MmGetMdlByteCount(mdl), 1514U);
    std::memset(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), 1, 1514);
    EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(lists, 0, 0, nullptr, 0, 0),
              nullptr);  // DataSize has to be zero for that
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(lists);
    const NDIS_HANDLE buffers = buffer_pool(2000);
    NET_BUFFER* const buffer = NdisAllocateNetBufferMdlAndData(buffers);
    EXPECT_EQ(MmGetMdlByteCount(buffer->MdlChain), 2000U);
    EXPECT_EQ(NdisGetPoolFromNetBuffer(buffer), buffers);
    NdisFreeNetBuffer(buffer);
    NdisFreeNetBufferPool(buffers);
  });
}

TEST_F(Items, ParametersThatThePageForbidGiveNoPoolAndNoList) {
  as_driver([] {
    NET_BUFFER_LIST_POOL_PARAMETERS p{};
    EXPECT_EQ(NdisAllocateNetBufferListPool(nullptr, &p), nullptr);
    EXPECT_EQ(list_pool(false, 0, 100), nullptr);  // data without a buffer
    EXPECT_EQ(list_pool(false, 8), nullptr);       // no multiple of MEMORY_ALLOCATION_ALIGNMENT
    const NDIS_HANDLE pool = list_pool(false);
    EXPECT_EQ(NdisAllocateNetBufferList(pool, 8, 0), nullptr);
    EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0), nullptr);
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_F(Items, ContextSpaceGrowsAndShrinks) {
  as_driver([] {
    const NDIS_HANDLE pool = list_pool(false);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 16, 16);
    NET_BUFFER_LIST_CONTEXT* const first = list->Context;
    EXPECT_EQ(NdisAllocateNetBufferListContext(list, 16, 0, kTag), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(list->Context, first);  // out of what was left
    EXPECT_EQ(NdisAllocateNetBufferListContext(list, 128, 32, kTag), NDIS_STATUS_SUCCESS);
    EXPECT_NE(list->Context, first);
    EXPECT_EQ(NdisAllocateNetBufferListContext(list, 5, 0, kTag), NDIS_STATUS_FAILURE);
    NdisFreeNetBufferListContext(list, 128);
    EXPECT_EQ(list->Context, first);
    NdisFreeNetBufferListContext(list, 16);
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
  });
}

TEST_F(Items, FreeingTwiceIsToldAndHarmless) {
  as_driver([] {
    const NDIS_HANDLE lists = list_pool(true);
    const NDIS_HANDLE buffers = buffer_pool();
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(lists, 0, 0);
    NET_BUFFER* const own = list->FirstNetBuffer;
    NdisFreeNetBuffer(own);  // came with its list
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferList(list);
    NET_BUFFER* const buffer = NdisAllocateNetBuffer(buffers, nullptr, 0, 0);
    NdisFreeNetBuffer(buffer);
    NdisFreeNetBuffer(buffer);
    NdisFreeNetBufferPool(buffers);
    NdisFreeNetBufferListPool(lists);
    NdisFreeNetBufferListPool(lists);
  });
  expect({"NdisFreeNetBuffer: NblMisuse", "NdisFreeNetBufferList: NblMisuse", "NdisFreeNetBuffer: NblMisuse",
          "NdisFreeNetBufferListPool: handle"});
}

#if !UNDIS_ADDRESS_SANITIZER  // which stops the test where the freed list is read
TEST_F(Items, AFreedListIsPoison) {
  as_driver([] {
    const NDIS_HANDLE pool = list_pool(false);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 0, 0);
    NdisFreeNetBufferList(list);
    std::uintptr_t word = 0;
    std::memset(&word, kPoison, sizeof(word));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(list->FirstNetBuffer), word);
    NdisFreeNetBufferListPool(pool);
  });
}
#endif

TEST_F(Items, APoolThatIsFreedBeforeItsListsIsToldAndTheListsStayUntilTheyAreFreed) {
  as_driver([] {
    const NDIS_HANDLE pool = list_pool(true);
    NET_BUFFER_LIST* const one = NdisAllocateNetBufferList(pool, 0, 0);
    NET_BUFFER_LIST* const two = NdisAllocateNetBufferList(pool, 0, 0);
    NdisFreeNetBufferListPool(pool);
    EXPECT_NE(one->FirstNetBuffer, nullptr);
    NdisFreeNetBufferList(one);
    NdisFreeNetBufferList(two);
  });
  ASSERT_EQ(seen.misuses.size(), 1U);
  EXPECT_NE(seen.misuses[0].why.find("'abcd' is freed while 2 net buffer lists"), std::string::npos)
      << seen.misuses[0].why;
  EXPECT_NE(seen.misuses[0].origin.count, 0U);
  EXPECT_TRUE(library->items().pools_of(*driver).empty());
  expect({"NdisFreeNetBufferListPool: NblMisuse"});
}

TEST_F(Items, WhatIsLeftAtUnloadIsToldAndTakenAway) {
  as_driver([] {
    const NDIS_HANDLE lists = list_pool(true);
    NdisAllocateNetBufferList(lists, 0, 0);
    buffer_pool();
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE packets = nullptr;
    NdisAllocatePacketPool(&status, &packets, 4, 32);
    NDIS_PACKET* packet = nullptr;
    NdisAllocatePacket(&status, &packet, packets);
    NdisAllocateBufferPool(&status, &packets, 4);
  });
  sweep();
  EXPECT_EQ(seen.out.size(), 2U);
  EXPECT_EQ(seen.left.size(), 4U);
  EXPECT_TRUE(library->items().pools_of(*driver).empty());
  EXPECT_EQ(library->handles().open_count(), 0U);
  sweep();
  EXPECT_EQ(seen.left.size(), 4U);
  expect(seen.told);
}

TEST_F(Items, LowMemoryIsDocumentedFailure) {
  with_first_call_failing([] { EXPECT_EQ(list_pool(true), nullptr); });
  with_first_call_failing([] { EXPECT_EQ(buffer_pool(), nullptr); });
  with_first_call_failing([] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE pool = nullptr;
    NdisAllocatePacketPool(&status, &pool, 4, 32);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES));
  });
  for (const char* schedule : {"0.f2", "0.f3", "0.f4"}) {
    again(schedule);
    static bool failed;
    failed = false;
    library->load(
        *driver, +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS {
          const NDIS_HANDLE pool = list_pool(true);
          NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0);
          if (list == nullptr) {
            failed = true;
          } else {
            NET_BUFFER_LIST* const copy = NdisAllocateCloneNetBufferList(list, nullptr, nullptr, 0);
            if (copy == nullptr)
              failed = true;
            else {
              if (NdisRetreatNetBufferListDataStart(copy, 8, 0, nullptr, nullptr) != NDIS_STATUS_SUCCESS)
                failed = true;
              else
                NdisAdvanceNetBufferListDataStart(copy, 8, TRUE, nullptr);
              NdisFreeCloneNetBufferList(copy, 0);
            }
            NdisFreeNetBufferList(list);
          }
          NdisFreeNetBufferListPool(pool);
          return STATUS_UNSUCCESSFUL;
        });
    EXPECT_TRUE(failed) << schedule;
  }
}

TEST_F(Items, ManyListsAllDiffer) {
  as_driver([] {
    const NDIS_HANDLE pool = list_pool(true);
    NET_BUFFER_LIST* first = nullptr;
    for (int i = 0; i < 1000; ++i) {
      NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(pool, 0, 0);
      ASSERT_NE(list, nullptr);
      list->Next = first;
      first = list;
    }
    while (first != nullptr) {
      NET_BUFFER_LIST* const next = first->Next;
      NdisFreeNetBufferList(first);
      first = next;
    }
    NdisFreeNetBufferListPool(pool);
  });
}

// ---- data ----

TEST_F(Items, DataStartMovesOverMdlsAndIntoNewOnes) {
  as_driver([this] {
    const NDIS_HANDLE pool = buffer_pool();
    MDL* const mdls = chain({10, 20, 30});
    NET_BUFFER* const buffer = NdisAllocateNetBuffer(pool, mdls, 5, 50);
    NdisAdvanceNetBufferDataStart(buffer, 10, FALSE, nullptr);
    EXPECT_EQ(buffer->CurrentMdl, mdls->Next);
    EXPECT_EQ(buffer->CurrentMdlOffset, 5U);
    EXPECT_EQ(bytes_of_buffer(buffer), part(15, 40));
    EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, 12, 0, nullptr), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(buffer->MdlChain, mdls);
    EXPECT_EQ(bytes_of_buffer(buffer), part(3, 52));
    // More than there is: a new MDL in front, the unused bytes of the first one are used up.
    EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, 14, 8, nullptr), NDIS_STATUS_SUCCESS);
    EXPECT_NE(buffer->MdlChain, mdls);
    EXPECT_EQ(buffer->DataOffset, 8U);
    EXPECT_EQ(buffer->DataLength, 66U);
    const Bytes all = bytes_of_buffer(buffer);
    EXPECT_EQ(Bytes(all.begin() + 11, all.end()), part(0, 55));
    NdisAdvanceNetBufferDataStart(buffer, 14, TRUE, nullptr);
    EXPECT_EQ(buffer->MdlChain, mdls);
    EXPECT_EQ(bytes_of_buffer(buffer), part(3, 52));
    NdisAdvanceNetBufferDataStart(buffer, 53, FALSE, nullptr);
    NdisFreeNetBuffer(buffer);
    free_chain(mdls);
    NdisFreeNetBufferPool(pool);
  });
  EXPECT_EQ(library->items().own_live(), 0U);
  expect({"NdisAdvanceNetBufferDataStart: NblMisuse"});
}

TEST_F(Items, TheDriversOwnMdlFunctionsAreUsed) {
  static std::uint8_t room[64];
  static int freed;
  freed = 0;
  as_driver([this] {
    const NDIS_HANDLE pool = buffer_pool();
    MDL* const mdls = chain({10});
    NET_BUFFER* const buffer = NdisAllocateNetBuffer(pool, mdls, 0, 10);
    const auto allocate = +[](PULONG size) -> PMDL {
      EXPECT_EQ(*size, 20U);
      *size = 64;
      return mdl_for(room, 64);
    };
    EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, 16, 4, allocate), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(buffer->DataOffset, 48U);
    NdisAdvanceNetBufferDataStart(
        buffer, 16, TRUE, +[](PMDL mdl) {
          ++freed;
          NdisFreeMdl(mdl);
        });
    EXPECT_EQ(buffer->MdlChain, mdls);
    NdisFreeNetBuffer(buffer);
    free_chain(mdls);
    NdisFreeNetBufferPool(pool);
  });
  EXPECT_EQ(freed, 1);
}

TEST_F(Items, GetDataBufferGivesContiguousBytesOrACopy) {
  as_driver([this] {
    const NDIS_HANDLE pool = buffer_pool();
    MDL* const mdls = chain({10, 20});
    NET_BUFFER* const buffer = NdisAllocateNetBuffer(pool, mdls, 2, 28);
    Bytes storage(28);
    EXPECT_EQ(NdisGetDataBuffer(buffer, 8, nullptr, 1, 0), bytes.data() + 2);
    EXPECT_EQ(NdisGetDataBuffer(buffer, 9, nullptr, 1, 0), nullptr);
    EXPECT_EQ(NdisGetDataBuffer(buffer, 20, storage.data(), 1, 0), storage.data());
    EXPECT_EQ(Bytes(storage.begin(), storage.begin() + 20), part(2, 20));
    EXPECT_EQ(NdisGetDataBuffer(buffer, 29, storage.data(), 1, 0), nullptr);
    const auto odd = static_cast<UINT>((reinterpret_cast<std::uintptr_t>(bytes.data() + 2) + 1) % 4);
    EXPECT_EQ(NdisGetDataBuffer(buffer, 4, storage.data(), 4, odd), storage.data());  // not aligned so
    EXPECT_GE(NdisQueryNetBufferPhysicalCount(buffer), 2U);
    NdisFreeNetBuffer(buffer);
    free_chain(mdls);
    NdisFreeNetBufferPool(pool);
  });
}

TEST_F(Items, CopyStopsWhereSourceOrDestinationEnds) {
  as_driver([this] {
    const NDIS_HANDLE pool = buffer_pool();
    MDL* const from_mdls = chain({7, 13});
    Bytes target(12, 0);
    MDL* const to_mdl = mdl_for(target.data(), 12);
    NET_BUFFER* const from = NdisAllocateNetBuffer(pool, from_mdls, 1, 19);
    NET_BUFFER* const to = NdisAllocateNetBuffer(pool, to_mdl, 0, 12);
    ULONG copied = 0;
    EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(to, 2, 100, from, 3, &copied), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(copied, 10U);
    EXPECT_EQ(Bytes(target.begin() + 2, target.end()), part(4, 10));
    NdisFreeNetBuffer(from);
    NdisFreeNetBuffer(to);
    free_chain(from_mdls);
    free_chain(to_mdl);
    NdisFreeNetBufferPool(pool);
  });
}

TEST_F(Items, ClonesFragmentsAndReassembledListsDescribeTheSameBytes) {
  as_driver([this] {
    const NDIS_HANDLE lists = list_pool(true);
    const NDIS_HANDLE buffers = buffer_pool();
    MDL* const mdls = chain({10, 20, 70});
    NET_BUFFER_LIST* const original = NdisAllocateNetBufferAndNetBufferList(lists, 0, 0, mdls, 5, 90);
    for (const ULONG flags : {0U, static_cast<ULONG>(NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS)}) {
      NET_BUFFER_LIST* const copy =
          NdisAllocateCloneNetBufferList(original, flags != 0 ? lists : nullptr, nullptr, flags);
      ASSERT_NE(copy, nullptr);
      EXPECT_EQ(bytes_of_list(copy), part(5, 90));
      EXPECT_EQ(copy->FirstNetBuffer->MdlChain == mdls, flags != 0);
      EXPECT_EQ(copy->Context, nullptr);
      NdisFreeCloneNetBufferList(copy, flags);
    }
    NET_BUFFER_LIST* const pieces =
        NdisAllocateFragmentNetBufferList(original, lists, buffers, 10, 30, 4, 0, 0);
    ASSERT_NE(pieces, nullptr);
    std::vector<Bytes> found;
    for (NET_BUFFER* buffer = pieces->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
      const Bytes whole = bytes_of_buffer(buffer);
      found.emplace_back(whole.begin() + 4, whole.end());  // four bytes of room before each
    }
    EXPECT_EQ(found, (std::vector<Bytes>{part(15, 30), part(45, 30), part(75, 20)}));
    NET_BUFFER_LIST* const whole = NdisAllocateReassembledNetBufferList(pieces, lists, 4, 2, 0, 0);
    ASSERT_NE(whole, nullptr);
    const Bytes again = bytes_of_list(whole);
    EXPECT_EQ(Bytes(again.begin() + 2, again.end()), part(15, 80));
    NdisFreeReassembledNetBufferList(whole, 2, 0);
    NdisFreeFragmentNetBufferList(pieces, 4, 0);
    NdisFreeNetBufferList(original);
    free_chain(mdls);
    NdisFreeNetBufferPool(buffers);
    NdisFreeNetBufferListPool(lists);
  });
  EXPECT_EQ(library->items().own_live(), 0U);
}

TEST_F(Items, AListFreedByTheFunctionForAnotherKindIsTold) {
  as_driver([] {
    const NDIS_HANDLE lists = list_pool(true);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(lists, 0, 0);
    NdisFreeCloneNetBufferList(list, 0);
    NdisFreeNetBufferListPool(lists);
  });
  expect({"NdisFreeCloneNetBufferList: NblMisuse"});
}

TEST_F(Items, TheInformationThatThePagesListIsCopied) {
  as_driver([] {
    const NDIS_HANDLE lists = list_pool(true);
    NET_BUFFER_LIST* const from = NdisAllocateNetBufferList(lists, 0, 0);
    NET_BUFFER_LIST* const to = NdisAllocateNetBufferList(lists, 0, 0);
    for (auto& slot : from->NetBufferListInfo) slot = from;
    NdisCopySendNetBufferListInfo(to, from);
    EXPECT_EQ(NET_BUFFER_LIST_INFO(to, NetBufferListCancelId), from);
    EXPECT_EQ(NET_BUFFER_LIST_INFO(to, NetBufferListHashValue), nullptr);
    std::memset(to->NetBufferListInfo, 0, sizeof(to->NetBufferListInfo));
    NdisCopyReceiveNetBufferListInfo(to, from);
    EXPECT_EQ(NET_BUFFER_LIST_INFO(to, NetBufferListHashValue), from);
    EXPECT_EQ(NET_BUFFER_LIST_INFO(to, NetBufferListCancelId), nullptr);
    NdisFreeNetBufferList(from);
    NdisFreeNetBufferList(to);
    NdisFreeNetBufferListPool(lists);
  });
}

// ---- packets and buffers ----

TEST_F(Items, APacketPoolHasItsLimit) {
  as_driver([] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE pool = nullptr;
    NdisAllocatePacketPoolEx(&status, &pool, 0x10000, 0, 32);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES));
    NdisAllocatePacketPoolEx(&status, &pool, 1, 1, 32);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS));
    NDIS_PACKET* packets[3] = {};
    for (NDIS_PACKET*& packet : packets) NdisAllocatePacket(&status, &packet, pool);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES));
    EXPECT_EQ(packets[2], nullptr);
    EXPECT_EQ(NdisPacketPoolUsage(pool), 2U);
    EXPECT_EQ(NdisGetPoolFromPacket(packets[0]), pool);
    NDIS_SET_PACKET_CANCEL_ID(packets[0], packets);
    EXPECT_EQ(NDIS_GET_PACKET_CANCEL_ID(packets[0]), packets);
    NDIS_SET_PACKET_STATUS(packets[0], NDIS_STATUS_RESOURCES);
    EXPECT_EQ(NDIS_GET_PACKET_STATUS(packets[0]), static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES));
    NdisFreePacket(packets[0]);
    NdisFreePacket(packets[1]);
    NdisFreePacketPool(pool);
  });
}

TEST_F(Items, BuffersAreChainedAtBothEndsAndCounted) {
  as_driver([this] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE packets = nullptr;
    NDIS_HANDLE buffers = nullptr;
    NdisAllocatePacketPool(&status, &packets, 4, 32);
    NdisAllocateBufferPool(&status, &buffers, 4);
    NDIS_PACKET* packet = nullptr;
    NdisAllocatePacket(&status, &packet, packets);
    NDIS_BUFFER* b[3] = {};
    for (std::size_t i = 0; i < 3; ++i)
      NdisAllocateBuffer(&status, &b[i], buffers, bytes.data() + i * 10, 10);
    NdisChainBufferAtBack(packet, b[1]);
    NdisChainBufferAtFront(packet, b[0]);
    NdisChainBufferAtBack(packet, b[2]);
    UINT count = 0;
    UINT total = 0;
    NDIS_BUFFER* first = nullptr;
    NdisQueryPacket(packet, nullptr, &count, &first, &total);
    EXPECT_EQ(count, 3U);
    EXPECT_EQ(total, 30U);
    EXPECT_EQ(first, b[0]);
    EXPECT_EQ(bytes_of_packet(packet), part(0, 30));
    NDIS_BUFFER* out = nullptr;
    NdisUnchainBufferAtBack(packet, &out);
    EXPECT_EQ(out, b[2]);
    NdisUnchainBufferAtFront(packet, &out);
    EXPECT_EQ(out, b[0]);
    NdisUnchainBufferAtBack(packet, &out);
    EXPECT_EQ(out, b[1]);
    NdisUnchainBufferAtBack(packet, &out);
    EXPECT_EQ(out, nullptr);
    NDIS_BUFFER* copy = nullptr;
    NdisCopyBuffer(&status, &copy, buffers, b[1], 3, 4);
    PVOID address = nullptr;
    UINT length = 0;
    NdisQueryBuffer(copy, &address, &length);
    EXPECT_EQ(address, bytes.data() + 13);
    EXPECT_EQ(length, 4U);
    NdisCopyBuffer(&status, &out, buffers, b[1], 8, 4);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE));
    NdisFreeBuffer(copy);
    for (NDIS_BUFFER* buffer : b) NdisFreeBuffer(buffer);
    NdisFreePacket(packet);
    NdisFreeBufferPool(buffers);
    NdisFreePacketPool(packets);
  });
}

TEST_F(Items, UsingAFreedPacketOrBufferIsTold) {
  as_driver([this] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE packets = nullptr;
    NDIS_HANDLE buffers = nullptr;
    NdisAllocatePacketPool(&status, &packets, 4, 32);
    NdisAllocateBufferPool(&status, &buffers, 4);
    NDIS_PACKET* packet = nullptr;
    NDIS_BUFFER* buffer = nullptr;
    NdisAllocatePacket(&status, &packet, packets);
    NdisAllocateBuffer(&status, &buffer, buffers, bytes.data(), 10);
    NdisFreePacket(packet);
    NdisFreePacket(packet);
    NdisFreeBuffer(buffer);
    NdisFreeBuffer(buffer);
    NdisFreeBufferPool(buffers);
    NdisFreePacketPool(packets);
  });
  expect({"NdisFreePacket: PacketMisuse", "NdisFreeBuffer: PacketMisuse"});
}

// ---- whose instance (LIFE-077) ----

TEST_F(Items, AHaltThatFreesAPoolOfAnotherInstanceIsTold) {
  Card& one = start(card(true));
  Card& two = card(true);
  // A second instance of the same driver.
  AdapterConfig config;
  config.name = "second";
  config.device_name = u"\\Device\\second";
  const NDIS_HANDLE first_handle = one.handle;
  const NDIS_HANDLE first_pool = one.list_pool;
  const Ref<Adapter> second = library->add_adapter(*library->miniport_drivers_of(one.driver).front(), config);
  ASSERT_EQ(start_stack(*second), NDIS_STATUS_SUCCESS);
  const NDIS_HANDLE second_pool = one.list_pool;
  one.list_pool = first_pool;  // the halt of the second frees the pool of the first
  remove_device(*second);
  one.list_pool = second_pool;
  one.handle = first_handle;
  ASSERT_EQ(seen.places.size(), 1U);
  EXPECT_EQ(seen.places[0].kind, WrongPlace::Kind::OtherInstance);
  EXPECT_NE(seen.places[0].why.find("card0"), std::string::npos) << seen.places[0].why;
  static_cast<void>(two);
  remove_device(*one.adapter);  // and the other way round
  one.adapter = nullptr;
  expect({"NdisFreeNetBufferListPool: wrong place", "NdisFreeNetBufferListPool: wrong place"});
}

}  // namespace
}  // namespace undis::test
