// SPDX-License-Identifier: MIT
//
// What stands, unseen by drivers, before every net buffer list, net buffer, packet and buffer: whose it is,
// who has it, which way it goes back. And the pools of fixed-size blocks in which such items live.
//
// Layout  block = [what is told of this kind of item][Item, its last word is the mark][the structure that the
//         driver sees ...]. Blocks lie in a region of the address space that only items live in, so whether a
//         pointer is an item is a range check and a look at its mark.
// Beyond  A freed block is filled with kPoison and is the last of its pool to be used again: late use is seen
// as late use. While drivers are not watched (kernel::Watch), it is the first to be used again instead.
// Quick   Where no schedule decides (the threaded machine), allocating and freeing of a driver that is not
//         watched is a few instructions on the caches of its processor (take_quickly, give_quickly).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/observer.h"
#include "kernel/watch.h"
#include "machine/processor.h"
#include "ndis/observer.h"

namespace undis {

class Adapter;
class Binding;
class FilterModule;
class ItemPool;

inline constexpr unsigned char kPoison =
    0xF5;  ///< a pointer made of it is not canonical: using it is a fault at once

enum class ItemState : std::uint8_t {
  Free,
  Held,       ///< by `holder`, on no way
  Sent,       ///< from a binding to an adapter, not completed
  Indicated,  ///< from an adapter to bindings, not returned
};

/// One leg of an item's way. An intermediate driver that passes an item on adds a leg; completing or
/// returning ends it.
struct Hop {
  enum class Kind : std::uint8_t { None, Send, Receive };
  Adapter* adapter = nullptr;
  Binding* binding =
      nullptr;  ///< Send: who sent it. Receive: who has it (net buffer lists; packets may be with several)
  FilterModule* module = nullptr;  ///< of a net buffer list: the filter module whose own list it is
  void* source_handle = nullptr;   ///< SourceHandle of a net buffer list before this leg
  std::uint32_t out =
      0;  ///< Receive: uses of it that are not returned. Send across the border: parts not completed
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;  ///< Send across the border: of the parts so far
  std::uint32_t payload = 0;                 ///< Send across the border: bytes that large sends have carried
  Kind kind = Kind::None;
  bool resources = false;  ///< Receive: belongs to the miniport again when the indication returns
  bool transfer = false;   ///< Receive: MiniportTransferData of `adapter` fills the packet, for `binding` or
                           ///< (nullptr) for NDIS
  bool asked_synchronously = false;  ///< Send: NdisSend returns the status unless it is PENDING
};

/// What whoever has an item writes, while another may look at it to say who has it or what is left
/// (sweep_items()).
template <class T>
class Stamp {
 public:
  Stamp() noexcept = default;
  explicit(false) Stamp(T value) noexcept : value_(value) {}
  Stamp(const Stamp& other) noexcept : value_(other.get()) {}
  Stamp& operator=(const Stamp& other) noexcept { return *this = other.get(); }
  Stamp& operator=(T value) noexcept {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  T get() const noexcept { return value_.load(std::memory_order_relaxed); }
  explicit(false) operator T() const noexcept { return get(); }
  T operator->() const noexcept { return get(); }

 private:
  std::atomic<T> value_;
};

/// The last thing before what the driver sees. What allocating and freeing write is in one cache line.
struct alignas(64) Item {
  kernel::Stack origin;  ///< of the allocation; of one that is free: of the free
  alignas(64) ItemPool* pool;
  Item* next;                     ///< in the free list, or in a queue of NDIS
  Stamp<kernel::Driver*> owner;   ///< who allocated it; nullptr: NDIS
  Stamp<kernel::Driver*> holder;  ///< who has it now; nullptr: NDIS
  void* initial_context;          ///< of a list: came with it and is not given back before it
  std::uint64_t data_room;        ///< of an MDL: bytes of data behind it; 0: it describes memory of others
  Stamp<ItemState> state;
  std::uint8_t derived;  ///< of a list: a Derived (nbl_data.h), freed by a function of its own
  bool used;             ///< what stands before the Item may not be zero any more
  std::uintptr_t mark;   ///< says what the body is, and whether it is free
};

inline constexpr std::size_t kMaxHops = 4;

struct NblItem;
/// Of a NET_BUFFER_LIST.
struct NblWay {
  Hop hops[kMaxHops];
  FilterModule* at;         ///< the filter module that has it now, on its topmost leg; nullptr: none
  NblItem* parent;          ///< NDIS' own clone: the list that it stands for on one of several bindings
  NDIS_PACKET* packet;      ///< NDIS' own list: the 5.x packet that it stands for
  std::uint8_t parent_hop;  ///< which leg of that list
  bool ndis_data;           ///< NDIS' own list, with data of its own
  std::uint8_t packet_hop;  ///< which hop of that packet
  std::uint8_t depth;       ///< hops in use
};
struct NblItem : NblWay, Item {
  NET_BUFFER_LIST* body() noexcept { return reinterpret_cast<NET_BUFFER_LIST*>(this + 1); }
  Hop* top() noexcept { return depth == 0 ? nullptr : &hops[depth - 1]; }
};

/// Before a NET_BUFFER that is a block of its own (not one that came with its list).
struct NbItem : Item {
  NET_BUFFER* body() noexcept { return reinterpret_cast<NET_BUFFER*>(this + 1); }
};

/// Uses of an indicated packet by one binding.
struct PacketUse {
  Binding* binding = nullptr;
  std::int32_t count =
      0;  ///< may be below zero for a moment: returned before ProtocolReceivePacket has said how often
  std::uint8_t hop = 0;
  bool in_call = false;  ///< ProtocolReceivePacket has not returned
};

/// Of an NDIS_PACKET. Its receive hops are no stack: several bindings may have the packet, and pass it
/// on, at the same time.
struct PacketWay {
  static constexpr std::size_t kMaxUses = 8;
  Hop hops[kMaxHops];  ///< a slot is in use while its kind is not None
  PacketUse uses[kMaxUses];
  kernel::Lock uses_lock;     ///< guards `uses`, and how often an indicated packet is out
  NET_BUFFER_LIST* list;      ///< NDIS' own packet: the 6.x list that it stands for (a part of)
  std::uint8_t list_hop;      ///< which leg of that list
  const Adapter* made_from;   ///< NDIS' own packet: the adapter on whose behalf it is indicated first
  MDL* own_mdls;              ///< NDIS' own packet: the MDLs that go with it
  MDL* gathered_header;       ///< the header in front of what is gathered
  NDIS_PACKET_STACK* stacks;  ///< kMaxHops of them
};
struct PacketItem : PacketWay, Item {
  NDIS_PACKET* body() noexcept { return reinterpret_cast<NDIS_PACKET*>(this + 1); }
};

/// Before an MDL of NDIS: an NDIS_BUFFER, or one that NDIS made for data of others or of its own.
struct BufferItem : Item {
  MDL* body() noexcept { return reinterpret_cast<MDL*>(this + 1); }
};

/// Blocks of one size. Never more than `limit` at a time.
class ItemPool {
 public:
  static constexpr std::uint32_t kNoLimit = ~0U;
  /// `header`: size of the Item; `body`: of what the driver sees and of what comes with it; `poisoned`: how
  /// much of that is poisoned.
  ItemPool(ItemKind kind, std::size_t header, std::size_t body, std::size_t poisoned,
           std::uint32_t limit = kNoLimit) noexcept;
  ~ItemPool();
  ItemPool(const ItemPool&) = delete;
  ItemPool& operator=(const ItemPool&) = delete;

  /// A block whose Item is set (Held, owner and holder as given) and whose body is not; nullptr: limit
  /// reached or no memory.
  Item* take(kernel::Driver* owner) noexcept EXCLUDES(lock_);
  /// Poisons it and puts it at the end of the free list.
  void give(Item* item) noexcept EXCLUDES(lock_);

  /// The same for a pool that serves one owner only, if there is nothing to it; nullptr, false: it is not
  /// done, take() or give() does it.
  void serve_quickly(kernel::Driver* owner) noexcept;
  void end_quick_service() noexcept { quick_.store(nullptr, std::memory_order_relaxed); }
  template <ItemKind kind>
  [[gnu::always_inline]] Item* take_quickly(std::uint8_t derived) noexcept;
  template <ItemKind kind>
  [[gnu::always_inline]] static bool give_quickly(Item* item) noexcept;

  ItemKind kind() const noexcept { return kind_; }
  std::uint32_t live() const noexcept;
  static void* body_of(Item* item) noexcept { return item + 1; }
  std::size_t body_size() const noexcept { return body_; }
  /// What is allocated, in the order of addresses.
  std::vector<Item*> live_items() EXCLUDES(lock_);
  /// Whoever the pool belongs to.
  class DriverPool* of = nullptr;

 private:
  struct Run {
    char* start;
    std::size_t units;
  };
  /// Free blocks at the hand of one processor, the last freed first. Only while drivers are not watched, and
  /// of a pool without limit: late use is not seen any more.
  struct alignas(64) Cache {
    Item* first = nullptr;
    std::atomic<std::uint32_t> count{0};
  };
  static constexpr std::uint32_t kBatch = 32;  ///< blocks that go from or to the others at a time
  Item* take_cached(kernel::Driver* owner) noexcept EXCLUDES(lock_);
  Item* take_oldest() noexcept EXCLUDES(lock_);
  void give_cached(Item* item) noexcept EXCLUDES(lock_);
  Item* unlink_oldest() noexcept REQUIRES(lock_);
  void append_free(Item* item) noexcept REQUIRES(lock_);
  bool grow() REQUIRES(lock_);
  Item* carve() noexcept REQUIRES(lock_);
  void set_mark(Item* item, bool free) const noexcept;
  bool is_free(Item* item) const noexcept;
  Item* item_at(char* block) const noexcept { return reinterpret_cast<Item*>(block + front_); }
  void clear_front(Item* item) const noexcept;
  /// Of the calling processor.
  static Cache& own(Cache* caches) noexcept { return caches[machine::processor_here->index]; }

  std::atomic<Cache*> quick_{nullptr};  ///< caches_, while the pool serves quickly
  const ItemKind kind_;
  const std::size_t front_;  ///< what stands in a block before the Item
  const std::size_t body_;
  const std::size_t poisoned_;
  const std::size_t stride_;
  const std::uint32_t limit_;
  const std::size_t processors_;
  const std::unique_ptr<Cache[]> caches_;
  kernel::Lock lock_;
  Item* oldest_free_ GUARDED_BY(lock_) = nullptr;
  Item* newest_free_ GUARDED_BY(lock_) = nullptr;
  std::vector<Run> runs_ GUARDED_BY(lock_);
  char* fresh_ GUARDED_BY(lock_) = nullptr;  ///< from here on, the newest run has not been cut into blocks
  char* fresh_end_ GUARDED_BY(lock_) = nullptr;
  std::atomic<std::uint32_t> live_{0};  ///< not in the free list; written under the lock
};

/// What a pointer that a driver passed turned out to be.
enum class ItemFound : std::uint8_t { Live, Freed, NotOurs };

namespace detail {

/// The region that items live in: from the bottom up, given back by nobody. There is a word before it.
[[gnu::visibility("hidden")]] extern constinit char* item_region;
[[gnu::visibility("hidden")]] extern constinit std::atomic<std::size_t> item_region_used;
/// The same while calls go quickly (goes_quickly), otherwise 0: one comparison for both.
[[gnu::visibility("hidden")]] extern constinit std::atomic<std::size_t> quick_region_used;

inline std::uintptr_t item_mark(ItemKind kind, bool free, const void* body) noexcept {
  constexpr std::uintptr_t kMarks = 0x6D72'4B1F'0000'0001;
  return reinterpret_cast<std::uintptr_t>(body) ^
         (kMarks + (static_cast<std::uintptr_t>(kind) << 9) + (free ? 0x100U : 0U));
}
/// Whether there may be a mark before `body`, in as much of the region as is said.
inline bool may_be_item(const void* body, const std::atomic<std::size_t>& used) noexcept {
  return static_cast<std::size_t>(static_cast<const char*>(body) - item_region) <
         used.load(std::memory_order_relaxed);
}
/// What no driver's bytes are, wherever `body` points to: a mark says where it stands.
inline std::uintptr_t mark_before(const void* body) noexcept {
  std::uintptr_t mark = 0;
  std::memcpy(&mark, static_cast<const char*>(body) - sizeof mark, sizeof mark);
  return mark;
}
inline bool is_live(ItemKind kind, const void* body, const std::atomic<std::size_t>& used) noexcept {
  if (!may_be_item(body, used)) [[unlikely]]
    return false;
  return mark_before(body) == item_mark(kind, false, body);
}

}  // namespace detail

/// Whether `body` is a live item of that kind.
ItemFound find_item(ItemKind kind, const void* body) noexcept;
inline bool is_live(ItemKind kind, const void* body) noexcept {
  return detail::is_live(kind, body, detail::item_region_used);
}
/// The same, and whether calls go quickly.
inline bool is_live_for_quick_call(ItemKind kind, const void* body) noexcept {
  return detail::is_live(kind, body, detail::quick_region_used);
}
inline NblItem* item_of(NET_BUFFER_LIST* list) noexcept {
  return reinterpret_cast<NblItem*>(list) - 1;
}
inline NbItem* item_of(NET_BUFFER* buffer) noexcept {
  return reinterpret_cast<NbItem*>(buffer) - 1;
}
inline PacketItem* item_of(NDIS_PACKET* packet) noexcept {
  return reinterpret_cast<PacketItem*>(packet) - 1;
}
inline BufferItem* item_of(MDL* mdl) noexcept {
  return reinterpret_cast<BufferItem*>(mdl) - 1;
}

template <ItemKind kind>
inline Item* ItemPool::take_quickly(std::uint8_t derived) noexcept {
  Cache* const caches = quick_.load(std::memory_order_relaxed);
  if (caches == nullptr) [[unlikely]]
    return nullptr;
  Cache& cache = own(caches);
  Item* const item = cache.first;
  if (item == nullptr || item->used) [[unlikely]]  // take() clears what it was used for
    return nullptr;
  cache.first = item->next;
  cache.count.store(cache.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  item->state = ItemState::Held;
  item->derived = derived;
  if (kernel::watch() == kernel::Watch::Holder) item->holder = item->owner;
  void* const body = body_of(item);
  std::atomic_ref(item->mark).store(detail::item_mark(kind, false, body), std::memory_order_release);
  return item;
}

template <ItemKind kind>
inline bool ItemPool::give_quickly(Item* item) noexcept {
  const ItemPool& pool = *item->pool;
  Cache* const caches = pool.quick_.load(std::memory_order_relaxed);
  if (caches == nullptr) [[unlikely]]
    return false;
  Cache& cache = own(caches);
  const std::uint32_t count = cache.count.load(std::memory_order_relaxed) + 1;
  if (count > 2 * kBatch) [[unlikely]]
    return false;
  std::atomic_ref(item->mark).store(detail::item_mark(kind, true, body_of(item)), std::memory_order_relaxed);
  item->next = cache.first;
  cache.first = item;
  cache.count.store(count, std::memory_order_relaxed);
  return true;
}

namespace detail {
[[gnu::visibility("hidden")]] extern constinit bool quick_calls;
}
/// Whether a call that changes nothing but what it is given may be carried out without more ado: its driver
/// is not watched, and no schedule decides what fails.
inline bool goes_quickly() noexcept {
  return detail::quick_calls;
}
void go_quickly(bool on) noexcept;  ///< the ItemBook's to say

/// Whether a list is on a leg that is stamped in its item (data_path6.cpp), not on the plain way
/// (plain_path.h). NDIS' own word of the list, so that who walks the chain need not look at the item.
inline bool is_stamped(const NET_BUFFER_LIST* list) noexcept {
  return list->NdisReserved[1] != nullptr;
}

/// Stacks of allocation and free. On by default; verifier::Evidence says when not.
void keep_item_stacks(bool on) noexcept;
/// Memory of pools that are gone is used again at once: there is nobody left to use it late.
void end_item_quarantine() noexcept;

// ---- who calls, and telling ----

struct Caller {
  kernel::Driver* driver;
  const char* function;
};
/// The innermost DDI call of this thread; the host and "" if there is none.
Caller caller() noexcept;
/// True if `driver` may act on what `holder` has: it is the same, or one of both is the host's.
bool acts_for(const kernel::Driver* driver, const kernel::Driver* holder) noexcept;

void tell_item_misuse(ItemKind kind, const void* item, bool completion, std::string why,
                      const kernel::Stack& origin = {});
const char* to_text(ItemKind kind) noexcept;  ///< "net buffer list"

inline void tell_item(Observer& observer, ItemEvent::What what, ItemKind kind, const void* item,
                      kernel::Driver* from, kernel::Driver* to, const char* function,
                      std::string_view object) {
  if (!kernel::watches_all()) return;
  observer.on(ItemEvent{what, kind, item, from, to, function, object});
}

}  // namespace undis
