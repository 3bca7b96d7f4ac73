// SPDX-License-Identifier: MIT
//
// Block pools of NDIS 5: blocks of one size, each initialised by a function of the driver.
//
// Page    none is left (NDIS 5). docs/decisions.md#block-pools
// Beyond  A block comes from the pool of the kernel each time and goes back to it, so that its use after it
// was freed is
//         seen: the link that the driver leaves room for at FreeBlockLinkOffset is not needed.
#include <atomic>
#include <cstddef>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"

using namespace undis;

namespace {

constexpr ULONG kPoolTag = 0x6C42644E;   // 'NdBl'
constexpr ULONG kBlockTag = 0x6B42644E;  // 'NdBk'

constexpr kernel::CallbackInfo kInitializer{"BlockInitializer", DISPATCH_LEVEL, true};

struct BlockPool {
  std::size_t block_size;
  kernel::callback<VOID(PUCHAR, SIZE_T)> initialize;
  std::atomic<std::uint32_t> live;
  kernel::Driver* owner;
};

/// Stands before each block.
struct alignas(16) BlockHead {
  BlockPool* pool;
};

kernel::Pool& memory() {
  return kernel::System::current().pool();
}

void* allocate(std::size_t size, ULONG tag, kernel::Driver& owner) {
  kernel::Pool::Request request;
  request.size = size;
  request.tag = tag;
  request.owner = &owner;
  return memory().allocate(request);
}

bool is_live(const void* address, ULONG tag) {
  kernel::PoolBlock block;
  return address != nullptr && memory().find(address, block) && block.live && block.address == address &&
         block.tag == tag;
}

void tell(const DdiCall& call, const void* object, std::string why) {
  kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), object, std::move(why));
}

/// nullptr, and told: no block pool.
BlockPool* find_pool(const DdiCall& call, NDIS_HANDLE handle) {
  if (is_live(handle, kPoolTag)) return static_cast<BlockPool*>(handle);
  tell(call, handle, fmt::format("{} is no block pool, or is one that was destroyed", fmt::ptr(handle)));
  return nullptr;
}

}  // namespace

// IRQL  <= DISPATCH_LEVEL. NULL: no memory
NDIS_HANDLE NdisCreateBlockPool(USHORT BlockSize, USHORT FreeBlockLinkOffset,
                                NDIS_BLOCK_INITIALIZER InitFunction) {
  const DdiCall call(Ddi::NdisCreateBlockPool);
  if (BlockSize == 0 || FreeBlockLinkOffset + sizeof(void*) > BlockSize)
    tell(call, nullptr,
         fmt::format("blocks of {} bytes have no room for a link at offset {}", BlockSize,
                     FreeBlockLinkOffset));
  if (BlockSize == 0 || call.fails()) return nullptr;
  void* const place = allocate(sizeof(BlockPool), kPoolTag, call.driver());
  if (place == nullptr) return nullptr;
  return new (place)
      BlockPool{BlockSize, kernel::callback<VOID(PUCHAR, SIZE_T)>(InitFunction), 0, &call.driver()};
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisDestroyBlockPool(NDIS_HANDLE BlockPoolHandle) {
  const DdiCall call(Ddi::NdisDestroyBlockPool);
  BlockPool* const pool = find_pool(call, BlockPoolHandle);
  if (pool == nullptr) return;
  if (const std::uint32_t out = pool->live.load(); out != 0) {
    tell(call, pool,
         fmt::format("the block pool is destroyed while {} of its blocks {} not freed", out,
                     out == 1 ? "is" : "are"));
    return;  // it stays for the blocks that come back, and is told of as a leak if none does
  }
  memory().free(pool, kPoolTag, call.name(), &call.driver());
}

// IRQL  <= DISPATCH_LEVEL. NULL: no memory
PUCHAR NdisAllocateFromBlockPool(NDIS_HANDLE BlockPoolHandle) {
  const DdiCall call(Ddi::NdisAllocateFromBlockPool);
  BlockPool* const pool = find_pool(call, BlockPoolHandle);
  if (pool == nullptr || call.fails()) return nullptr;
  auto* const head =
      static_cast<BlockHead*>(allocate(sizeof(BlockHead) + pool->block_size, kBlockTag, *pool->owner));
  if (head == nullptr) return nullptr;
  head->pool = pool;
  ++pool->live;
  auto* const block = reinterpret_cast<PUCHAR>(head + 1);
  if (pool->initialize)
    kernel::call_driver(pool->owner, kInitializer, pool, nullptr, pool->initialize, block,
                        SIZE_T{pool->block_size});
  return block;
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisFreeToBlockPool(PUCHAR Block) {
  const DdiCall call(Ddi::NdisFreeToBlockPool);
  BlockHead* const head = Block != nullptr ? reinterpret_cast<BlockHead*>(Block) - 1 : nullptr;
  if (head == nullptr || !is_live(head, kBlockTag)) {
    tell(call, Block, fmt::format("{} is no block of a block pool, or one that was freed", fmt::ptr(Block)));
    return;
  }
  --head->pool->live;
  memory().free(head, kBlockTag, call.name(), &call.driver());
}

// IRQL  any. What a cache line of this machine holds; drivers align shared memory to it.
ULONG NdisGetCacheFillSize(VOID) {
  const DdiCall call(Ddi::NdisGetCacheFillSize);
  constexpr ULONG kLine = 64;
  return kLine;
}
