// SPDX-License-Identifier: MIT
//
// RarePoints.
#include "machine/rare_points.h"

#include <algorithm>

namespace undis::machine {
namespace {

std::uint64_t hash_of(const char* text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3U;
  return hash;
}

}  // namespace

bool RarePoints::counts(const char* what) noexcept {
  Name& name = name_of(what);
  if (name.era != era_) {
    name.era = era_;
    name.passed = 0;
  }
  // 1 to 8, then each 8th up to the 64th, then each 64th ...
  const std::uint32_t passed = ++name.passed;
  std::uint32_t stride = 1;
  while (passed > stride * kFirst) stride *= kFirst;
  return passed % stride == 0;
}

RarePoints::Name& RarePoints::name_of(const char* what) noexcept {
  Slot& slot = slots_[(reinterpret_cast<std::uintptr_t>(what) >> 2) % kSlots];
  if (slot.what == what) return names_[slot.name];
  const std::uint64_t hash = hash_of(what);
  auto at = std::ranges::find(names_, hash, &Name::hash);
  if (at == names_.end()) {
    ++era_;
    names_.push_back({hash});
    at = names_.end() - 1;
  }
  slot = {what, static_cast<std::uint32_t>(at - names_.begin())};
  return *at;
}

}  // namespace undis::machine
