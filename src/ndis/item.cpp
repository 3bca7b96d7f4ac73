// SPDX-License-Identifier: MIT
//
// The region of the address space that items live in, the pools in it, and how misuse of an item is told.
#include "ndis/item.h"

#include <sys/mman.h>

#include <cstring>
#include <deque>
#include <iterator>
#include <new>
#include <vector>

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

namespace detail {
constinit char* item_region = nullptr;
constinit std::atomic<std::size_t> item_region_used{0};
constinit std::atomic<std::size_t> quick_region_used{0};
constinit bool quick_calls = false;
}  // namespace detail

namespace {

using detail::item_mark;

constexpr std::size_t kUnit = 64 * 1024;
constexpr std::size_t kRegion = std::size_t{64} << 30;  // of addresses; less where a limit leaves less
constexpr std::size_t kLeastRegion = std::size_t{1} << 30;
constexpr std::size_t kStride =
    64;  // a cache line; blocks are an odd number of them apart, so that all sets of a cache serve them
constexpr std::size_t kQuarantined = 64;  // runs that wait before they are used again
/// Units are committed from the bottom up and given back by nobody. Runs that a pool gave up wait, until so
/// many others have come after them or their world is gone; then they are used again, the last one first, for
/// it is still in the caches.
class Region {
 public:
  static Region& get() {
    static Region region;
    return region;
  }

  char* take(std::size_t units) noexcept {
    const kernel::Hold hold(lock_);
    for (auto run = ready_.rbegin(); run != ready_.rend(); ++run) {
      if (run->units != units) continue;
      char* const start = run->start;
      ready_.erase(std::next(run).base());
      return start;
    }
    const std::size_t size = units * kUnit;
    const std::size_t used = detail::item_region_used.load(std::memory_order_relaxed);
    if (used + size > size_) return nullptr;
    char* const start = detail::item_region + used;
    if (::mprotect(start, size, PROT_READ | PROT_WRITE) != 0) return nullptr;
    detail::item_region_used.store(used + size, std::memory_order_release);
    if (goes_quickly()) detail::quick_region_used.store(used + size, std::memory_order_release);
    return start;
  }

  void give(char* start, std::size_t units) noexcept {
    const kernel::Hold hold(lock_);
    waiting_.push_back({start, units});
    if (waiting_.size() <= kQuarantined) return;
    ready_.push_back(waiting_.front());
    waiting_.pop_front();
  }

  void end_waits() noexcept {
    const kernel::Hold hold(lock_);
    ready_.insert(ready_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
  }

 private:
  Region() {
    for (std::size_t size = kRegion; size_ == 0 && size >= kLeastRegion; size /= 2) {
      void* const p = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) continue;
      detail::item_region = static_cast<char*>(p) + kUnit;
      size_ = size - kUnit;
      ::mprotect(p, kUnit, PROT_READ);
    }
  }
  struct Run {
    char* start;
    std::size_t units;
  };
  kernel::Lock lock_;
  std::size_t size_ = 0;  // that runs may be cut from
  std::deque<Run> waiting_ GUARDED_BY(lock_);
  std::vector<Run> ready_ GUARDED_BY(lock_);
};

bool g_keep_stacks = true;

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

// The mark is the word before the body.
static_assert(offsetof(Item, mark) == sizeof(Item) - sizeof(std::uintptr_t) &&
              offsetof(Item, pool) % 64 == 0 && offsetof(Item, pool) + 64 == sizeof(Item));
template <class Front, class Whole>
constexpr bool kItemIsLast = sizeof(Whole) == (sizeof(Front) + 63) / 64 * 64 + sizeof(Item);
static_assert(kItemIsLast<NblWay, NblItem> && kItemIsLast<PacketWay, PacketItem> &&
              sizeof(NbItem) == sizeof(Item) && sizeof(BufferItem) == sizeof(Item));

void end_item_quarantine() noexcept {
  Region::get().end_waits();
}

void keep_item_stacks(bool on) noexcept {
  g_keep_stacks = on;
}

void go_quickly(bool on) noexcept {
  detail::quick_calls = on;
  detail::quick_region_used = on ? detail::item_region_used.load() : 0;
}

ItemFound find_item(ItemKind kind, const void* body) noexcept {
  if (!detail::may_be_item(body, detail::item_region_used)) return ItemFound::NotOurs;
  const std::uintptr_t mark = detail::mark_before(body);
  if (mark == item_mark(kind, false, body)) return ItemFound::Live;
  return mark == item_mark(kind, true, body) ? ItemFound::Freed : ItemFound::NotOurs;
}

// ---- pools ----

ItemPool::ItemPool(ItemKind kind, std::size_t header, std::size_t body, std::size_t poisoned,
                   std::uint32_t limit) noexcept
    : kind_(kind), front_(header - sizeof(Item)), body_(body), poisoned_(poisoned),
      stride_(round_up(header + body, kStride) | kStride), limit_(limit),
      processors_(kernel::System::current().machine().processors().size()),
      caches_(kernel::watches_all() || limit != kNoLimit ? nullptr : std::make_unique<Cache[]>(processors_)) {
}

ItemPool::~ItemPool() {
  if (live() != 0)
    for (Item* const left : live_items()) set_mark(left, true);
  for (const Run& run : runs_) {
    if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(run.start, run.units * kUnit);
    Region::get().give(run.start, run.units);
  }
}

void ItemPool::set_mark(Item* item, bool free) const noexcept {
  std::atomic_ref(item->mark).store(item_mark(kind_, free, body_of(item)), std::memory_order_release);
}

bool ItemPool::is_free(Item* item) const noexcept {
  return std::atomic_ref(item->mark).load(std::memory_order_acquire) == item_mark(kind_, true, body_of(item));
}

void ItemPool::clear_front(Item* item) const noexcept {
  std::memset(static_cast<void*>(reinterpret_cast<char*>(item) - front_), 0, front_);
  item->used = false;
}

void ItemPool::serve_quickly(kernel::Driver* owner) noexcept {
  // A schedule decides at each call what comes next and what fails; AddressSanitizer is told of each block.
  if (owner == nullptr || caches_ == nullptr || kernel::System::current().machine().single_threaded() ||
      __asan_poison_memory_region != nullptr)
    return;
  quick_.store(caches_.get(), std::memory_order_relaxed);
}

bool ItemPool::grow() {
  const std::size_t units = round_up(stride_, kUnit) / kUnit;
  char* const start = Region::get().take(units);
  if (start == nullptr) return false;
  runs_.push_back({start, units});
  fresh_ = start;
  fresh_end_ = start + units * kUnit;
  return true;
}

/// The next block of the newest run that nobody has had yet; nullptr: it is used up.
Item* ItemPool::carve() noexcept {
  if (stride_ > static_cast<std::size_t>(fresh_end_ - fresh_)) return nullptr;
  Item* const item = new (item_at(fresh_)) Item{};
  fresh_ += stride_;
  item->pool = this;
  clear_front(item);  // the run may be another pool's of before
  set_mark(item, true);
  return item;
}

void ItemPool::append_free(Item* item) noexcept {
  item->next = nullptr;
  (newest_free_ != nullptr ? newest_free_->next : oldest_free_) = item;
  newest_free_ = item;
}

/// A fresh one if there is any. nullptr: no memory.
Item* ItemPool::unlink_oldest() noexcept {
  if (Item* const fresh = carve()) return fresh;
  if (oldest_free_ == nullptr) return grow() ? carve() : nullptr;
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

Item* ItemPool::take_cached(kernel::Driver* owner) noexcept {
  Cache& cache = own(caches_.get());
  std::uint32_t count = cache.count.load(std::memory_order_relaxed);
  if (cache.first == nullptr) {
    const kernel::Hold hold(lock_);
    for (; count < kBatch; ++count) {
      Item* const item = unlink_oldest();
      if (item == nullptr) break;
      item->owner = item->holder = owner;  // as take_quickly() leaves it
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
  Cache& cache = own(caches_.get());
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
  Item* const item = caches_ != nullptr ? take_cached(owner) : take_oldest();
  if (item == nullptr) return nullptr;
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(body_of(item), body_);
  clear_front(item);
  item->initial_context = nullptr;
  item->data_room = 0;
  item->derived = 0;
  item->next = nullptr;
  item->owner = owner;
  item->holder = owner;
  if (g_keep_stacks && kernel::watches_all()) item->origin = kernel::Stack::capture(2);
  item->state = ItemState::Held;
  set_mark(item, false);  // live_items() may look now
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
    for (char* at = run.start; at != fresh_ && at + stride_ <= run.start + run.units * kUnit; at += stride_)
      if (Item* const item = item_at(at); !is_free(item)) found.push_back(item);
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
