// SPDX-License-Identifier: MIT
//
// NDIS 5 packets: pools, allocating, chains of buffers, copying; and what intermediate drivers ask of a
// packet.
//
// Pages   ndis/nf-ndis-ndisallocatepacketpoolex, -ndisfreepacketpool, -ndispacketpoolusage,
// -ndiscopyfrompackettopacketsafe,
//         -ndisunchainbufferatback, -ndisimcopysendperpacketinfo, -ndisimcopysendcompleteperpacketinfo
#include <algorithm>

#include "ddi/ddi_call.h"
#include "ndis/buffer_pool.h"
#include "ndis/items.h"
#include "ndis/packet_pool.h"

using namespace undis;

namespace {

constexpr UINT kMaxReserved = 0xF000;  // the out-of-band block is found by a 16-bit offset

ItemBook& book() {
  return Library::current().items();
}

PacketPool* find_pool(const DdiCall& call, NDIS_HANDLE handle) {
  PacketPool* const pool = pool_of_handle<PacketPool>(handle, Library::current().handles());
  if (pool == nullptr) call.tell_misuse("PoolHandle", handle, HandleKind::PacketPool);
  return pool;
}

void allocate_pool(const DdiCall& call, NDIS_STATUS* status, NDIS_HANDLE* handle, UINT count, UINT overflow,
                   UINT reserved) {
  *handle = nullptr;
  *status = call.returns(NDIS_STATUS_RESOURCES);
  if (count > PacketPool::kMaxDescriptors || reserved > kMaxReserved || call.fails()) return;
  const std::uint32_t limit = count + std::min<std::uint32_t>(overflow, PacketPool::kMaxDescriptors - count);
  const Ref<PacketPool> pool(new PacketPool(&call.driver(), limit, reserved));
  *handle = book().add(Ref<DriverPool>(pool.get()));
  if (*handle != nullptr) *status = call.returns(NDIS_STATUS_SUCCESS);
}

void allocate(const DdiCall& call, NDIS_STATUS* status, NDIS_PACKET** packet, NDIS_HANDLE handle) {
  *packet = nullptr;
  *status = call.returns(NDIS_STATUS_RESOURCES);
  PacketPool* const pool = find_pool(call, handle);
  if (pool == nullptr || call.fails()) return;
  *packet = pool->allocate(pool->owner());
  if (*packet == nullptr) return;
  *status = call.returns(NDIS_STATUS_SUCCESS);
  tell_item(Library::current().observer(), ItemEvent::What::Allocated, ItemKind::Packet, *packet, nullptr,
            &call.driver(), call.name(), {});
}

void free_packet(const DdiCall& call, NDIS_PACKET* packet) {
  if (!check_at_rest(packet, "freed")) return;
  tell_item(Library::current().observer(), ItemEvent::What::Freed, ItemKind::Packet, packet, &call.driver(),
            nullptr, call.name(), {});
  PacketPool::free(packet);
}

void first_buffer(NDIS_PACKET* packet, MDL** first, void** address, UINT* first_length, UINT* total) {
  MDL* const mdl = packet->Private.Head;
  *first = mdl;
  *address = mdl != nullptr ? bytes_of(mdl) : nullptr;
  *first_length = mdl != nullptr ? mdl->ByteCount : 0;
  *total = static_cast<UINT>(chain_length(mdl));
}

void copy_packet(NDIS_PACKET* to, UINT to_offset, UINT bytes, NDIS_PACKET* from, UINT from_offset,
                 UINT* copied) {
  *copied =
      static_cast<UINT>(copy_chain(to->Private.Head, to_offset, from->Private.Head, from_offset, bytes));
}

}  // namespace

// ---- pools ----

// IRQL  <= DISPATCH_LEVEL
VOID NdisAllocatePacketPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                            UINT ProtocolReservedLength) {
  const DdiCall call(Ddi::NdisAllocatePacketPool);
  allocate_pool(call, Status, PoolHandle, NumberOfDescriptors, 0, ProtocolReservedLength);
}

// Page    ndis/nf-ndis-ndisallocatepacketpoolex                      IRQL  <= DISPATCH_LEVEL
VOID NdisAllocatePacketPoolEx(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                              UINT NumberOfOverflowDescriptors, UINT ProtocolReservedLength) {
  const DdiCall call(Ddi::NdisAllocatePacketPoolEx);
  allocate_pool(call, Status, PoolHandle, NumberOfDescriptors, NumberOfOverflowDescriptors,
                ProtocolReservedLength);
}

// Page    ndis/nf-ndis-ndisfreepacketpool                            IRQL  <= DISPATCH_LEVEL
VOID NdisFreePacketPool(NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisFreePacketPool);
  if (PacketPool* const pool = find_pool(call, PoolHandle); pool != nullptr) book().free(*pool);
}

// Page    ndis/nf-ndis-ndispacketpoolusage                           IRQL  <= DISPATCH_LEVEL
UINT NdisPacketPoolUsage(NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisPacketPoolUsage);
  const PacketPool* const pool = find_pool(call, PoolHandle);
  return pool != nullptr ? pool->live() : 0;
}

// IRQL  any
NDIS_HANDLE NdisGetPoolFromPacket(PNDIS_PACKET Packet) {
  const DdiCall call(Ddi::NdisGetPoolFromPacket);
  return check_not_freed(Packet, "asked for its pool") ? reinterpret_cast<NDIS_HANDLE>(Packet->Private.Pool)
                                                       : nullptr;
}

VOID NdisSetPacketPoolProtocolId(NDIS_HANDLE PacketPoolHandle, UINT ProtocolId) {
  const DdiCall call(Ddi::NdisSetPacketPoolProtocolId);
  if (PacketPool* const pool = find_pool(call, PacketPoolHandle); pool != nullptr)
    pool->protocol_id = static_cast<std::uint8_t>(ProtocolId & NDIS_FLAGS_PROTOCOL_ID_MASK);
}

// ---- packets ----

// IRQL  <= DISPATCH_LEVEL
VOID NdisAllocatePacket(PNDIS_STATUS Status, PNDIS_PACKET* Packet, NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisAllocatePacket);
  allocate(call, Status, Packet, PoolHandle);
}

// IRQL  DISPATCH_LEVEL
VOID NdisDprAllocatePacket(PNDIS_STATUS Status, PNDIS_PACKET* Packet, NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisDprAllocatePacket);
  allocate(call, Status, Packet, PoolHandle);
}

// IRQL  DISPATCH_LEVEL
VOID NdisDprAllocatePacketNonInterlocked(PNDIS_STATUS Status, PNDIS_PACKET* Packet, NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisDprAllocatePacketNonInterlocked);
  allocate(call, Status, Packet, PoolHandle);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisFreePacket(PNDIS_PACKET Packet) {
  const DdiCall call(Ddi::NdisFreePacket);
  free_packet(call, Packet);
}

// IRQL  DISPATCH_LEVEL
VOID NdisDprFreePacket(PNDIS_PACKET Packet) {
  const DdiCall call(Ddi::NdisDprFreePacket);
  free_packet(call, Packet);
}

// IRQL  DISPATCH_LEVEL
VOID NdisDprFreePacketNonInterlocked(PNDIS_PACKET Packet) {
  const DdiCall call(Ddi::NdisDprFreePacketNonInterlocked);
  free_packet(call, Packet);
}

// IRQL  any
VOID NdisReinitializePacket(PNDIS_PACKET Packet) {
  const DdiCall call(Ddi::NdisReinitializePacket);
  if (!check_not_freed(Packet, "reinitialized")) return;
  Packet->Private.Head = nullptr;
  Packet->Private.ValidCounts = FALSE;
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisQueryPacket(PNDIS_PACKET Packet, PUINT PhysicalBufferCount, PUINT BufferCount,
                     PNDIS_BUFFER* FirstBuffer, PUINT TotalPacketLength) {
  const DdiCall call(Ddi::NdisQueryPacket);
  if (!check_not_freed(Packet, "queried")) return;
  count_packet(Packet);
  if (PhysicalBufferCount != nullptr) *PhysicalBufferCount = Packet->Private.PhysicalCount;
  if (BufferCount != nullptr) *BufferCount = Packet->Private.Count;
  if (FirstBuffer != nullptr) *FirstBuffer = Packet->Private.Head;
  if (TotalPacketLength != nullptr) *TotalPacketLength = Packet->Private.TotalLength;
}

VOID NdisQueryPacketLength(PNDIS_PACKET Packet, PUINT TotalPacketLength) {
  const DdiCall call(Ddi::NdisQueryPacketLength);
  if (check_not_freed(Packet, "queried")) *TotalPacketLength = packet_length(Packet);
}

// ---- chains ----

// IRQL  any
VOID NdisChainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NdisChainBufferAtFront);
  if (!check_not_freed(Packet, "given a buffer")) return;
  NDIS_PACKET_PRIVATE& p = Packet->Private;
  MDL* last = Buffer;
  while (last->Next != nullptr) last = last->Next;
  if (p.Head == nullptr) p.Tail = last;
  last->Next = p.Head;
  p.Head = Buffer;
  p.ValidCounts = FALSE;
}

// IRQL  any
VOID NdisChainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NdisChainBufferAtBack);
  if (!check_not_freed(Packet, "given a buffer")) return;
  NDIS_PACKET_PRIVATE& p = Packet->Private;
  (p.Head != nullptr ? p.Tail->Next : p.Head) = Buffer;
  while (Buffer->Next != nullptr) Buffer = Buffer->Next;
  p.Tail = Buffer;
  p.ValidCounts = FALSE;
}

// IRQL  any
VOID NdisUnchainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer) {
  const DdiCall call(Ddi::NdisUnchainBufferAtFront);
  *Buffer = nullptr;
  if (!check_not_freed(Packet, "relieved of a buffer") || Packet->Private.Head == nullptr) return;
  *Buffer = Packet->Private.Head;
  Packet->Private.Head = (*Buffer)->Next;
  (*Buffer)->Next = nullptr;
  Packet->Private.ValidCounts = FALSE;
}

// Page    ndis/nf-ndis-ndisunchainbufferatback                       IRQL  any
VOID NdisUnchainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer) {
  const DdiCall call(Ddi::NdisUnchainBufferAtBack);
  *Buffer = nullptr;
  if (!check_not_freed(Packet, "relieved of a buffer") || Packet->Private.Head == nullptr) return;
  NDIS_PACKET_PRIVATE& p = Packet->Private;
  MDL* before = nullptr;
  MDL* last = p.Head;
  for (; last->Next != nullptr; last = last->Next) before = last;
  *Buffer = last;
  (before != nullptr ? before->Next : p.Head) = nullptr;
  p.Tail = before;
  p.ValidCounts = FALSE;
}

// IRQL  any
VOID NdisGetFirstBufferFromPacket(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                  PUINT FirstBufferLength, PUINT TotalBufferLength) {
  const DdiCall call(Ddi::NdisGetFirstBufferFromPacket);
  first_buffer(Packet, FirstBuffer, FirstBufferVA, FirstBufferLength, TotalBufferLength);
}

// IRQL  <= DISPATCH_LEVEL. It may fail: then the address is NULL.
VOID NdisGetFirstBufferFromPacketSafe(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                      PUINT FirstBufferLength, PUINT TotalBufferLength, MM_PAGE_PRIORITY) {
  const DdiCall call(Ddi::NdisGetFirstBufferFromPacketSafe);
  first_buffer(Packet, FirstBuffer, FirstBufferVA, FirstBufferLength, TotalBufferLength);
  if (call.fails()) *FirstBufferVA = nullptr;
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisCopyFromPacketToPacket(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy,
                                PNDIS_PACKET Source, UINT SourceOffset, PUINT BytesCopied) {
  const DdiCall call(Ddi::NdisCopyFromPacketToPacket);
  copy_packet(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset, BytesCopied);
}

// Page    ndis/nf-ndis-ndiscopyfrompackettopacketsafe                IRQL  <= DISPATCH_LEVEL
VOID NdisCopyFromPacketToPacketSafe(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy,
                                    PNDIS_PACKET Source, UINT SourceOffset, PUINT BytesCopied,
                                    MM_PAGE_PRIORITY) {
  const DdiCall call(Ddi::NdisCopyFromPacketToPacketSafe);
  *BytesCopied = 0;
  if (!call.fails())
    copy_packet(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset, BytesCopied);
}

// ---- intermediate drivers ----

// Page    ndis/nf-ndis-ndisimcopysendperpacketinfo                   IRQL  any
// Beyond  The scatter-gather list and the original packet are of one adapter's leg and stay behind.
VOID NdisIMCopySendPerPacketInfo(PNDIS_PACKET DstPacket, PNDIS_PACKET SrcPacket) {
  const DdiCall call(Ddi::NdisIMCopySendPerPacketInfo);
  for (const NDIS_PER_PACKET_INFO id : {TcpIpChecksumPacketInfo, IpSecPacketInfo, TcpLargeSendPacketInfo,
                                        ClassificationHandlePacketInfo, Ieee8021QInfo, PacketCancelId})
    NDIS_PER_PACKET_INFO_FROM_PACKET(DstPacket, id) = NDIS_PER_PACKET_INFO_FROM_PACKET(SrcPacket, id);
}

// Page    ndis/nf-ndis-ndisimcopysendcompleteperpacketinfo           IRQL  any
// Beyond  What a miniport answers in: the size of a large send that was done.
VOID NdisIMCopySendCompletePerPacketInfo(PNDIS_PACKET DstPacket, PNDIS_PACKET SrcPacket) {
  const DdiCall call(Ddi::NdisIMCopySendCompletePerPacketInfo);
  NDIS_PER_PACKET_INFO_FROM_PACKET(DstPacket, TcpLargeSendPacketInfo) =
      NDIS_PER_PACKET_INFO_FROM_PACKET(SrcPacket, TcpLargeSendPacketInfo);
}

// IRQL  <= DISPATCH_LEVEL
// Beyond  A packet has as many locations as an item has legs of its way; the location is the one that passing
// it on would use.
PNDIS_PACKET_STACK NdisIMGetCurrentPacketStack(PNDIS_PACKET Packet, BOOLEAN* StacksRemaining) {
  const DdiCall call(Ddi::NdisIMGetCurrentPacketStack);
  *StacksRemaining = FALSE;
  if (find_item(ItemKind::Packet, Packet) != ItemFound::Live) {
    check_at_rest(Packet, "asked for its packet stack");
    return nullptr;
  }
  const PacketItem& item = *item_of(Packet);
  for (std::size_t i = 0; i < kMaxHops; ++i) {
    if (item.hops[i].kind != Hop::Kind::None) continue;
    *StacksRemaining = TRUE;
    return &item.stacks[i];
  }
  return nullptr;
}
