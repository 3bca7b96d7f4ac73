// SPDX-License-Identifier: MIT
//
// The pools of drivers, all of one world in one book; and NDIS' own, from which what it makes itself comes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "ndis/handle.h"
#include "ndis/item.h"
#include "ndis/object.h"
#include "ndis/observer.h"

namespace undis {

class BufferPool;
class FilterModule;
class NblPool;
class NbPool;
class PacketPool;

class DriverPool;
void sweep_items(kernel::Driver& driver, LeftBehind::When when);
void tell_pools_left(kernel::Driver& driver, const FilterModule* module, const char* function,
                     const std::string& name);

/// A pool as a driver has it: a handle, and blocks that may outlive it.
class DriverPool : public Object {
 public:
  DriverPool(HandleKind kind, ItemKind items, kernel::Driver* owner, ULONG tag);

  HandleKind kind() const noexcept { return kind_; }
  ItemKind items() const noexcept { return items_; }
  kernel::Driver* owner() const noexcept { return owner_; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  /// "net buffer list pool 'abcd'"
  std::string name() const;
  const kernel::Stack& origin() const noexcept { return origin_; }
  bool open() const noexcept { return open_; }
  /// Of all its blocks.
  std::uint32_t live() const noexcept;
  std::vector<Item*> live_items();
  /// A block came back: if the pool was freed before and this was the last, the pool is gone after this call.
  void block_returned() noexcept;

 protected:
  ~DriverPool() override = default;
  ItemPool& add_blocks(std::size_t header, std::size_t body, std::size_t poisoned,
                       std::uint32_t limit = ItemPool::kNoLimit);

 private:
  friend class ItemBook;
  friend void tell_pools_left(kernel::Driver&, const FilterModule*, const char*, const std::string&);
  friend void sweep_items(kernel::Driver&, LeftBehind::When);
  const HandleKind kind_;
  const ItemKind items_;
  kernel::Driver* const owner_;  ///< nullptr: NDIS
  const ULONG tag_;
  const kernel::Stack origin_;
  const void* made_for_ = nullptr;  ///< the adapter whose callback ran when it was made
  std::string made_for_name_;
  const void* made_in_attach_of_ = nullptr;  ///< the filter module in whose FilterAttach it was made
  bool told_ = false;                        ///< that it was left
  NDIS_HANDLE handle_ = nullptr;
  bool open_ = true;
  std::vector<std::unique_ptr<ItemPool>> blocks_;
};

class ItemBook {
 public:
  ItemBook();
  ~ItemBook();
  ItemBook(const ItemBook&) = delete;
  ItemBook& operator=(const ItemBook&) = delete;

  /// Opens the pool's handle and lists it. nullptr: no handle left.
  NDIS_HANDLE add(const Ref<DriverPool>& pool) EXCLUDES(lock_);
  /// NdisFree...Pool: closes the handle; blocks that are out are told, and the memory stays until they are
  /// back.
  void free(DriverPool& pool) EXCLUDES(lock_);
  void drop(DriverPool& pool) noexcept EXCLUDES(lock_);
  std::vector<Ref<DriverPool>> pools_of(const kernel::Driver& driver) const EXCLUDES(lock_);

  // ---- NDIS' own ----
  NblPool& lists() noexcept { return *lists_; }
  NbPool& buffers() noexcept { return *buffers_; }
  PacketPool& packets() noexcept { return *packets_; }
  BufferPool& mdls() noexcept { return *mdls_; }

  std::vector<DriverPool*> own() const;
  /// How many items of NDIS' own are in use: none while nothing is under way.
  std::uint32_t own_live() const noexcept;

  static ItemBook& current() noexcept;

 private:
  mutable kernel::Lock lock_;
  std::vector<Ref<DriverPool>> pools_ GUARDED_BY(lock_);
  Ref<NblPool> lists_;
  Ref<NbPool> buffers_;
  Ref<PacketPool> packets_;
  Ref<BufferPool> mdls_;
};

/// The open pool behind a handle of kind T::kHandleKinds[0]; nullptr: none. No lock, no reference: for every
/// allocation.
template <class T>
T* pool_of_handle(NDIS_HANDLE handle, HandleTable& handles) noexcept {
  const HandleView found = handles.view(handle);
  if (!found.open) return nullptr;
  for (const HandleKind kind : T::kHandleKinds)
    if (found.kind == kind) return static_cast<T*>(static_cast<DriverPool*>(found.object));
  return nullptr;
}

/// Tells of pools that `driver` made in FilterAttach of that module and has not freed when `function` of it
/// is over.
void tell_pools_left(kernel::Driver& driver, const FilterModule* module, const char* function,
                     const std::string& name);

/// What a driver left of its pools and of what came out of them: told, then taken away.
void sweep_items(kernel::Driver& driver, LeftBehind::When when);

}  // namespace undis
