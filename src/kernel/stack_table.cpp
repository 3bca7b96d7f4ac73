// SPDX-License-Identifier: MIT
//
// StackTable: open addressing, never more than half full.
#include "kernel/stack_table.h"

#include <algorithm>

namespace undis::kernel {
namespace {

bool same(const Stack& a, const Stack& b) noexcept {
  return a.count == b.count && std::equal(a.frames, a.frames + a.count, b.frames);
}

/// Each frame is multiplied on its own, so that none waits for the one before it.
std::uint64_t hash_of(const Stack& stack) noexcept {
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = stack.count;
  std::uint64_t factor = kSpread;
  for (std::uint32_t i = 0; i < stack.count; ++i, factor += 2 * kSpread)
    hash += reinterpret_cast<std::uintptr_t>(stack.frames[i]) * factor;
  return hash ^ hash >> 32;
}

}  // namespace

std::uint32_t StackTable::add(const Stack& stack) {
  if (stack.count == 0) return 0;
  const std::uint64_t hash = hash_of(stack);
  std::size_t place = hash % places_.size();
  for (; places_[place].number != 0; place = (place + 1) % places_.size())
    if (places_[place].hash == hash && same(at(places_[place].number), stack)) return places_[place].number;
  const std::uint32_t number = keep(stack);
  places_[place] = {hash, number};
  if (count_ > places_.size() / 2) widen();
  return number;
}

std::uint32_t StackTable::keep(const Stack& stack) {
  if (count_ / kChunk == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<Stack[]>(kChunk));
  Stack& kept = chunks_.back()[count_ % kChunk];
  kept.count = stack.count;
  std::copy_n(stack.frames, stack.count, kept.frames);
  return count_++;
}

void StackTable::widen() {
  std::vector<Place> wider(2 * places_.size());
  for (const Place& place : places_) {
    if (place.number == 0) continue;
    std::size_t at = place.hash % wider.size();
    while (wider[at].number != 0) at = (at + 1) % wider.size();
    wider[at] = place;
  }
  places_.swap(wider);
}

}  // namespace undis::kernel
