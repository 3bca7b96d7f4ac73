// SPDX-License-Identifier: MIT
//
// For the tests of the scheduling half: a System on a simulated machine, with an observer that keeps what it
// is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <ntddk.h>

#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "machine/simulated.h"

namespace undis::kernel {

class Recorder : public Observer {
 public:
  struct Finding {
    Misuse kind;
    std::string function;
    std::string text;
    Driver* driver;
  };
  std::vector<Finding> misuses;
  std::vector<HangEvent> hangs;
  std::vector<BugCheckEvent> bug_checks;
  std::vector<CrashEvent> crashes;

  void on(const MisuseEvent& e) override { misuses.push_back({e.kind, e.function, e.text, e.driver}); }
  void on(const HangEvent& e) override { hangs.push_back(e); }
  void on(const BugCheckEvent& e) override { bug_checks.push_back(e); }
  void on(const CrashEvent& e) override { crashes.push_back(e); }

  bool saw(Misuse kind, const std::string& function) const {
    for (const Finding& finding : misuses) {
      if (finding.kind == kind && finding.function == function) return true;
    }
    return false;
  }
  std::string text() const {
    std::string all;
    for (const Finding& finding : misuses) all += finding.text + "\n";
    return all;
  }
};

/// One machine with one system on it.
struct World {
  explicit World(std::uint64_t seed = 0, std::uint32_t processors = 2)
      : machine(machine::Schedule(seed), processors) {}
  explicit World(const machine::Schedule& schedule, machine::Trail* trail = nullptr)
      : machine(schedule, 0, trail) {}

  machine::Simulated machine;
  Recorder recorder;
  System system{machine, recorder};
};

inline LARGE_INTEGER relative_ms(LONGLONG ms) {
  LARGE_INTEGER time;
  time.QuadPart = -ms * 10'000;
  return time;
}

inline NTSTATUS wait_on(void* object, const LONGLONG* timeout_ms = nullptr) {
  LARGE_INTEGER timeout;
  if (timeout_ms != nullptr) timeout = relative_ms(*timeout_ms);
  return KeWaitForSingleObject(object, Executive, KernelMode, FALSE,
                               timeout_ms != nullptr ? &timeout : nullptr);
}

inline NTSTATUS wait_on_for_ms(void* object, LONGLONG ms) {
  return wait_on(object, &ms);
}

inline void sleep_ms(LONGLONG ms) {
  LARGE_INTEGER time = relative_ms(ms);
  KeDelayExecutionThread(KernelMode, FALSE, &time);
}

/// Runs `body(world)` under the default schedule and `seeds` - 1 random ones, stopping at the first that
/// fails.
inline void under_seeds(std::uint64_t seeds, const std::function<void(World&)>& body) {
  for (std::uint64_t seed = 0; seed < seeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    body(world);
    EXPECT_EQ(world.recorder.text(), "");
  }
}

}  // namespace undis::kernel
