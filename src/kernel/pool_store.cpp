// SPDX-License-Identifier: MIT
//
// Slabs of equal cells from mmap, and the malloc-backed store that is used under AddressSanitizer.
#include "kernel/pool_store.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

// Present when the process runs under AddressSanitizer, whether this library was built with it or only the
// driver was.
extern "C" __attribute__((weak)) void __asan_poison_memory_region(void const volatile* address,
                                                                  std::size_t size);

namespace undis::kernel {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kUnit =
    std::size_t{64} * 1024;         // slabs start at multiples of this, so an address leads to its slab
constexpr std::size_t kGuard = 16;  // at least so many bytes of each cell lie beyond the block
// Cells smaller than a page never cross into the next one, larger ones begin on one, as Windows promises for
// its pool. All are multiples of 16.
constexpr std::array<std::size_t, 17> kClasses = {32,  48,  64,   96,   128,  192,  256,  336,  448,
                                                  672, 816, 1024, 1360, 2048, 4096, 8192, 16384};

std::byte* map_units(std::size_t bytes) noexcept {
  // One unit more than needed, so that an aligned part can be cut out.
  const std::size_t total = bytes + kUnit;
  void* const raw =
      mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(raw);
  const std::uintptr_t aligned = (begin + kUnit - 1) & ~(kUnit - 1);
  if (aligned != begin) munmap(raw, aligned - begin);
  const std::uintptr_t end = begin + total;
  const std::uintptr_t used = aligned + bytes;
  if (used != end) munmap(reinterpret_cast<void*>(used), end - used);
  return reinterpret_cast<std::byte*>(aligned);
}

/// A run of units cut into equal cells; a large block is a slab of one cell.
struct Slab {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
  std::size_t cell_size = 0;
  std::size_t per_page = 0;  // 0: a cell has a page or more
  std::size_t count = 0;
  std::size_t carved = 0;  // cells handed out at least once; the records beyond are not made yet
  std::unique_ptr<std::byte[]> records;

  PoolCell* cell_at(std::size_t index) noexcept { return reinterpret_cast<PoolCell*>(records.get()) + index; }

  Slab(std::byte* at, std::size_t length, std::size_t cell)
      : base(at), bytes(length), cell_size(cell), per_page(kPage / cell > 1 ? kPage / cell : 0),
        count(per_page != 0 ? length / kPage * per_page : length / cell),
        records(std::make_unique_for_overwrite<std::byte[]>(count * sizeof(PoolCell))) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() { munmap(base, bytes); }

  PoolCell& carve() noexcept {
    PoolCell& cell = *new (cell_at(carved)) PoolCell;
    cell.address = base + (per_page == 0 ? carved * cell_size
                                         : carved / per_page * kPage + carved % per_page * cell_size);
    cell.capacity = cell_size;
    ++carved;
    return cell;
  }
  PoolCell* at(std::size_t offset) noexcept {
    std::size_t index = offset / cell_size;
    if (per_page != 0) {
      const std::size_t in_page = offset % kPage / cell_size;
      if (in_page >= per_page) return nullptr;  // what is left over at the end of a page
      index = offset / kPage * per_page + in_page;
    }
    return index < carved ? cell_at(index) : nullptr;
  }
};

static_assert(std::is_trivially_destructible_v<PoolCell> && alignof(PoolCell) <= alignof(std::max_align_t));

/// Slabs of stores that are gone, for those that come: a search makes thousands of systems a second, and
/// mapping memory would cost more than they do. What is in them is stale; the pool fills what it hands out.
class SpareSlabs {
 public:
  static SpareSlabs& shared() {
    static SpareSlabs* const spare =
        new SpareSlabs;  // outlives every static destructor that might still free pool
    return *spare;
  }
  std::unique_ptr<Slab> take(std::size_t index) {
    const std::lock_guard hold(mutex_);
    std::vector<std::unique_ptr<Slab>>& list = slabs_[index];
    if (list.empty()) return nullptr;
    std::unique_ptr<Slab> slab = std::move(list.back());
    list.pop_back();
    slab->carved = 0;
    return slab;
  }
  void give(std::size_t index, std::unique_ptr<Slab> slab) {
    const std::lock_guard hold(mutex_);
    if (slabs_[index].size() < kMost) slabs_[index].push_back(std::move(slab));
  }

  /// A slab of exactly so many bytes that is one cell.
  std::unique_ptr<Slab> take_large(std::size_t bytes) {
    const std::lock_guard hold(mutex_);
    const auto fits = [bytes](const std::unique_ptr<Slab>& slab) { return slab->bytes == bytes; };
    const auto found = std::find_if(large_.rbegin(), large_.rend(), fits);
    if (found == large_.rend()) return nullptr;
    std::unique_ptr<Slab> slab = std::move(*found);
    large_.erase(std::next(found).base());
    large_bytes_ -= bytes;
    slab->carved = 0;
    return slab;
  }
  /// What was given last is what is likely to be wanted again: the oldest go when there are too many.
  void give_large(std::unique_ptr<Slab> slab) {
    const std::lock_guard hold(mutex_);
    large_bytes_ += slab->bytes;
    large_.push_back(std::move(slab));
    auto kept = large_.begin();
    for (; large_bytes_ > kMostLarge; ++kept) large_bytes_ -= (*kept)->bytes;
    large_.erase(large_.begin(), kept);
  }

 private:
  static constexpr std::size_t kMost = 4;                          // of each class
  static constexpr std::size_t kMostLarge = std::size_t{4} << 20;  // bytes
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slab>> large_;  // oldest first
  std::size_t large_bytes_ = 0;
  std::array<std::vector<std::unique_ptr<Slab>>, kClasses.size()> slabs_;
};

/// Which slab a unit belongs to. Never shrinks; half of its places are free at least.
class UnitTable {
 public:
  Slab* find(std::uintptr_t unit) const noexcept {
    std::size_t at = place_of(unit);
    while (entries_[at].slab != nullptr && entries_[at].unit != unit) at = (at + 1) & (entries_.size() - 1);
    return entries_[at].slab;
  }
  void add(std::uintptr_t unit, Slab* slab) {
    if (++count_ * 2 > entries_.size()) {
      std::vector<Entry> before(entries_.size() * 2);
      before.swap(entries_);
      for (const Entry& entry : before)
        if (entry.slab != nullptr) put(entry);
    }
    put({unit, slab});
  }

 private:
  struct Entry {
    std::uintptr_t unit = 0;
    Slab* slab = nullptr;  // nullptr: free
  };
  std::size_t place_of(std::uintptr_t unit) const noexcept { return unit & (entries_.size() - 1); }
  void put(const Entry& entry) noexcept {
    std::size_t at = place_of(entry.unit);
    while (entries_[at].slab != nullptr) at = (at + 1) & (entries_.size() - 1);
    entries_[at] = entry;
  }
  std::vector<Entry> entries_ = std::vector<Entry>(64);  // a power of two
  std::size_t count_ = 0;
};

class SlabStore final : public PoolStore {
 public:
  ~SlabStore() override {
    for (std::unique_ptr<Slab>& slab : slabs_) {
      const auto found = std::find(kClasses.begin(), kClasses.end(), slab->cell_size);
      if (found != kClasses.end()) {
        SpareSlabs::shared().give(static_cast<std::size_t>(found - kClasses.begin()), std::move(slab));
      } else {
        SpareSlabs::shared().give_large(std::move(slab));
      }
    }
  }

  PoolCell* take(std::size_t size, std::size_t alignment) noexcept override {
    std::size_t need = size + kGuard;
    if (size >= kPage) alignment = std::max(alignment, kPage);
    if (need < size) return nullptr;
    // A cell's address is a multiple of its size within its page, which a power of two carries over to the
    // alignment.
    const auto fits = [&](std::size_t cell) {
      return cell >= need && (alignment <= 16 || cell % alignment == 0);
    };
    const auto found = std::find_if(kClasses.begin(), kClasses.end(), fits);
    if (found == kClasses.end()) return take_large(need);
    return take_from(static_cast<std::size_t>(found - kClasses.begin()));
  }

  void give(PoolCell& cell) noexcept override {
    cell.state = PoolCell::State::Free;
    cell.previous = nullptr;
    const auto found = std::find(kClasses.begin(), kClasses.end(), cell.capacity);
    PoolCell*& list = found == kClasses.end() ? large_[cell.capacity]
                                              : free_[static_cast<std::size_t>(found - kClasses.begin())];
    cell.next = list;
    list = &cell;
  }

  PoolCell* at(const void* address) noexcept override {
    const auto value = reinterpret_cast<std::uintptr_t>(address);
    Slab* const slab = units_.find(value / kUnit);
    return slab == nullptr ? nullptr : slab->at(value - reinterpret_cast<std::uintptr_t>(slab->base));
  }

  bool sanitized() const noexcept override { return false; }

 private:
  Slab* add_slab(std::unique_ptr<Slab> made) {
    Slab* const slab = slabs_.emplace_back(std::move(made)).get();
    for (std::uintptr_t unit = 0; unit < slab->bytes / kUnit; ++unit)
      units_.add(reinterpret_cast<std::uintptr_t>(slab->base) / kUnit + unit, slab);
    return slab;
  }
  Slab* add_slab(std::size_t bytes, std::size_t cell_size) noexcept {
    std::byte* const base = map_units(bytes);
    return base == nullptr ? nullptr : add_slab(std::make_unique<Slab>(base, bytes, cell_size));
  }

  PoolCell* take_from(std::size_t index) noexcept {
    if (PoolCell* const cell = free_[index]) {
      free_[index] = cell->next;
      return cell;
    }
    Slab*& open = open_[index];
    if (open == nullptr || open->carved == open->count) {
      std::unique_ptr<Slab> spare = SpareSlabs::shared().take(index);
      open = spare != nullptr ? add_slab(std::move(spare)) : add_slab(kUnit, kClasses[index]);
    }
    return open == nullptr ? nullptr : &open->carve();
  }

  PoolCell* take_large(std::size_t need) noexcept {
    const std::size_t bytes = (need + kUnit - 1) & ~(kUnit - 1);
    if (bytes < need) return nullptr;
    PoolCell*& list = large_[bytes];
    if (PoolCell* const cell = list) {
      list = cell->next;
      return cell;
    }
    std::unique_ptr<Slab> spare = SpareSlabs::shared().take_large(bytes);
    Slab* const slab = spare != nullptr ? add_slab(std::move(spare)) : add_slab(bytes, bytes);
    return slab == nullptr ? nullptr : &slab->carve();
  }

  std::vector<std::unique_ptr<Slab>> slabs_;
  UnitTable units_;
  std::array<PoolCell*, kClasses.size()> free_{};
  std::array<Slab*, kClasses.size()> open_{};
  std::map<std::size_t, PoolCell*> large_;
};

/// One malloc block per cell. Records of freed blocks stay for a while, so that a second free is told and not
/// passed on.
class MallocStore final : public PoolStore {
 public:
  ~MallocStore() override {
    for (auto& [address, cell] : cells_)
      if (cell->state == PoolCell::State::Live) std::free(cell->address);
  }

  PoolCell* take(std::size_t size, std::size_t alignment) noexcept override {
    if (size >= kPage) alignment = std::max(alignment, kPage);
    void* memory = nullptr;
    if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), std::max<std::size_t>(size, 1)) != 0)
      return nullptr;
    auto& cell = cells_[reinterpret_cast<std::uintptr_t>(memory)];
    cell = std::make_unique<PoolCell>();
    cell->address = static_cast<std::byte*>(memory);
    cell->capacity = size;
    return cell.get();
  }

  void give(PoolCell& cell) noexcept override {
    cell.state = PoolCell::State::Free;
    std::free(cell.address);
    remembered_.push_back(reinterpret_cast<std::uintptr_t>(cell.address));
    if (remembered_.size() < kRemembered) return;
    for (std::size_t i = 0; i < kRemembered / 2; ++i) {
      const auto old = cells_.find(remembered_[i]);
      if (old != cells_.end() && old->second->state == PoolCell::State::Free) cells_.erase(old);
    }
    remembered_.erase(remembered_.begin(),
                      remembered_.begin() + static_cast<std::ptrdiff_t>(kRemembered / 2));
  }

  PoolCell* at(const void* address) noexcept override {
    const auto value = reinterpret_cast<std::uintptr_t>(address);
    auto above = cells_.upper_bound(value);
    if (above == cells_.begin()) return nullptr;
    PoolCell& cell = *(--above)->second;
    return value == above->first || value - above->first < cell.capacity ? &cell : nullptr;
  }

  bool sanitized() const noexcept override { return true; }

 private:
  static constexpr std::size_t kRemembered = 8192;
  std::map<std::uintptr_t, std::unique_ptr<PoolCell>> cells_;
  std::vector<std::uintptr_t> remembered_;
};

}  // namespace

std::unique_ptr<PoolStore> PoolStore::make() {
  if (__asan_poison_memory_region != nullptr) return std::make_unique<MallocStore>();
  return std::make_unique<SlabStore>();
}

}  // namespace undis::kernel
