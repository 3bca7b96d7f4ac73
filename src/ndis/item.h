// SPDX-License-Identifier: MIT
//
// What stands, unseen by drivers, before every net buffer list, net buffer, packet and buffer: whose it is,
// who has it, which way it goes back. And the pools of fixed-size blocks in which such items live.
//
// Layout  block = [header derived from Item, its last word is the mark][the structure that the driver sees
// ...]. Blocks lie in a region
//         of the address space that only items live in, so whether a pointer is an item is a range check and
//         a look at its mark.
// Beyond  A freed block is filled with kPoison and is the last of its pool to be used again: late use is seen
// as late use. While drivers are not watched (kernel::Watch), it is the first to be used again instead.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/observer.h"
#include "kernel/watch.h"
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
  bool resources = false;            ///< Receive: belongs to the miniport again when the indication returns
  bool transfer = false;   ///< Receive: MiniportTransferData of `adapter` fills the packet, for `binding` or (nullptr) for NDIS
  bool asked_synchronously = false;  ///< Send: NdisSend returns the status unless it is PENDING
};

/// What whoever has an item writes, while another may look at it to say who has it or what is left (sweep_items()).
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
  /// With what was written before: for who looks by read().
  void publish(T value) noexcept { value_.store(value, std::memory_order_release); }
  T read() const noexcept { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<T> value_;
};

struct Item {
  ItemPool* pool;
  Item* next;                     ///< in the free list, or in a queue of NDIS
  Stamp<kernel::Driver*> owner;   ///< who allocated it; nullptr: NDIS
  Stamp<kernel::Driver*> holder;  ///< who has it now; nullptr: NDIS
  Stamp<ItemState> state;
  kernel::Stack origin;  ///< of the allocation; with `state` Free of the free
};

inline constexpr std::size_t kMaxHops = 4;

/// Before a NET_BUFFER_LIST: what NDIS reads of one that goes by is then in two cache lines.
struct alignas(64) NblItem : Item {
  Hop hops[kMaxHops];
  FilterModule* at;         ///< the filter module that has it now, on its topmost leg; nullptr: none
  NblItem* parent;          ///< NDIS' own clone: the list that it stands for on one of several bindings
  std::uint8_t parent_hop;  ///< which leg of that list
  NDIS_PACKET* packet;      ///< NDIS' own list: the 5.x packet that it stands for
  bool ndis_data;           ///< NDIS' own list, with data of its own
  std::uint8_t packet_hop;  ///< which hop of that packet
  std::uint8_t depth;       ///< hops in use
  std::uint8_t derived;     ///< a Derived (nbl_data.h): freed by a function of its own
  void* initial_context;    ///< came with the list: not given back before it
  std::uintptr_t mark;

  NET_BUFFER_LIST* body() noexcept { return reinterpret_cast<NET_BUFFER_LIST*>(this + 1); }
  Hop* top() noexcept { return depth == 0 ? nullptr : &hops[depth - 1]; }
};

/// Before a NET_BUFFER that is a block of its own (not one that came with its list).
struct alignas(16) NbItem : Item {
  std::uint64_t spare;
  std::uintptr_t mark;
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

/// Before an NDIS_PACKET. Its receive hops are no stack: several bindings may have the packet, and pass it
/// on, at the same time.
struct alignas(16) PacketItem : Item {
  static constexpr std::size_t kMaxUses = 8;
  Hop hops[kMaxHops];  ///< a slot is in use while its kind is not None
  PacketUse uses[kMaxUses];
  NET_BUFFER_LIST* list;      ///< NDIS' own packet: the 6.x list that it stands for (a part of)
  std::uint8_t list_hop;      ///< which leg of that list
  const Adapter* made_from;   ///< NDIS' own packet: the adapter on whose behalf it is indicated first
  MDL* own_mdls;              ///< NDIS' own packet: the MDLs that go with it
  MDL* gathered_header;       ///< the header in front of what is gathered
  NDIS_PACKET_STACK* stacks;  ///< kMaxHops of them
  std::uintptr_t mark;

  NDIS_PACKET* body() noexcept { return reinterpret_cast<NDIS_PACKET*>(this + 1); }
};

/// Before an MDL of NDIS: an NDIS_BUFFER, or one that NDIS made for data of others or of its own.
struct alignas(16) BufferItem : Item {
  std::uint64_t data_room;  ///< bytes of data behind the MDL; 0: it describes memory of others
  std::uintptr_t mark;
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

  ItemKind kind() const noexcept { return kind_; }
  std::uint32_t live() const noexcept;
  void* body_of(Item* item) const noexcept { return reinterpret_cast<char*>(item) + header_; }
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
  /// Free blocks at the hand of one processor, the last freed first. Only while drivers are not watched, and of a pool without limit:
  /// late use is not seen any more.
  struct alignas(64) Cache {
    Item* first = nullptr;
    std::atomic<std::uint32_t> count{0};
  };
  static constexpr std::uint32_t kBatch = 32;  ///< blocks that go from or to the others at a time
  Item* take_cached() noexcept EXCLUDES(lock_);
  Item* take_oldest() noexcept EXCLUDES(lock_);
  void give_cached(Item* item) noexcept EXCLUDES(lock_);
  Item* unlink_oldest() noexcept REQUIRES(lock_);
  void append_free(Item* item) noexcept REQUIRES(lock_);
  bool grow() REQUIRES(lock_);
  void set_mark(Item* item, bool free) const noexcept;

  const ItemKind kind_;
  const std::size_t header_;
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
  std::atomic<std::uint32_t> live_{0};  ///< not in the free list; written under the lock
};

/// What a pointer that a driver passed turned out to be.
enum class ItemFound : std::uint8_t { Live, Freed, NotOurs };

/// Whether `body` is a live item of that kind.
ItemFound find_item(ItemKind kind, const void* body) noexcept;
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

/// Whether a list is on a leg that is stamped in its item (data_path6.cpp), not on the plain way (plain_path.h). NDIS' own word of the
/// list, so that who walks the chain need not look at the item.
inline bool is_stamped(const NET_BUFFER_LIST* list) noexcept { return list->NdisReserved[1] != nullptr; }

/// Stacks of allocation and free cost some 200 ns each; off for benchmarks. On by default.
void keep_item_stacks(bool on) noexcept;

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
