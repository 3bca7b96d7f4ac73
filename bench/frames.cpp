// SPDX-License-Identifier: MIT
//
// Making and freeing what travels.
#include "frames.h"

#include "lab/net_buffers.h"

namespace undis::bench {
namespace {

constexpr ULONG kTag = lab::pool_tag("Bnch");
/// Room in each list for what intermediate drivers note in it.
constexpr USHORT kContext = 2 * MEMORY_ALLOCATION_ALIGNMENT;
constexpr std::size_t kPlainPacket = 512;

void describe(MDL& mdl, void* data, std::size_t size) noexcept {
  MmInitializeMdl(&mdl, data, size);
  mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
  mdl.MappedSystemVa = data;
}

NDIS_HANDLE make_list_pool(NDIS_HANDLE owner) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  parameters.ContextSize = kContext;
  parameters.PoolTag = kTag;
  return NdisAllocateNetBufferListPool(owner, &parameters);
}

NET_BUFFER_LIST* make_list(NDIS_HANDLE pool, std::size_t bytes) {
  void* const data = ExAllocatePoolWithTag(NonPagedPoolNx, bytes, kTag);
  if (data == nullptr) return nullptr;
  std::memset(data, 0, bytes);
  MDL* const mdl = IoAllocateMdl(data, static_cast<ULONG>(bytes), FALSE, FALSE, nullptr);
  MmBuildMdlForNonPagedPool(mdl);
  return NdisAllocateNetBufferAndNetBufferList(pool, 0, kContext, mdl, 0, bytes);
}

}  // namespace

thread_local std::uint64_t sum_of_read = 0;

// ---- lists ----

/// A list, its buffer, its room for notes and what describes its bytes, side by side as in a pool.
struct Lists::Plain {
  NET_BUFFER_LIST list{};
  NET_BUFFER buffer{};
  MDL mdl{};
  alignas(MEMORY_ALLOCATION_ALIGNMENT) std::uint8_t context[sizeof(NET_BUFFER_LIST_CONTEXT) + kContext]{};
  std::unique_ptr<std::uint8_t[]> data;
};

Lists::Lists(NDIS_HANDLE owner, std::size_t count, std::size_t bytes) : pool_(make_list_pool(owner)) {
  for (std::size_t i = 0; i < count; ++i) {
    NET_BUFFER_LIST* const list = make_list(pool_, bytes);
    if (list == nullptr) return;
    list->SourceHandle = owner;
    own(list);
  }
}

Lists::Lists(std::size_t count, std::size_t bytes) : plain_(count) {
  for (Plain& plain : plain_) {
    plain.data = std::make_unique<std::uint8_t[]>(bytes);
    describe(plain.mdl, plain.data.get(), bytes);
    plain.list.FirstNetBuffer = &plain.buffer;
    plain.list.Context = reinterpret_cast<NET_BUFFER_LIST_CONTEXT*>(plain.context);
    plain.list.Context->Size = kContext;
    plain.list.Context->Offset = kContext;
    plain.buffer.MdlChain = plain.buffer.CurrentMdl = &plain.mdl;
    plain.buffer.DataLength = static_cast<ULONG>(bytes);
    own(&plain.list);
  }
}

Lists::~Lists() {
  if (pool_ == nullptr) return;
  lab::for_each_taken(free_, [](NET_BUFFER_LIST* list) { lab::free_list(list, kTag); });
  NdisFreeNetBufferListPool(pool_);
}

void Lists::own(NET_BUFFER_LIST* list) noexcept {
  list->ProtocolReserved[0] = list->MiniportReserved[0] = this;
  list->Next = free_;
  free_ = list;
  ++free_count_;
}

// ---- packets ----

Packets::Packets(std::size_t count, std::size_t bytes, bool from_pool)
    : data_(count * bytes), plain_buffers_(from_pool ? 0 : count), taken_(count) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (from_pool) {
    NdisAllocatePacketPoolEx(&status, &packets_, static_cast<UINT>(count), 0,
                             PROTOCOL_RESERVED_SIZE_IN_PACKET);
    NdisAllocateBufferPool(&status, &buffers_, static_cast<UINT>(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* const data = data_.data() + i * bytes;
    NDIS_PACKET* packet = nullptr;
    if (from_pool) {
      NDIS_BUFFER* buffer = nullptr;
      NdisAllocatePacket(&status, &packet, packets_);
      NdisAllocateBuffer(&status, &buffer, buffers_, data, static_cast<UINT>(bytes));
      if (packet == nullptr || buffer == nullptr) return;
      NdisChainBufferAtBack(packet, buffer);
      NDIS_SET_PACKET_STATUS(packet, NDIS_STATUS_SUCCESS);
      constexpr UINT kHeader = 14;
      NDIS_SET_PACKET_HEADER_SIZE(packet, kHeader);
    } else {
      plain_.push_back(std::make_unique<std::uint8_t[]>(kPlainPacket));
      packet = reinterpret_cast<NDIS_PACKET*>(plain_.back().get());
      describe(plain_buffers_[i], data, bytes);
      packet->Private.Head = packet->Private.Tail = &plain_buffers_[i];
    }
    void* const row = this;
    std::memcpy(packet->ProtocolReserved, &row, sizeof(row));
    std::memcpy(packet->MiniportReserved, &row, sizeof(row));
    free_.push_back(packet);
  }
  free_count_ = count;
}

Packets::~Packets() {
  if (packets_ == nullptr) return;
  for (std::size_t i = 0; i < free_count_; ++i) {
    NDIS_BUFFER* buffer = nullptr;
    NdisUnchainBufferAtFront(free_[i], &buffer);
    NdisFreeBuffer(buffer);
    NdisFreePacket(free_[i]);
  }
  NdisFreeBufferPool(buffers_);
  NdisFreePacketPool(packets_);
}

}  // namespace undis::bench
