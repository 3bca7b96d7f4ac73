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

RarePoints::Name& RarePoints::look_up(const char* what) noexcept {
  Numbers::Slot& slot = numbers_.slot_of(what);
  const auto next = static_cast<std::uint32_t>(numbers_.by_text.size());
  if (slot.what != what) slot = {what, numbers_.by_text.try_emplace(hash_of(what), next).first->second};
  if (names_.size() <= slot.number) names_.resize(slot.number + 64);
  return names_[slot.number];
}

/// The first time in this era; if it is the first in the run, another era begins with it.
bool RarePoints::begin(Name& name) noexcept {
  if (name.era == 0) ++era_;
  name = {era_, 1, 2 * kFirst};
  return true;
}

/// After the first kFirst: each 8th up to the 64th, then each 64th ...
bool RarePoints::counts_again(Name& name) noexcept {
  std::uint32_t stride = kFirst;
  while (name.passed / kFirst >= stride) stride *= kFirst;
  name.next += stride;
  return true;
}

}  // namespace undis::machine
