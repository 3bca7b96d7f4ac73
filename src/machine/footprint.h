// SPDX-License-Identifier: MIT
//
// What the stretches of a run read and wrote, a stretch being what a strand does from one decision to the
// next; and what has come of them so far, whatever the order of those that have nothing to do with each
// other.
//
// Object   any address, in units of kUnit bytes; in a trail it has a number, in the order in which the run
//          came to it, since addresses differ from run to run
// Unknown  a stretch in which its strand was not telling() all the time may have read and written everything
// Machine  who is ready, who runs where, what time it is: one object more. Choices of somebody else and the
//          passing of time write it
// State    a number made from the partial order of the stretches: a stretch follows the last one of its
//          strand, and the last ones that wrote what it accesses. Two runs of the same program with equal
//          numbers at some decision are in the same state there
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "machine/trail.h"

extern "C" {
/// What code built by `undis cc --memory` calls before each read and write, while undis_memory_wanted is not
/// 0.
extern volatile int undis_memory_wanted;
void undis_touched(const volatile void* at, std::size_t bytes, int written);
}

namespace undis::machine {

class Footprints {
 public:
  static constexpr std::uintptr_t kUnit = 8;
  /// So many objects in one stretch are noted; with more it is unknown.
  static constexpr std::size_t kMost = 1024;

  explicit Footprints(Trail& trail) : trail_(trail) {}
  Footprints(const Footprints&) = delete;
  Footprints& operator=(const Footprints&) = delete;

  // ---- of the stretch under way ----
  void touch(std::uintptr_t first, std::size_t bytes, bool written) noexcept;
  /// Whether `strand`, whose stretch it is, tells all that it touches from now on.
  void telling(std::uint32_t strand, bool all);
  void touch_machine() noexcept { machine_ = true; }

  /// The stretch of `strand` is over: it becomes the last of Trail::stretches.
  void end(std::uint32_t id);
  /// Somebody else goes on, or time has passed: `what` says who, where or when.
  void chosen(std::uint64_t what) noexcept;
  /// What the run has come to, at a decision of `strand`.
  std::uint64_t state(std::uint32_t strand) const noexcept;

 private:
  struct Object {
    std::uint32_t number;
    std::uint64_t written = 0;  // by the stretch of this number; 0: since the last unknown one, nobody
    std::uint64_t read = 0;     // since then: the sum of the stretches'
    std::uint64_t era = 0;      // of `written` and `read`
    std::uint32_t stretch = 0;  // the last that touched it, from 1
    std::uint32_t at = 0;       // its place in Trail::accesses
  };
  enum class Tells : std::uint8_t { NotYet, Nothing, All };  // NotYet: it has done nothing so far
  struct Strand {
    std::uint64_t history = 0;
    Tells tells = Tells::NotYet;
  };
  Strand& strand_of(std::uint32_t id);

  Trail& trail_;
  std::unordered_map<std::uintptr_t, Object> objects_;
  std::vector<Object*> touched_;  // of the stretch under way, in the order of Trail::accesses
  std::vector<Strand> strands_;   // by number
  std::uint64_t sum_ = 0;         // of all histories
  std::uint64_t machine_history_ = 0;
  std::uint64_t base_ = 0;  // the last unknown stretch
  std::uint64_t era_ = 1;   // counts those
  std::uint32_t stretch_ = 1;
  std::size_t first_ = 0;  // of the stretch under way in Trail::accesses
  bool unknown_ = false;
  bool machine_ = false;
};

/// Where the code that runs is to tell what it touches; nullptr: nobody wants to know. One OS thread: that of
/// the simulated machine.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit Footprints* footprints_here;
void set_footprints_here(Footprints* footprints) noexcept;

/// Reads or writes of `bytes` bytes at `object` by the code that runs.
inline void tell_touched(const volatile void* object, std::size_t bytes, bool written) noexcept {
  if (footprints_here != nullptr)
    footprints_here->touch(reinterpret_cast<std::uintptr_t>(object), bytes, written);
}

}  // namespace undis::machine
