// SPDX-License-Identifier: MIT
//
// The region of the address space that items live in, the pools in it, and how misuse of an item is told.
#include "ndis/item.h"

#include <sys/mman.h>

#include <cstring>
#include <deque>
#include <new>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "machine/machine.h"
#include "ndis/items.h"
#include "ndis/library.h"

// There when AddressSanitizer is in the process.
extern "C" __attribute__((weak)) void __asan_poison_memory_region(void const volatile* addr,
                                                                  std::size_t size);
extern "C" __attribute__((weak)) void __asan_unpoison_memory_region(void const volatile* addr,
                                                                    std::size_t size);

namespace undis {
namespace {

constexpr std::size_t kUnit = 64 * 1024;
constexpr std::size_t kRegion = std::size_t{64} << 30;
constexpr std::size_t kStride = 64;  // a cache line; blocks are an odd number of them apart, so that all sets of a cache serve them
constexpr std::size_t kQuarantined = 64;  // runs that wait before they are used again
constexpr std::uintptr_t kMarks = 0x6D72'4B1F'0000'0001;

std::uintptr_t mark_for(ItemKind kind, bool free, const void* body) noexcept {
  const std::uintptr_t word = kMarks + (static_cast<std::uintptr_t>(kind) << 9) + (free ? 0x100U : 0U);
  return reinterpret_cast<std::uintptr_t>(body) ^ word;
}

/// Units are committed from the bottom up and given back by nobody; runs that a pool gave up wait, then are
/// used again.
class Region {
 public:
  static Region& get() {
    static Region region;
    return region;
  }

  char* take(std::size_t units) noexcept {
    const kernel::Hold hold(lock_);
    if (free_.size() > kQuarantined)
      for (auto run = free_.begin(); run != free_.end(); ++run)
        if (run->units == units) {
          char* const start = run->start;
          free_.erase(run);
          return start;
        }
    const std::size_t size = units * kUnit;
    if (base_ == nullptr || used_ + size > kRegion) return nullptr;
    char* const start = base_ + used_;
    if (::mprotect(start, size, PROT_READ | PROT_WRITE) != 0) return nullptr;
    used_ += size;
    return start;
  }

  void give(char* start, std::size_t units) noexcept {
    const kernel::Hold hold(lock_);
    free_.push_back({start, units});
  }

  bool holds(const void* p) const noexcept {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(p) - base_);
    return at < used_.load(std::memory_order_acquire) && at >= sizeof(std::uintptr_t);
  }

 private:
  Region() {
    void* const p = ::mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED) base_ = static_cast<char*>(p);
  }
  struct Run {
    char* start;
    std::size_t units;
  };
  kernel::Lock lock_;
  char* base_ = nullptr;
  std::atomic<std::size_t> used_{0};
  std::deque<Run> free_ GUARDED_BY(lock_);
};

bool g_keep_stacks = true;

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

// The mark is the word before the body: the header's last, whether that is the member or padding behind it.
static_assert(sizeof(NblItem) % 16 == 0 && sizeof(NbItem) % 16 == 0 && sizeof(PacketItem) % 16 == 0 &&
              sizeof(BufferItem) % 16 == 0);

void keep_item_stacks(bool on) noexcept {
  g_keep_stacks = on;
}

ItemFound find_item(ItemKind kind, const void* body) noexcept {
  if (!Region::get().holds(body) || reinterpret_cast<std::uintptr_t>(body) % 16 != 0)
    return ItemFound::NotOurs;
  const std::uintptr_t mark = static_cast<const std::uintptr_t*>(body)[-1];
  if (mark == mark_for(kind, false, body)) return ItemFound::Live;
  return mark == mark_for(kind, true, body) ? ItemFound::Freed : ItemFound::NotOurs;
}

// ---- pools ----

ItemPool::ItemPool(ItemKind kind, std::size_t header, std::size_t body, std::size_t poisoned,
                   std::uint32_t limit) noexcept
    : kind_(kind), header_(header), body_(body), poisoned_(poisoned), stride_(round_up(header + body, kStride) | kStride),
      limit_(limit), processors_(kernel::System::current().machine().processors().size()),
      caches_(kernel::watches_all() || limit != kNoLimit ? nullptr : std::make_unique<Cache[]>(processors_)) {}

ItemPool::~ItemPool() {
  for (const Run& run : runs_) {
    if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(run.start, run.units * kUnit);
    Region::get().give(run.start, run.units);
  }
}

void ItemPool::set_mark(Item* item, bool free) const noexcept {
  auto* const body = static_cast<std::uintptr_t*>(body_of(item));
  body[-1] = mark_for(kind_, free, body);
}

bool ItemPool::grow() {
  const std::size_t units = round_up(stride_, kUnit) / kUnit;
  char* const start = Region::get().take(units);
  if (start == nullptr) return false;
  runs_.push_back({start, units});
  for (char* at = start; at + stride_ <= start + units * kUnit; at += stride_) {
    Item* const item = new (at) Item{};
    item->pool = this;
    set_mark(item, true);
    append_free(item);
  }
  return true;
}

void ItemPool::append_free(Item* item) noexcept {
  item->next = nullptr;
  (newest_free_ != nullptr ? newest_free_->next : oldest_free_) = item;
  newest_free_ = item;
}

/// nullptr: no memory.
Item* ItemPool::unlink_oldest() noexcept {
  if (oldest_free_ == nullptr && !grow()) return nullptr;
  Item* const item = oldest_free_;
  oldest_free_ = item->next;
  if (oldest_free_ == nullptr) newest_free_ = nullptr;
  return item;
}

Item* ItemPool::take_oldest() noexcept {
  const kernel::Hold hold(lock_);
  Item* const item = live_.load(std::memory_order_relaxed) < limit_ ? unlink_oldest() : nullptr;
  if (item != nullptr) live_.fetch_add(1, std::memory_order_relaxed);
  return item;
}

Item* ItemPool::take_cached() noexcept {
  Cache& cache = caches_[machine::processor_here->index];
  std::uint32_t count = cache.count.load(std::memory_order_relaxed);
  if (cache.first == nullptr) {
    const kernel::Hold hold(lock_);
    for (; count < kBatch; ++count) {
      Item* const item = unlink_oldest();
      if (item == nullptr) break;
      item->next = cache.first;
      cache.first = item;
    }
    live_.fetch_add(count, std::memory_order_relaxed);
    if (count == 0) return nullptr;
  }
  Item* const item = cache.first;
  cache.first = item->next;
  cache.count.store(count - 1, std::memory_order_relaxed);
  return item;
}

void ItemPool::give_cached(Item* item) noexcept {
  Cache& cache = caches_[machine::processor_here->index];
  std::uint32_t count = cache.count.load(std::memory_order_relaxed) + 1;
  item->next = cache.first;
  cache.first = item;
  if (count > 2 * kBatch) {
    const kernel::Hold hold(lock_);
    for (std::uint32_t i = 0; i < kBatch; ++i) {
      Item* const surplus = cache.first;
      cache.first = surplus->next;
      append_free(surplus);
    }
    live_.fetch_sub(kBatch, std::memory_order_relaxed);
    count -= kBatch;
  }
  cache.count.store(count, std::memory_order_relaxed);
}

std::uint32_t ItemPool::live() const noexcept {
  std::uint32_t live = live_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; caches_ != nullptr && i < processors_; ++i)
    live -= caches_[i].count.load(std::memory_order_relaxed);
  return live;
}

Item* ItemPool::take(kernel::Driver* owner) noexcept {
  Item* const item = caches_ != nullptr ? take_cached() : take_oldest();
  if (item == nullptr) return nullptr;
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(body_of(item), body_);
  std::memset(static_cast<void*>(reinterpret_cast<char*>(item) + sizeof(Item)), 0,
              header_ - sizeof(Item) - sizeof(std::uintptr_t));
  set_mark(item, false);
  item->next = nullptr;
  item->owner = owner;
  item->holder = owner;
  if (g_keep_stacks && kernel::watches_all()) item->origin = kernel::Stack::capture(2);
  item->state.publish(ItemState::Held);  // live_items() may look now
  return item;
}

void ItemPool::give(Item* item) noexcept {
  const bool watched = kernel::watches_all();
  if (g_keep_stacks && watched) item->origin = kernel::Stack::capture(2);
  if (watched) std::memset(body_of(item), kPoison, poisoned_);
  item->state = ItemState::Free;
  set_mark(item, true);
  if (__asan_poison_memory_region != nullptr) __asan_poison_memory_region(body_of(item), body_);
  if (caches_ != nullptr && (of == nullptr || of->open())) {
    give_cached(item);
    return;
  }
  const kernel::Hold hold(lock_);
  append_free(item);
  live_.fetch_sub(1, std::memory_order_relaxed);
}

std::vector<Item*> ItemPool::live_items() {
  std::vector<Item*> found;
  const kernel::Hold hold(lock_);
  for (const Run& run : runs_)
    for (char* at = run.start; at + stride_ <= run.start + run.units * kUnit; at += stride_)
      if (auto* const item = reinterpret_cast<Item*>(at);
          item->state.read() != ItemState::Free)
        found.push_back(item);
  return found;
}

// ---- telling ----

Caller caller() noexcept {
  const kernel::Thread* const thread = kernel::Thread::current_or_null();
  const kernel::CallFrame* const frame = thread != nullptr ? thread->calls : nullptr;
  if (frame == nullptr || frame->kind != kernel::CallFrame::Kind::Ddi) return {kernel::current_driver(), ""};
  return {frame->driver, frame->name};
}

bool acts_for(const kernel::Driver* driver, const kernel::Driver* holder) noexcept {
  return driver == holder || driver == nullptr || holder == nullptr || driver->harness() || holder->harness();
}

const char* to_text(ItemKind kind) noexcept {
  switch (kind) {
  case ItemKind::NetBufferList:
    return "net buffer list";
  case ItemKind::NetBuffer:
    return "net buffer";
  case ItemKind::Packet:
    return "packet";
  case ItemKind::Buffer:
    return "buffer";
  case ItemKind::OidRequest:
    return "OID request";
  }
  return "item";
}

void tell_item_misuse(ItemKind kind, const void* item, bool completion, std::string why,
                      const kernel::Stack& origin) {
  const Caller who = caller();
  const bool version5 = kind == ItemKind::Packet || kind == ItemKind::Buffer;
  const char* const rule = completion ? (version5 ? "PacketDoubleComplete" : "NblDoubleComplete")
                           : version5 ? "PacketMisuse"
                                      : "NblMisuse";
  Library::current().observer().on(ItemMisuse{who.driver, who.function, kind, item, rule, std::move(why),
                                              kernel::Stack::capture(1), origin});
}

}  // namespace undis
