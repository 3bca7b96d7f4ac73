// SPDX-License-Identifier: MIT
//
// RarePoints: what is not done at each point.
#include "machine/rare_points.h"

namespace undis::machine {
namespace {

std::uint64_t hash_of(const char* text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3U;
  return hash;
}

}  // namespace

std::uint32_t RarePoints::Numbers::of(const char* what) {
  Slot& slot = slot_of(what);
  const auto next = static_cast<std::uint32_t>(by_text_.size());
  if (slot.what != what) slot = {what, by_text_.try_emplace(hash_of(what), next).first->second};
  return slot.number;
}

/// 1 to 8, then each 8th up to the 64th, then each 64th ...
std::uint32_t RarePoints::after(std::uint32_t counted) noexcept {
  std::uint32_t stride = 1;
  while (counted >= stride * kFirst) stride *= kFirst;
  return counted + stride;
}

bool RarePoints::counts_after_all(const char* what) noexcept {
  const std::uint32_t number = numbers_.of(what);
  if (number >= names_.size()) names_.resize(number + 128);
  Name& name = names_[number];
  if (name.era != era_) {
    if (name.era == 0) ++era_;
    name = {era_, 0, 1, 0};
  }
  if (++name.passed != name.next) return false;
  name.next = after(name.next);
  return true;
}

}  // namespace undis::machine
