// SPDX-License-Identifier: MIT
//
// Board: anonymous shared memory, all zeros at first. Pages that nothing is written to cost nothing.
#include "lab/board.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace undis::lab {

Board::Board() {
  void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "memory shared with workers");
  shared_ = static_cast<Shared*>(memory);  // zeros are what its members begin with
}

Board::~Board() {
  ::munmap(shared_, sizeof(Shared));
}

template <std::size_t kSlots>
bool Board::Set<kSlots>::insert(std::uint64_t value) noexcept {
  if (value == 0) value = 1;
  std::size_t at = (value * 0x9e3779b97f4a7c15U >> 32) % kSlots;
  for (int tries = 0; tries < 64; ++tries, at = (at + 1) % kSlots) {
    std::uint64_t seen = slots[at].load(std::memory_order_relaxed);
    if (seen == value) return false;
    if (seen == 0 && slots[at].compare_exchange_strong(seen, value, std::memory_order_relaxed)) return true;
    if (seen == value) return false;
  }
  return false;
}

void Board::begin(const std::string& schedule) noexcept {
  const bool fits = schedule.size() <= kLongest;
  if (fits) std::memcpy(shared_->schedule, schedule.data(), schedule.size());
  shared_->length.store(fits ? static_cast<std::uint32_t>(schedule.size()) : 0, std::memory_order_relaxed);
  shared_->begun.fetch_add(1, std::memory_order_release);
}

void Board::end(const machine::Trail& trail) noexcept {
  std::uint64_t states = 0;
  std::uint64_t pairs = 0;
  for (const std::uint64_t state : trail.states) states += shared_->state_set.insert(state) ? 1U : 0U;
  for (const std::uint64_t pair : trail.pairs) pairs += shared_->pair_set.insert(pair) ? 1U : 0U;
  if (states != 0) shared_->states.fetch_add(states, std::memory_order_relaxed);
  if (pairs != 0) shared_->pairs.fetch_add(pairs, std::memory_order_relaxed);
  shared_->points.fetch_add(trail.points, std::memory_order_relaxed);
  shared_->done.fetch_add(1, std::memory_order_release);
}

std::string Board::schedule() const {
  return {shared_->schedule, shared_->length.load(std::memory_order_relaxed)};
}

}  // namespace undis::lab
