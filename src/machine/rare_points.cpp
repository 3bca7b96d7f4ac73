// SPDX-License-Identifier: MIT
//
// RarePoints.
#include "machine/rare_points.h"

#include <array>
#include <bit>
#include <unordered_map>

namespace undis::machine {
namespace {

std::uint64_t hash_of(const char* text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3U;
  return hash;
}

/// A number for each text that is the name of a point; the same texts come in run after run.
class Numbers {
 public:
  std::uint32_t of(const char* what) {
    Slot& slot = slots_[(reinterpret_cast<std::uintptr_t>(what) >> 2) % kSlots];
    if (slot.what != what)
      slot = {what,
              by_text_.try_emplace(hash_of(what), static_cast<std::uint32_t>(by_text_.size())).first->second};
    return slot.number;
  }

 private:
  static constexpr std::size_t kSlots = 1024;
  struct Slot {
    const char* what = nullptr;
    std::uint32_t number = 0;
  };
  std::array<Slot, kSlots> slots_{};  // what was looked up last, by address
  std::unordered_map<std::uint64_t, std::uint32_t> by_text_;
};

}  // namespace

bool RarePoints::counts(const char* what) noexcept {
  static thread_local Numbers numbers;
  const std::uint32_t number = numbers.of(what);
  if (names_.size() <= number) names_.resize(number + 32);
  Name& name = names_[number];
  if (name.era != era_) {
    if (name.era == 0) ++era_;
    name.era = era_;
    name.passed = 0;
  }
  // 1 to 8, then each 8th up to the 64th, then each 64th ...
  static_assert(std::has_single_bit(kFirst));
  const std::uint32_t passed = ++name.passed;
  std::uint32_t stride = 1;
  while (passed > stride * kFirst) stride *= kFirst;
  return (passed & (stride - 1)) == 0;
}

}  // namespace undis::machine
