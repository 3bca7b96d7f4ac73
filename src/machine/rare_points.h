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

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "machine/per_thread.h"

namespace undis::machine {

class RarePoints {
 public:
  static constexpr std::uint32_t kFirst = 8;

  /// `what`: the name of a point, which stays where it is; equal texts at different places are one name, so
  /// that the linker has no say.
  bool counts(const char* what) noexcept {
    const Numbers::Slot& slot = numbers_.slot_of(what);
    const bool known = slot.what == what && slot.number < names_.size();
    Name& name = known ? names_[slot.number] : look_up(what);
    if (name.era != era_) return begin(name);
    if (++name.passed <= kFirst) return true;
    return name.passed == name.next && counts_again(name);
  }

 private:
  struct Name {
    std::uint32_t era = 0;     // 0: the run has not had it yet
    std::uint32_t passed = 0;  // in that era
    std::uint32_t next = 0;    // the one that counts next, after the first
  };

  /// A number for each text that is the name of a point. They are kept: the same texts come in run after run.
  struct Numbers {
    struct Slot {
      const char* what = nullptr;
      std::uint32_t number = 0;
    };
    Slot& slot_of(const char* what) noexcept {
      return slots[reinterpret_cast<std::uintptr_t>(what) * 0x9E3779B97F4A7C15U >> kShift];
    }
    static constexpr unsigned kShift = 64 - 10;  // of 1,024 places
    std::array<Slot, 1024> slots{};              // what was looked up last, by address
    std::unordered_map<std::uint64_t, std::uint32_t> by_text;
  };

  Name& look_up(const char* what) noexcept;
  bool begin(Name& name) noexcept;
  static bool counts_again(Name& name) noexcept;

  Numbers& numbers_ = per_thread<Numbers>();  // of the OS thread that makes the machine, and runs it
  std::vector<Name> names_ = std::vector<Name>(numbers_.by_text.size());
  std::uint32_t era_ = 1;
};

}  // namespace undis::machine
