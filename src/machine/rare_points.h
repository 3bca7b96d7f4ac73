// SPDX-License-Identifier: MIT
//
// RarePoints: which of the points that a focused strand passes count for a schedule that looks inside
// drivers.
//
// A driver that ticks, or polls, passes the same few points over and over; drawn evenly, nearly every
// pre-emption would come there, and hardly any where the driver does what it does once. So of a point of one
// name the first kFirst count, then ever fewer; and all begin anew when something comes that the run has not
// had before.
#pragma once

#include <cstdint>
#include <vector>

namespace undis::machine {

class RarePoints {
 public:
  static constexpr std::uint32_t kFirst = 8;

  /// `what`: the name of a point, which stays where it is; equal texts at different places are one name, so
  /// that the linker has no say.
  bool counts(const char* what) noexcept;

 private:
  struct Name {
    std::uint32_t era = 0;     // 0: the run has not had it yet
    std::uint32_t passed = 0;  // in that era
  };
  std::vector<Name> names_;
  std::uint32_t era_ = 1;
};

}  // namespace undis::machine
