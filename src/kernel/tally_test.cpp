// SPDX-License-Identifier: MIT
#include "kernel/tally.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace undis::kernel {
namespace {

constexpr std::size_t kProcessors = 3;

void enter(Tally* first, std::size_t processor, std::uint64_t users) {
  TallyPool::of(first, processor).enter(users);
}
void leave(Tally* first, std::size_t processor, std::uint64_t users) {
  TallyPool::of(first, processor).leave(users);
}

TEST(TallyPool, CountsWhoLeftOnAnotherProcessorThanHeEnteredOn) {
  TallyPool pool(kProcessors);
  Tally* const one = pool.take();
  Tally* const other = pool.take();
  enter(one, 0, 5);
  leave(one, 2, 3);
  enter(other, 1, 7);
  EXPECT_EQ(pool.inside(one), 2U);
  EXPECT_EQ(pool.inside(other), 7U);
}

TEST(TallyPool, GivesOutWhatWasGivenBackWithNothingInIt) {
  TallyPool pool(kProcessors);
  Tally* const used = pool.take();
  for (std::size_t i = 0; i < kProcessors; ++i) enter(used, i, 1);
  pool.give(used);
  Tally* const again = pool.take();
  EXPECT_EQ(again, used);
  EXPECT_EQ(pool.inside(again), 0U);
}

TEST(TallyPool, GivesEachToOneOnly) {
  TallyPool pool(kProcessors);
  std::vector<Tally*> taken;
  constexpr int kMany = 1'000;
  for (int i = 0; i < kMany; ++i) taken.push_back(pool.take());
  for (int i = 0; i < kMany; i += 2) pool.give(taken[static_cast<std::size_t>(i)]);
  for (int i = 0; i < kMany; i += 2) taken[static_cast<std::size_t>(i)] = pool.take();
  std::set<const Tally*> all;
  for (Tally* const first : taken)
    for (std::size_t i = 0; i < kProcessors; ++i) all.insert(&TallyPool::of(first, i));
  EXPECT_EQ(all.size(), kMany * kProcessors);
}

TEST(TallyPool, KeepsProcessorsOffTheLinesOfOthers) {
  constexpr std::size_t kLine = 64;
  TallyPool pool(kProcessors);
  std::vector<std::set<std::uintptr_t>> lines(kProcessors);
  for (int n = 0; n < 100; ++n) {
    Tally* const first = pool.take();
    for (std::size_t i = 0; i < kProcessors; ++i)
      lines[i].insert(reinterpret_cast<std::uintptr_t>(&TallyPool::of(first, i)) / kLine);
  }
  for (std::size_t i = 0; i < kProcessors; ++i)
    for (std::size_t k = 0; k < i; ++k)
      for (const std::uintptr_t line : lines[i]) EXPECT_FALSE(lines[k].contains(line));
}

}  // namespace
}  // namespace undis::kernel
