// SPDX-License-Identifier: MIT
//
// Pools of net buffer lists and net buffers, and allocating from them.
//
// Page    nblapi/index
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/items.h"
#include "ndis/nbl_data.h"
#include "ndis/nbl_pool.h"
#include "ndis/nbl_quick.h"

using namespace undis;

namespace {

ItemBook& book() {
  return Library::current().items();
}
HandleTable& handles() {
  return Library::current().handles();
}

/// Whose the pool is: the caller's, or, if the host itself calls, the driver's whose handle is passed.
kernel::Driver* owner_of(const DdiCall& call, NDIS_HANDLE handle) {
  kernel::Driver* const driver = &call.driver();
  if (!driver->harness() || handle == nullptr) return driver;
  if (const Ref<Adapter> adapter = handles().find<Adapter>(handle); adapter)
    return &adapter->driver().driver();
  if (const Ref<ProtocolDriver> protocol = handles().find<ProtocolDriver>(handle); protocol)
    return &protocol->driver();
  if (const Ref<MiniportDriver> miniport = handles().find<MiniportDriver>(handle); miniport)
    return &miniport->driver();
  return driver;
}

template <class T>
T* find_pool(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  T* const pool = pool_of_handle<T>(handle, handles());
  if (pool == nullptr) call.tell_misuse(argument, handle, T::kHandleKinds[0]);
  return pool;
}

/// An optional pool: nullptr for NULL; `wrong` is set if it is a handle of something else.
template <class T>
T* find_optional_pool(const DdiCall& call, const char* argument, NDIS_HANDLE handle, bool& wrong) {
  if (handle == nullptr) return nullptr;
  T* const pool = find_pool<T>(call, argument, handle);
  if (pool == nullptr) wrong = true;
  return pool;
}

/// The open pool of a handle, for who goes the long way if there is none.
template <class T>
T* quick_pool(NDIS_HANDLE handle) noexcept {
  const HandleTable::Slot* const slot = HandleTable::slot_now(handle);
  if (slot == nullptr || slot->kind != T::kHandleKinds[0]) return nullptr;
  return static_cast<T*>(static_cast<DriverPool*>(slot->object.load(std::memory_order_acquire)));
}

bool are_whole(USHORT context_size, USHORT context_backfill) noexcept {
  return (context_size | context_backfill) % MEMORY_ALLOCATION_ALIGNMENT == 0;
}

void tell_allocated(const DdiCall& call, ItemKind kind, const void* item) {
  tell_item(Library::current().observer(), ItemEvent::What::Allocated, kind, item, nullptr, &call.driver(),
            call.name(), {});
}

void tell_freed(const DdiCall& call, ItemKind kind, const void* item) {
  tell_item(Library::current().observer(), ItemEvent::What::Freed, kind, item, &call.driver(), nullptr,
            call.name(), {});
}

NET_BUFFER_LIST* allocated(const DdiCall& call, NET_BUFFER_LIST* list) {
  if (list != nullptr) tell_allocated(call, ItemKind::NetBufferList, list);
  return list;
}

bool has_header(const NDIS_OBJECT_HEADER& header, UCHAR revision, std::size_t size) {
  return header.Type == NDIS_OBJECT_TYPE_DEFAULT && header.Revision >= revision && header.Size >= size;
}

}  // namespace

// ---- pools ----

// Page    nblapi/nf-nblapi-ndisallocatenetbufferlistpool             IRQL  <= DISPATCH_LEVEL
NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle,
                                          PNET_BUFFER_LIST_POOL_PARAMETERS Parameters) {
  const DdiCall call(Ddi::NdisAllocateNetBufferListPool);
  if (Parameters == nullptr || !has_header(Parameters->Header, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                                           NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1))
    return nullptr;
  // Data comes with buffers only, and context space in whole units.
  if ((Parameters->DataSize != 0 && Parameters->fAllocateNetBuffer == FALSE) ||
      Parameters->ContextSize % MEMORY_ALLOCATION_ALIGNMENT != 0)
    return nullptr;
  if (call.fails()) return nullptr;
  const Ref<NblPool> pool(
      new NblPool(owner_of(call, NdisHandle), {.tag = Parameters->PoolTag,
                                               .protocol_id = Parameters->ProtocolId,
                                               .with_buffer = Parameters->fAllocateNetBuffer != FALSE,
                                               .context_size = Parameters->ContextSize,
                                               .data_size = Parameters->DataSize}));
  return book().add(Ref<DriverPool>(pool.get()));
}

// Page    nblapi/nf-nblapi-ndisfreenetbufferlistpool                 IRQL  <= DISPATCH_LEVEL
VOID NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisFreeNetBufferListPool);
  if (NblPool* const pool = find_pool<NblPool>(call, "PoolHandle", PoolHandle); pool != nullptr)
    book().free(*pool);
}

// Page    nblapi/nf-nblapi-ndisallocatenetbufferpool                 IRQL  <= DISPATCH_LEVEL
NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle, PNET_BUFFER_POOL_PARAMETERS Parameters) {
  const DdiCall call(Ddi::NdisAllocateNetBufferPool);
  if (Parameters == nullptr || !has_header(Parameters->Header, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                                           NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1))
    return nullptr;
  if (call.fails()) return nullptr;
  const Ref<NbPool> pool(new NbPool(owner_of(call, NdisHandle), Parameters->PoolTag, Parameters->DataSize));
  return book().add(Ref<DriverPool>(pool.get()));
}

// Page    nblapi/nf-nblapi-ndisfreenetbufferpool                     IRQL  <= DISPATCH_LEVEL
VOID NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle) {
  const DdiCall call(Ddi::NdisFreeNetBufferPool);
  if (NbPool* const pool = find_pool<NbPool>(call, "PoolHandle", PoolHandle); pool != nullptr)
    book().free(*pool);
}

// Page    nblapi/nf-nblapi-ndisgetpoolfromnetbufferlist              IRQL  <= DISPATCH_LEVEL
NDIS_HANDLE NdisGetPoolFromNetBufferList(PNET_BUFFER_LIST NetBufferList) {
  if (goes_quickly()) return NetBufferList->NdisPoolHandle;
  const DdiCall call(Ddi::NdisGetPoolFromNetBufferList);
  return NetBufferList->NdisPoolHandle;
}

// Page    nblapi/nf-nblapi-ndisgetpoolfromnetbuffer                  IRQL  <= DISPATCH_LEVEL
NDIS_HANDLE NdisGetPoolFromNetBuffer(PNET_BUFFER NetBuffer) {
  if (goes_quickly()) return NetBuffer->NdisPoolHandle;
  const DdiCall call(Ddi::NdisGetPoolFromNetBuffer);
  return NetBuffer->NdisPoolHandle;
}

// ---- lists ----

// Page    nblapi/nf-nblapi-ndisallocatenetbufferlist                 IRQL  <= DISPATCH_LEVEL
PNET_BUFFER_LIST NdisAllocateNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                           USHORT ContextBackFill) {
  if (NblPool* const pool = quick_pool<NblPool>(PoolHandle);
      pool != nullptr && are_whole(ContextSize, ContextBackFill))
    if (NET_BUFFER_LIST* const list = pool->allocate_quickly(ContextSize, ContextBackFill, Derived::No))
        [[likely]]
      return list;
  const DdiCall call(Ddi::NdisAllocateNetBufferList);
  NblPool* const pool = find_pool<NblPool>(call, "PoolHandle", PoolHandle);
  if (pool == nullptr || ContextSize % MEMORY_ALLOCATION_ALIGNMENT != 0 ||
      ContextBackFill % MEMORY_ALLOCATION_ALIGNMENT != 0)
    return nullptr;
  if (call.fails()) return nullptr;
  return allocated(call, pool->allocate(pool->owner(), ContextSize, ContextBackFill));
}

namespace {
[[gnu::noinline]] PNET_BUFFER_LIST long_allocate_with_buffer(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                             USHORT ContextBackFill, PMDL MdlChain,
                                                             ULONG DataOffset, SIZE_T DataLength) {
  const DdiCall call(Ddi::NdisAllocateNetBufferAndNetBufferList);
  NblPool* const pool = find_pool<NblPool>(call, "PoolHandle", PoolHandle);
  if (pool == nullptr || !pool->parameters().with_buffer || pool->parameters().data_size != 0) return nullptr;
  if (ContextSize % MEMORY_ALLOCATION_ALIGNMENT != 0 || ContextBackFill % MEMORY_ALLOCATION_ALIGNMENT != 0)
    return nullptr;
  if (MdlChain == nullptr && (DataOffset != 0 || DataLength != 0)) return nullptr;
  if (call.fails()) return nullptr;
  NET_BUFFER_LIST* const list = pool->allocate(pool->owner(), ContextSize, ContextBackFill);
  if (list != nullptr) set_data(list->FirstNetBuffer, MdlChain, DataOffset, DataLength);
  return allocated(call, list);
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisallocatenetbufferandnetbufferlist     IRQL  <= DISPATCH_LEVEL
PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                       USHORT ContextBackFill, PMDL MdlChain,
                                                       ULONG DataOffset, SIZE_T DataLength) {
  if (NblPool* const pool = quick_pool<NblPool>(PoolHandle);
      pool != nullptr && pool->gives_empty_buffers() && are_whole(ContextSize, ContextBackFill) &&
      (MdlChain != nullptr || (DataOffset == 0 && DataLength == 0)))
    if (NET_BUFFER_LIST* const list = (ContextSize | ContextBackFill) == 0
                                          ? pool->allocate_empty_quickly(Derived::No)
                                          : pool->allocate_quickly(ContextSize, ContextBackFill, Derived::No))
        [[likely]] {
      set_data(list->FirstNetBuffer, MdlChain, DataOffset, DataLength);
      return list;
    }
  return long_allocate_with_buffer(PoolHandle, ContextSize, ContextBackFill, MdlChain, DataOffset,
                                   DataLength);
}

namespace {
[[gnu::noinline]] VOID long_free_list(PNET_BUFFER_LIST NetBufferList) {
  const DdiCall call(Ddi::NdisFreeNetBufferList);
  if (!check_at_rest(NetBufferList, "freed")) return;
  tell_freed(call, ItemKind::NetBufferList, NetBufferList);
  if (derived(NetBufferList) == Derived::No) {
    NblPool::free(NetBufferList);
    return;
  }
  tell_item_misuse(ItemKind::NetBufferList, NetBufferList, false,
                   "a clone, fragment or reassembled list is freed by the function for such lists",
                   item_of(NetBufferList)->origin);
  free_derived(NetBufferList, 0);
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisfreenetbufferlist                     IRQL  <= DISPATCH_LEVEL
VOID NdisFreeNetBufferList(PNET_BUFFER_LIST NetBufferList) {
  if (NblPool::free_quickly(NetBufferList, Derived::No)) [[likely]]
    return;
  return long_free_list(NetBufferList);
}

// ---- buffers ----

// Page    nblapi/nf-nblapi-ndisallocatenetbuffer                     IRQL  <= DISPATCH_LEVEL
PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, PMDL MdlChain, ULONG DataOffset,
                                  SIZE_T DataLength) {
  if (NbPool* const pool = quick_pool<NbPool>(PoolHandle);
      pool != nullptr && (MdlChain != nullptr || (DataOffset == 0 && DataLength == 0)))
    if (NET_BUFFER* const buffer = pool->allocate_quickly(false)) [[likely]] {
      set_data(buffer, MdlChain, DataOffset, DataLength);
      return buffer;
    }
  const DdiCall call(Ddi::NdisAllocateNetBuffer);
  NbPool* const pool = find_pool<NbPool>(call, "PoolHandle", PoolHandle);
  if (pool == nullptr || (MdlChain == nullptr && (DataOffset != 0 || DataLength != 0)) || call.fails())
    return nullptr;
  NET_BUFFER* const buffer = pool->allocate(pool->owner(), false);
  if (buffer == nullptr) return nullptr;
  set_data(buffer, MdlChain, DataOffset, DataLength);
  tell_allocated(call, ItemKind::NetBuffer, buffer);
  return buffer;
}

// Page    nblapi/nf-nblapi-ndisallocatenetbuffermdlanddata           IRQL  <= DISPATCH_LEVEL
PNET_BUFFER NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle) {
  if (NbPool* const pool = quick_pool<NbPool>(PoolHandle); pool != nullptr && pool->data_size() != 0)
    if (NET_BUFFER* const buffer = pool->allocate_quickly(true)) [[likely]]
      return buffer;
  const DdiCall call(Ddi::NdisAllocateNetBufferMdlAndData);
  NbPool* const pool = find_pool<NbPool>(call, "PoolHandle", PoolHandle);
  if (pool == nullptr || pool->data_size() == 0 || call.fails()) return nullptr;
  NET_BUFFER* const buffer = pool->allocate(pool->owner(), true);
  if (buffer != nullptr) tell_allocated(call, ItemKind::NetBuffer, buffer);
  return buffer;
}

// Page    nblapi/nf-nblapi-ndisfreenetbuffer                         IRQL  <= DISPATCH_LEVEL
VOID NdisFreeNetBuffer(PNET_BUFFER NetBuffer) {
  if (NbPool::free_quickly(NetBuffer)) [[likely]]
    return;
  const DdiCall call(Ddi::NdisFreeNetBuffer);
  if (!check_live(NetBuffer, "freed")) return;
  tell_freed(call, ItemKind::NetBuffer, NetBuffer);
  NbPool::free(NetBuffer);
}

// ---- lists made from lists ----

namespace {
[[gnu::noinline]] PNET_BUFFER_LIST long_allocate_clone(PNET_BUFFER_LIST OriginalNetBufferList,
                                                       NDIS_HANDLE NetBufferListPoolHandle,
                                                       NDIS_HANDLE NetBufferPoolHandle, bool original_mdls) {
  const DdiCall call(Ddi::NdisAllocateCloneNetBufferList);
  bool wrong = false;
  NblPool* const lists =
      find_optional_pool<NblPool>(call, "NetBufferListPoolHandle", NetBufferListPoolHandle, wrong);
  NbPool* const buffers = find_optional_pool<NbPool>(call, "NetBufferPoolHandle", NetBufferPoolHandle, wrong);
  if (wrong || call.fails()) return nullptr;
  kernel::Driver* const owner = lists != nullptr ? lists->owner() : &call.driver();
  return allocated(call, clone(owner, OriginalNetBufferList, lists, buffers, original_mdls));
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisallocateclonenetbufferlist            IRQL  <= DISPATCH_LEVEL
PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                NDIS_HANDLE NetBufferListPoolHandle,
                                                NDIS_HANDLE NetBufferPoolHandle, ULONG AllocateCloneFlags) {
  const bool original_mdls = (AllocateCloneFlags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) != 0;
  if (NblPool* const pool = quick_pool<NblPool>(NetBufferListPoolHandle); pool != nullptr)
    if (NET_BUFFER_LIST* const list = clone_quickly(OriginalNetBufferList, *pool, original_mdls)) [[likely]]
      return list;
  return long_allocate_clone(OriginalNetBufferList, NetBufferListPoolHandle, NetBufferPoolHandle,
                             original_mdls);
}

namespace {

/// Frees a list that was made in that way; told if it was made in another.
void free_derived_list(const DdiCall& call, NET_BUFFER_LIST* list, ULONG delta, Derived how,
                       const char* made) {
  if (!check_at_rest(list, "freed")) return;
  if (derived(list) != how)
    tell_item_misuse(ItemKind::NetBufferList, list, false,
                     fmt::format("the net buffer list was not {}", made), item_of(list)->origin);
  tell_freed(call, ItemKind::NetBufferList, list);
  if (derived(list) == Derived::No) {
    NblPool::free(list);
  } else {
    free_derived(list, delta);
  }
}

}  // namespace

namespace {
[[gnu::noinline]] VOID long_free_clone(PNET_BUFFER_LIST CloneNetBufferList, Derived how) {
  const DdiCall call(Ddi::NdisFreeCloneNetBufferList);
  free_derived_list(call, CloneNetBufferList, 0, how,
                    "allocated by NdisAllocateCloneNetBufferList with these flags");
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisfreeclonenetbufferlist                IRQL  <= DISPATCH_LEVEL
VOID NdisFreeCloneNetBufferList(PNET_BUFFER_LIST CloneNetBufferList, ULONG FreeCloneFlags) {
  const Derived how =
      (FreeCloneFlags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) != 0 ? Derived::CloneOfMdls : Derived::Clone;
  if (NblPool::free_quickly(CloneNetBufferList, how)) [[likely]]
    return;
  return long_free_clone(CloneNetBufferList, how);
}

// Page    nblapi/nf-nblapi-ndisallocatefragmentnetbufferlist         IRQL  <= DISPATCH_LEVEL
PNET_BUFFER_LIST NdisAllocateFragmentNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                   NDIS_HANDLE NetBufferListPool, NDIS_HANDLE NetBufferPool,
                                                   ULONG StartOffset, ULONG MaximumLength,
                                                   ULONG DataOffsetDelta, ULONG DataBackFill, ULONG) {
  const DdiCall call(Ddi::NdisAllocateFragmentNetBufferList);
  bool wrong = false;
  NblPool* const lists = find_optional_pool<NblPool>(call, "NetBufferListPool", NetBufferListPool, wrong);
  NbPool* const buffers = find_optional_pool<NbPool>(call, "NetBufferPool", NetBufferPool, wrong);
  if (wrong || call.fails()) return nullptr;
  kernel::Driver* const owner = lists != nullptr ? lists->owner() : &call.driver();
  return allocated(call, fragment(owner, OriginalNetBufferList, lists, buffers, StartOffset, MaximumLength,
                                  DataOffsetDelta, DataBackFill));
}

// Page    nblapi/nf-nblapi-ndisfreefragmentnetbufferlist             IRQL  <= DISPATCH_LEVEL
VOID NdisFreeFragmentNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList, ULONG DataOffsetDelta, ULONG) {
  const DdiCall call(Ddi::NdisFreeFragmentNetBufferList);
  free_derived_list(call, FragmentNetBufferList, DataOffsetDelta, Derived::Fragments,
                    "allocated by NdisAllocateFragmentNetBufferList");
}

// Page    nblapi/nf-nblapi-ndisallocatereassemblednetbufferlist      IRQL  <= DISPATCH_LEVEL
PNET_BUFFER_LIST NdisAllocateReassembledNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList,
                                                      NDIS_HANDLE NetBufferAndNetBufferListPoolHandle,
                                                      ULONG StartOffset, ULONG DataOffsetDelta,
                                                      ULONG DataBackFill, ULONG) {
  const DdiCall call(Ddi::NdisAllocateReassembledNetBufferList);
  bool wrong = false;
  NblPool* const lists = find_optional_pool<NblPool>(call, "NetBufferAndNetBufferListPoolHandle",
                                                     NetBufferAndNetBufferListPoolHandle, wrong);
  if (wrong ||
      (lists != nullptr && (!lists->parameters().with_buffer || lists->parameters().data_size != 0)) ||
      call.fails())
    return nullptr;
  kernel::Driver* const owner = lists != nullptr ? lists->owner() : &call.driver();
  return allocated(
      call, reassemble(owner, FragmentNetBufferList, lists, StartOffset, DataOffsetDelta, DataBackFill));
}

// Page    nblapi/nf-nblapi-ndisfreereassemblednetbufferlist          IRQL  <= DISPATCH_LEVEL
VOID NdisFreeReassembledNetBufferList(PNET_BUFFER_LIST ReassembledNetBufferList, ULONG DataOffsetDelta,
                                      ULONG) {
  const DdiCall call(Ddi::NdisFreeReassembledNetBufferList);
  free_derived_list(call, ReassembledNetBufferList, DataOffsetDelta, Derived::Reassembled,
                    "allocated by NdisAllocateReassembledNetBufferList");
}
