// SPDX-License-Identifier: MIT
//
// The pool's bookkeeping: who owns what, what is poisoned, what was damaged. Its entry points are in
// pool_ddi.cpp.
#include "kernel/pool.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/misuse.h"
#include "kernel/pool_store.h"
#include "kernel/stack_table.h"

namespace undis::kernel {

/// Live blocks of one driver. Owners are few and are kept as long as the pool.
struct PoolOwner {
  Driver* driver = nullptr;
  PoolCell* oldest = nullptr;
  PoolCell* newest = nullptr;
  std::size_t blocks = 0;
  std::size_t bytes = 0;
};

namespace {

constexpr unsigned char kFresh = 0xCD;
constexpr unsigned char kPoison = 0xDD;
constexpr unsigned char kGuard = 0xFD;
constexpr std::size_t kPoisonedBytes = 4096;  // of a freed block; poisoning all of a large one costs too much
constexpr std::size_t kGuardedBytes = 64;     // of the bytes beyond a block
constexpr std::size_t kQuarantined = 256;     // blocks
constexpr std::size_t kQuarantinedBytes = std::size_t{8} << 20;

/// Each byte equals the one after it, and the first is the value: memcmp is much faster than a loop.
bool all_are(const std::byte* bytes, std::size_t count, unsigned char value) noexcept {
  return count == 0 ||
         (bytes[0] == static_cast<std::byte>(value) && std::memcmp(bytes, bytes + 1, count - 1) == 0);
}

std::size_t guard_size(const PoolCell& cell) noexcept {
  return std::min(cell.capacity - cell.size, kGuardedBytes);
}
std::size_t poison_size(const PoolCell& cell) noexcept {
  return std::min(cell.size, kPoisonedBytes);
}

std::string describe(const PoolCell& cell) {
  return fmt::format("pool block of {} bytes, tag '{}'", cell.size, pool_tag_text(cell.tag).text);
}

/// A report that is sent once the lock is given back.
struct Finding {
  Misuse kind;
  Driver* blame;
  const void* object;
  std::string text;
  Stack origin;
};

void report_all(const std::vector<Finding>& findings, const char* function) {
  for (const Finding& found : findings)
    report_misuse_of(found.blame, found.kind, function, found.object, found.text, found.origin);
}

}  // namespace

struct Pool::Parts {
  std::unique_ptr<PoolStore> store = PoolStore::make();
  StackTable stacks;
  std::vector<std::unique_ptr<PoolOwner>> owners;
  std::vector<PoolCell*> quarantine;  // a ring: the next to leave is at `oldest`
  std::size_t oldest = 0;
  std::size_t quarantined_bytes = 0;

  PoolOwner& owner_of(Driver* driver) {
    for (const auto& owner : owners)
      if (owner->driver == driver) return *owner;
    owners.push_back(std::make_unique<PoolOwner>());
    owners.back()->driver = driver;
    return *owners.back();
  }
  const PoolOwner* find_owner(const Driver* driver) const noexcept {
    for (const auto& owner : owners)
      if (owner->driver == driver) return owner.get();
    return nullptr;
  }

  static void link(PoolOwner& owner, PoolCell& cell) noexcept {
    cell.owner = &owner;
    cell.next = nullptr;
    cell.previous = owner.newest;
    (owner.newest != nullptr ? owner.newest->next : owner.oldest) = &cell;
    owner.newest = &cell;
    ++owner.blocks;
    owner.bytes += cell.size;
  }
  static void unlink(PoolCell& cell) noexcept {
    PoolOwner& owner = *cell.owner;
    (cell.previous != nullptr ? cell.previous->next : owner.oldest) = cell.next;
    (cell.next != nullptr ? cell.next->previous : owner.newest) = cell.previous;
    cell.next = cell.previous = nullptr;
    --owner.blocks;
    owner.bytes -= cell.size;
  }

  PoolBlock block(const PoolCell& cell) const {
    PoolBlock b;
    b.address = cell.address;
    b.size = cell.size;
    b.tag = cell.tag;
    b.kind = cell.kind;
    b.live = cell.state == PoolCell::State::Live;
    b.owner = cell.owner != nullptr ? cell.owner->driver : nullptr;
    b.allocated = &stacks.at(cell.allocated);
    b.freed = &stacks.at(cell.freed);
    return b;
  }

  bool guard_intact(const PoolCell& cell) const noexcept {
    return store->sanitized() || all_are(cell.address + cell.size, guard_size(cell), kGuard);
  }
  Finding overrun(const PoolCell& cell) const {
    return {Misuse::PoolCorruption, cell.owner->driver, cell.address,
            describe(cell) + ": bytes beyond its end were overwritten", stacks.at(cell.allocated)};
  }

  /// A freed block leaves the quarantine for good; what was written into it meanwhile is found now.
  void release(PoolCell& cell, std::vector<Finding>& findings) {
    if (cell.poisoned && !all_are(cell.address, poison_size(cell), kPoison)) {
      findings.push_back({Misuse::PoolCorruption, cell.owner->driver, cell.address,
                          describe(cell) + " was written to after it was freed", stacks.at(cell.freed)});
    }
    cell.poisoned = false;
    cell.owner = nullptr;
    store->give(cell);
  }

  void quarantine_cell(PoolCell& cell, std::vector<Finding>& findings) {
    cell.state = PoolCell::State::Quarantined;
    if (store->sanitized()) {
      cell.owner = nullptr;
      store->give(cell);
      return;
    }
    std::memset(cell.address, kPoison, poison_size(cell));
    cell.poisoned = true;
    while (quarantine.size() - oldest >= kQuarantined || quarantined_bytes > kQuarantinedBytes)
      leave(findings);
    if (oldest >= kQuarantined) {
      quarantine.erase(quarantine.begin(), quarantine.begin() + static_cast<std::ptrdiff_t>(oldest));
      oldest = 0;
    }
    quarantine.push_back(&cell);
    quarantined_bytes += cell.capacity;
  }
  void leave(std::vector<Finding>& findings) {
    PoolCell& cell = *quarantine[oldest++];
    quarantined_bytes -= cell.capacity;
    release(cell, findings);
  }

  void take_back(PoolCell& cell, std::uint32_t stack, std::vector<Finding>& findings) {
    unlink(cell);
    cell.freed = stack;
    quarantine_cell(cell, findings);
  }

  /// The driver is about to go: what it freed and still waits in the quarantine becomes the host's.
  void forget(PoolOwner& gone) {
    PoolOwner& host = owner_of(nullptr);
    for (std::size_t i = oldest; i < quarantine.size(); ++i)
      if (quarantine[i]->owner == &gone) quarantine[i]->owner = &host;
    owners.erase(
        std::find_if(owners.begin(), owners.end(), [&](const auto& owner) { return owner.get() == &gone; }));
  }
};

Pool::Pool() : parts_(std::make_unique<Parts>()) {}
Pool::~Pool() = default;

void* Pool::allocate(const Request& request) noexcept {
  Stack stack;
  if (keep_stacks_) stack = Stack::capture(1);
  std::byte* address = nullptr;
  std::size_t guard = 0;
  {
    const Hold hold(lock_);
    PoolCell* const cell = parts_->store->take(request.size, request.alignment);
    if (cell == nullptr) return nullptr;
    cell->size = request.size;
    cell->tag = request.tag;
    cell->kind = request.kind;
    cell->state = PoolCell::State::Live;
    cell->allocated = parts_->stacks.add(stack);
    cell->freed = 0;
    Parts::link(parts_->owner_of(request.owner), *cell);
    address = cell->address;
    if (!parts_->store->sanitized()) guard = guard_size(*cell);
  }
  std::memset(address, request.zero ? 0 : kFresh, request.size);
  std::memset(address + request.size, kGuard, guard);
  return address;
}

Pool::Freed Pool::free(void* block, ULONG tag, const char* function, Driver* blame) noexcept {
  Stack stack;
  if (keep_stacks_) stack = Stack::capture(1);
  std::vector<Finding> findings;
  Freed result = Freed::Ok;
  {
    const Hold hold(lock_);
    Parts& parts = *parts_;
    PoolCell* const cell = parts.store->at(block);
    if (cell == nullptr) {
      result = Freed::NotOurs;
      findings.push_back({Misuse::PoolBadPointer, blame, block, "the pointer given is no pool block", {}});
    } else if (cell->address != block) {
      const auto offset = static_cast<std::byte*>(block) - cell->address;
      result = Freed::NotOurs;
      findings.push_back({Misuse::PoolBadPointer, blame, block,
                          fmt::format("the pointer given lies {} bytes into a {}", offset, describe(*cell)),
                          parts.stacks.at(cell->allocated)});
    } else if (cell->state != PoolCell::State::Live) {
      result = Freed::Twice;
      findings.push_back({Misuse::PoolDoubleFree, blame, block, describe(*cell) + " was freed before",
                          parts.stacks.at(cell->freed)});
    } else {
      if (tag != 0 && cell->tag != tag) {
        result = Freed::WrongTag;
        findings.push_back(
            {Misuse::PoolTagMismatch, blame, block,
             fmt::format("{} is freed with the tag '{}'", describe(*cell), pool_tag_text(tag).text),
             parts.stacks.at(cell->allocated)});
      }
      if (!parts.guard_intact(*cell)) {
        result = Freed::Corrupt;
        findings.push_back(parts.overrun(*cell));
      }
      parts.take_back(*cell, parts.stacks.add(stack), findings);
    }
  }
  report_all(findings, function);
  return result;
}

bool Pool::find(const void* address, PoolBlock& found) const noexcept {
  const Hold hold(lock_);
  const PoolCell* const cell = parts_->store->at(address);
  if (cell == nullptr ||
      static_cast<const std::byte*>(address) >= cell->address + std::max<std::size_t>(cell->size, 1))
    return false;
  found = parts_->block(*cell);
  return true;
}

std::vector<PoolBlock> Pool::live_of(const Driver* owner) const {
  const Hold hold(lock_);
  std::vector<PoolBlock> blocks;
  if (const PoolOwner* const found = parts_->find_owner(owner)) {
    for (const PoolCell* cell = found->oldest; cell != nullptr; cell = cell->next)
      blocks.push_back(parts_->block(*cell));
  }
  return blocks;
}

std::vector<PoolCount> Pool::counts() const {
  const Hold hold(lock_);
  std::vector<PoolCount> counts;
  for (const auto& owner : parts_->owners) {
    const std::size_t first = counts.size();
    for (const PoolCell* cell = owner->oldest; cell != nullptr; cell = cell->next) {
      const auto same = std::find_if(counts.begin() + static_cast<std::ptrdiff_t>(first), counts.end(),
                                     [&](const PoolCount& count) { return count.tag == cell->tag; });
      PoolCount& count =
          same != counts.end() ? *same : counts.emplace_back(PoolCount{cell->tag, owner->driver, 0, 0});
      ++count.blocks;
      count.bytes += cell->size;
    }
  }
  return counts;
}

std::size_t Pool::live_blocks(const Driver* owner) const noexcept {
  const Hold hold(lock_);
  const PoolOwner* const found = parts_->find_owner(owner);
  return found != nullptr ? found->blocks : 0;
}

std::size_t Pool::live_bytes(const Driver* owner) const noexcept {
  const Hold hold(lock_);
  const PoolOwner* const found = parts_->find_owner(owner);
  return found != nullptr ? found->bytes : 0;
}

std::size_t Pool::sweep(Driver& owner) {
  std::vector<Finding> findings;
  std::size_t leaked = 0;
  {
    const Hold hold(lock_);
    Parts& parts = *parts_;
    PoolOwner& found = parts.owner_of(&owner);
    // The driver's freed blocks first: the leaked ones that follow would push them out.
    for (std::size_t i = parts.oldest; i < parts.quarantine.size(); ++i) {
      PoolCell& cell = *parts.quarantine[i];
      if (cell.owner != &found || all_are(cell.address, poison_size(cell), kPoison)) continue;
      findings.push_back({Misuse::PoolCorruption, &owner, cell.address,
                          describe(cell) + " was written to after it was freed",
                          parts.stacks.at(cell.freed)});
      std::memset(cell.address, kPoison, poison_size(cell));
    }
    while (found.oldest != nullptr) {
      PoolCell& cell = *found.oldest;
      ++leaked;
      findings.push_back({Misuse::PoolLeak, &owner, cell.address, describe(cell) + " is still allocated",
                          parts.stacks.at(cell.allocated)});
      if (!parts.guard_intact(cell)) findings.push_back(parts.overrun(cell));
      parts.take_back(cell, 0, findings);
    }
    parts.forget(found);
  }
  if (!owner.harness()) report_all(findings, "DriverUnload");
  return leaked;
}

PoolTagText pool_tag_text(ULONG tag) noexcept {
  PoolTagText text{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto c = static_cast<unsigned char>(tag >> (8 * i));
    text.text[i] = c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '.';
  }
  return text;
}

}  // namespace undis::kernel
