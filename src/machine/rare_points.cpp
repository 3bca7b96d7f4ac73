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

void RarePoints::look_up(Numbers::Slot& slot, const char* what) {
  const auto next = static_cast<std::uint32_t>(numbers_.by_text.size());
  slot = {what, numbers_.by_text.try_emplace(hash_of(what), next).first->second};
  if (names_.size() <= slot.number) names_.resize(slot.number + 64);
}

/// 1 to 8, then each 8th up to the 64th, then each 64th ...
std::uint32_t RarePoints::stride(std::uint32_t passed) noexcept {
  std::uint32_t stride = kFirst;
  while (passed / kFirst >= stride) stride *= kFirst;
  return stride;
}

}  // namespace undis::machine
