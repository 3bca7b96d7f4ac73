// SPDX-License-Identifier: MIT
//
// Services that only NDIS 5 has: block pools, media that are not carried, counts of what is pended.
#include <cstring>

#include "ddi/testing.h"

namespace undis {
namespace {

using kernel::Misuse;

class BlockPools : public ServiceTest {
 protected:
  static constexpr USHORT kSize = 48;
  static VOID NTAPI fill(PUCHAR block, SIZE_T size) {
    std::memset(block, 0x5A, size);
    initialized += size;
  }
  static inline SIZE_T initialized = 0;
};

TEST_F(BlockPools, GiveInitializedBlocksAndTakeThemBack) {
  initialized = 0;
  as_driver([&] {
    const NDIS_HANDLE pool = NdisCreateBlockPool(kSize, 8, &fill);
    ASSERT_NE(pool, nullptr);
    PUCHAR blocks[3];
    for (PUCHAR& block : blocks) {
      block = NdisAllocateFromBlockPool(pool);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(block[0], 0x5A);
      EXPECT_EQ(block[kSize - 1], 0x5A);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 8, 0U);
    }
    EXPECT_EQ(initialized, 3U * kSize);
    for (const PUCHAR block : blocks) NdisFreeToBlockPool(block);
    NdisDestroyBlockPool(pool);
  });
}

TEST_F(BlockPools, FailWhenThereIsNoMemory) {
  with_first_call_failing([&] { EXPECT_EQ(NdisCreateBlockPool(kSize, 0, nullptr), nullptr); });
  with_first_call_failing([&] { EXPECT_EQ(NdisAllocateFromBlockPool(nullptr), nullptr); });
  EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
}

TEST_F(BlockPools, TellOfBlocksThatAreOutOfWrongPointersAndOfASecondFree) {
  as_driver([&] {
    const NDIS_HANDLE pool = NdisCreateBlockPool(kSize, 0, nullptr);
    const PUCHAR block = NdisAllocateFromBlockPool(pool);
    NdisDestroyBlockPool(pool);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisFreeToBlockPool(block);
    NdisFreeToBlockPool(block);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisFreeToBlockPool(nullptr);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisDestroyBlockPool(pool);
    NdisDestroyBlockPool(pool);
    EXPECT_EQ(NdisAllocateFromBlockPool(pool), nullptr);
    EXPECT_EQ(misuses(), (Kinds{Misuse::BadParameter, Misuse::BadParameter}));
  });
}

TEST_F(BlockPools, MayBeUsedAtDispatchLevelButNotAbove) {
  as_driver_at(DISPATCH_LEVEL, [&] {
    const NDIS_HANDLE pool = NdisCreateBlockPool(kSize, 0, nullptr);
    NdisFreeToBlockPool(NdisAllocateFromBlockPool(pool));
    NdisDestroyBlockPool(pool);
  });
  EXPECT_EQ(misuses(), Kinds{});
  as_driver_at(DISPATCH_LEVEL + 1, [&] { EXPECT_EQ(NdisCreateBlockPool(0, 0, nullptr), nullptr); });
  EXPECT_EQ(misuses(), (Kinds{Misuse::WrongIrql, Misuse::BadParameter}));
}

TEST_F(BlockPools, ACacheLineHolds64Bytes) {
  as_driver([&] { EXPECT_EQ(NdisGetCacheFillSize(), 64U); });
}

class MediaNotCarried : public ServiceTest {};

TEST_F(MediaNotCarried, AreToldAndTheirIndicationsGoNowhere) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  const NDIS_HANDLE handle = adapter->handle();
  UCHAR bytes[32] = {};
  as_driver_at(DISPATCH_LEVEL, [&] {
    NdisMArcIndicateReceive(handle, bytes, bytes, sizeof(bytes));
    NdisMArcIndicateReceiveComplete(handle);
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisMWanIndicateReceive(&status, handle, nullptr, bytes, sizeof(bytes));
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_UNSUPPORTED_MEDIA));
    NdisMWanIndicateReceiveComplete(handle, nullptr);
    NdisMTrIndicateReceive(handle, nullptr, bytes, 14, bytes + 14, 18, 18);  // the adapter is an Ethernet one
    NdisMFddiIndicateReceive(handle, nullptr, bytes, 14, bytes + 14, 18, 18);
  });
  EXPECT_EQ(seen.breaches, (std::vector<std::string>{"NdisMArcIndicateReceive: MediumNotCarried",
                                                     "NdisMWanIndicateReceive: MediumNotCarried",
                                                     "NdisMTrIndicateReceive: MediumNotCarried",
                                                     "NdisMFddiIndicateReceive: MediumNotCarried"}));
  EXPECT_EQ(seen.completions, 0U);
  as_driver_at(DISPATCH_LEVEL, [&] { NdisMWanSendComplete(handle, nullptr, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(seen.completions, 1U);
}

}  // namespace
}  // namespace undis
