// SPDX-License-Identifier: MIT
//
// RarePoints: which of the points that a focused strand passes count for a schedule that looks inside drivers.
//
// A driver that ticks, or polls, passes the same few points over and over; drawn evenly, nearly every pre-emption would come there, and
// hardly any where the driver does what it does once. So of a point of one name the first kFirst count, then ever fewer; and all begin
// anew when something comes that the run has not had before.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace undis::machine {

class RarePoints {
 public:
  static constexpr std::uint32_t kFirst = 8;

  /// `what`: the name of a point, which stays where it is; equal texts at different places are one name, so that the linker has no say.
  bool counts(const char* what) noexcept;

 private:
  struct Name {
    std::uint64_t hash;
    std::uint32_t era = 0;
    std::uint32_t passed = 0;  // in that era
  };
  Name& name_of(const char* what) noexcept;

  static constexpr std::size_t kSlots = 256;
  struct Slot {
    const char* what = nullptr;
    std::uint32_t name = 0;
  };
  std::array<Slot, kSlots> slots_{};  // what was looked up last, by address
  std::vector<Name> names_;
  std::uint32_t era_ = 1;
};

}  // namespace undis::machine
