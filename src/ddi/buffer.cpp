// SPDX-License-Identifier: MIT
//
// NDIS 5 buffers: an NDIS_BUFFER is an MDL.
//
// Pages   ndis/nf-ndis-ndisallocatebuffer, ndis/nf-ndis-ndisallocatebufferpool
// Beyond  A pool has no upper limit, as on Windows NT: NumberOfDescriptors is a hint. A NULL pool handle is
// allowed.
#include "ddi/ddi_call.h"
#include "ndis/buffer_pool.h"
#include "ndis/items.h"

using namespace undis;

namespace {

ItemBook& book() {
  return Library::current().items();
}

BufferPool* find_pool(const DdiCall& call, NDIS_HANDLE handle) {
  if (handle == nullptr) return &book().mdls();
  BufferPool* const pool = pool_of_handle<BufferPool>(handle, Library::current().handles());
  if (pool == nullptr) call.tell_misuse("PoolHandle", handle, HandleKind::BufferPool);
  return pool;
}

void allocate(const DdiCall& call, NDIS_STATUS* status, MDL** buffer, NDIS_HANDLE handle, void* address,
              std::size_t length) {
  *buffer = nullptr;
  *status = call.returns(NDIS_STATUS_FAILURE);
  BufferPool* const pool = find_pool(call, handle);
  if (pool == nullptr || call.fails()) return;
  *buffer = pool->describe(handle != nullptr ? pool->owner() : &call.driver(), address, length);
  if (*buffer == nullptr) return;
  *status = call.returns(NDIS_STATUS_SUCCESS);
  tell_item(Library::current().observer(), ItemEvent::What::Allocated, ItemKind::Buffer, *buffer, nullptr,
            &call.driver(), call.name(), {});
}

/// False, and told, if the buffer was freed. Other MDLs are let pass: a highest-level protocol may use those
/// of the system.
bool usable(MDL* buffer) {
  if (find_item(ItemKind::Buffer, buffer) != ItemFound::Freed) return true;
  tell_item_misuse(ItemKind::Buffer, buffer, false, "the buffer was freed before", item_of(buffer)->origin);
  return false;
}

}  // namespace

// Page    ndis/nf-ndis-ndisallocatebufferpool                        IRQL  <= DISPATCH_LEVEL
VOID NdisAllocateBufferPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT) {
  const DdiCall call(Ddi::NdisAllocateBufferPool);
  *PoolHandle = nullptr;
  *Status = call.returns(NDIS_STATUS_RESOURCES);
  if (call.fails()) return;
  const Ref<BufferPool> pool(new BufferPool(&call.driver()));
  *PoolHandle = book().add(Ref<DriverPool>(pool.get()));
  if (*PoolHandle != nullptr) *Status = call.returns(NDIS_STATUS_SUCCESS);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisFreeBufferPool(NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisFreeBufferPool);
  BufferPool* const pool = pool_of_handle<BufferPool>(PoolHandle, Library::current().handles());
  if (pool == nullptr) {
    call.tell_misuse("PoolHandle", PoolHandle, HandleKind::BufferPool);
    return;
  }
  book().free(*pool);
}

// Page    ndis/nf-ndis-ndisallocatebuffer                            IRQL  <= DISPATCH_LEVEL
VOID NdisAllocateBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle,
                        PVOID VirtualAddress, UINT Length) {
  const DdiCall call(Ddi::NdisAllocateBuffer);
  allocate(call, Status, Buffer, PoolHandle, VirtualAddress, Length);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisFreeBuffer(PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NdisFreeBuffer);
  if (!usable(Buffer)) return;
  if (find_item(ItemKind::Buffer, Buffer) == ItemFound::NotOurs) {
    IoFreeMdl(Buffer);  // an MDL of the system: its own allocator knows it, or tells that it does not
    return;
  }
  if (!acts_for(&call.driver(), item_of(Buffer)->owner) || item_of(Buffer)->owner == nullptr) {
    tell_item_misuse(ItemKind::Buffer, Buffer, false, "the buffer that is freed belongs to another",
                     item_of(Buffer)->origin);
    return;
  }
  tell_item(Library::current().observer(), ItemEvent::What::Freed, ItemKind::Buffer, Buffer, &call.driver(),
            nullptr, call.name(), {});
  BufferPool::free(Buffer);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisCopyBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle, PVOID MemoryDescriptor,
                    UINT Offset, UINT Length) {
  const DdiCall call(Ddi::NdisCopyBuffer);
  auto* const from = static_cast<MDL*>(MemoryDescriptor);
  if (Offset > from->ByteCount || Length > from->ByteCount - Offset) {
    *Buffer = nullptr;
    *Status = call.returns(NDIS_STATUS_FAILURE);
    return;
  }
  allocate(call, Status, Buffer, PoolHandle, bytes_of(from) + Offset, Length);
}

// IRQL  any
VOID NdisAdjustBufferLength(PNDIS_BUFFER Buffer, UINT Length) {
  const DdiCall call(Ddi::NdisAdjustBufferLength);
  if (usable(Buffer)) Buffer->ByteCount = Length;
}

// IRQL  any
VOID NdisGetNextBuffer(PNDIS_BUFFER CurrentBuffer, PNDIS_BUFFER* NextBuffer) {
  const DdiCall call(Ddi::NdisGetNextBuffer);
  *NextBuffer = usable(CurrentBuffer) ? CurrentBuffer->Next : nullptr;
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisQueryBuffer(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length) {
  const DdiCall call(Ddi::NdisQueryBuffer);
  const bool good = usable(Buffer);
  if (VirtualAddress != nullptr) *VirtualAddress = good ? bytes_of(Buffer) : nullptr;
  *Length = good ? Buffer->ByteCount : 0;
}

// IRQL  <= DISPATCH_LEVEL. It may fail: then the address is NULL and the length 0.
VOID NdisQueryBufferSafe(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length, MM_PAGE_PRIORITY) {
  const DdiCall call(Ddi::NdisQueryBufferSafe);
  const bool good = usable(Buffer) && !(VirtualAddress != nullptr && call.fails());
  if (VirtualAddress != nullptr) *VirtualAddress = good ? bytes_of(Buffer) : nullptr;
  *Length = good ? Buffer->ByteCount : 0;
}

// IRQL  any
VOID NdisQueryBufferOffset(PNDIS_BUFFER Buffer, PUINT Offset, PUINT Length) {
  const DdiCall call(Ddi::NdisQueryBufferOffset);
  *Offset = Buffer->ByteOffset;
  *Length = Buffer->ByteCount;
}

// IRQL  <= DISPATCH_LEVEL
PVOID NdisBufferVirtualAddress(PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NdisBufferVirtualAddress);
  return usable(Buffer) ? bytes_of(Buffer) : nullptr;
}

// IRQL  <= DISPATCH_LEVEL
PVOID NdisBufferVirtualAddressSafe(PNDIS_BUFFER Buffer, MM_PAGE_PRIORITY) {
  const DdiCall call(Ddi::NdisBufferVirtualAddressSafe);
  return usable(Buffer) && !call.fails() ? bytes_of(Buffer) : nullptr;
}

// IRQL  <= DISPATCH_LEVEL
ULONG NdisBufferLength(PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NdisBufferLength);
  return usable(Buffer) ? Buffer->ByteCount : 0;
}

// IRQL  any
VOID NdisGetBufferPhysicalArraySize(PNDIS_BUFFER Buffer, PUINT ArraySize) {
  const DdiCall call(Ddi::NdisGetBufferPhysicalArraySize);
  *ArraySize = ADDRESS_AND_SIZE_TO_SPAN_PAGES(bytes_of(Buffer), Buffer->ByteCount);
}

// IRQL  any
ULONG NDIS_BUFFER_TO_SPAN_PAGES(PNDIS_BUFFER Buffer) {
  const DdiCall call(Ddi::NDIS_BUFFER_TO_SPAN_PAGES);
  return Buffer->ByteCount == 0 ? 1 : ADDRESS_AND_SIZE_TO_SPAN_PAGES(bytes_of(Buffer), Buffer->ByteCount);
}

// There is one cache, and no device that does not see it.
VOID NdisFlushBuffer(PNDIS_BUFFER, BOOLEAN) {
  const DdiCall call(Ddi::NdisFlushBuffer);
}
