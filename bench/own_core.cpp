// SPDX-License-Identifier: MIT
//
// The bursts.
#include "own_core.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>

namespace undis::bench {
namespace {

/// Seconds of six additions at a time, of which none waits for another: as many as a core can begin. One loop
/// for all who ask: a copy that lies across two cache lines of code is slower than what another one has
/// learned.
[[gnu::noinline]] double burst() noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr int kTimes = 2'000;
  std::uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0;
  const Clock::time_point from = Clock::now();
  for (int i = 0; i < kTimes; ++i) {
    a += 1;
    b += 3;
    c += 5;
    d += 7;
    e += 9;
    f += 11;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
  }
  return std::chrono::duration<double>(Clock::now() - from).count();
}

constexpr double kAsQuick = 1.1;
double quickest = std::numeric_limits<double>::infinity();

}  // namespace

OwnCore::OwnCore() noexcept {
  constexpr int kToLearn = 300'000;  // a third of a second: longer than most of what a neighbour does
  static const bool learned = [] {
    for (int i = 0; i < kToLearn; ++i) quickest = std::min(quickest, burst());
    return true;
  }();
  static_cast<void>(learned);
}

bool OwnCore::is_quiet() noexcept {
  const double took = burst();
  quickest = std::min(quickest, took);
  return took <= kAsQuick * quickest;
}

double OwnCore::patience = 30;

void OwnCore::wait_for_quiet() noexcept {
  while (patience > 0) {
    const double took = burst();
    if (took <= kAsQuick * quickest) return;
    patience -= took;
  }
}

double OwnCore::thread_seconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace undis::bench
