// SPDX-License-Identifier: MIT
//
// What the files of the threaded machine share: the carrier of a processor, and the flags by which one
// processor calls another.
#pragma once

#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "machine/threaded.h"

namespace undis::machine {

inline constexpr std::int64_t kNanosecondsPerTick = 100;

[[noreturn]] inline void broken(const char* what) noexcept {
  std::fprintf(stderr, "undis: threaded machine: %s\n", what);
  std::abort();
}

inline std::int64_t nanoseconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline bool is_allowed(const Strand& strand, const Processor& processor) noexcept {
  return (strand.affinity() >> processor.index & 1) != 0;
}

inline std::atomic_ref<std::uint8_t> interrupt_irql(Processor& processor) noexcept {
  return std::atomic_ref(processor.interrupt_irql);
}

inline std::atomic_ref<bool> dpcs_waiting(Processor& processor) noexcept {
  return std::atomic_ref(processor.dpcs_waiting);
}

/// The OS thread of a processor. `executing`, `left`, `after`, `points` are its own; the rest is under the
/// machine's mutex.
struct alignas(128) Threaded::Carrier {
  Processor* processor = nullptr;
  Fiber* loop = nullptr;  // the OS thread's own flow of control
  Strand* executing = nullptr;
  Strand* left = nullptr;  // has just left its stack, and `after` says what for
  After after = After::Nothing;
  bool in_clock = false;
  Ticks since = 0;  // when `executing` got the processor
  std::uint32_t spins = 0;
  std::atomic<std::uint64_t> points{0};
  std::atomic<bool> spinning{false};

  bool resting = false;
  bool called = false;  // somebody has work for it
  std::condition_variable work;
  std::thread thread;
};

}  // namespace undis::machine
