// SPDX-License-Identifier: MIT
//
// For the tests of this folder: a System on a simulated machine, an observer that remembers, and code that
// runs as a driver's.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/observer.h"
#include "kernel/pool.h"
#include "kernel/system.h"
#include "machine/schedule.h"
#include "machine/simulated.h"

namespace undis::kernel {

using Texts = std::vector<std::string>;

class Recorder : public Observer {
 public:
  struct Seen {
    Misuse kind;
    Driver* driver;
    std::string function;
    std::string text;
    bool has_origin;
  };
  std::vector<Seen> misuses;
  Texts trace;
  std::vector<std::string> phases;
  std::uint32_t bug_check = 0;

  void on(const MisuseEvent& event) override {
    misuses.push_back({event.kind, event.driver, event.function, event.text, event.origin.count != 0});
  }
  void on(const BugCheckEvent& event) override { bug_check = event.code; }
  void on_trace(std::string_view line) override { trace.emplace_back(line); }
};

class KernelTest : public ::testing::Test {
 public:
  /// `schedule`: a Schedule's text; "0.f1" fails the first fault point.
  explicit KernelTest(const char* schedule = "0") { restart(schedule); }

  /// A new system; drivers of the old one are gone.
  void restart(const char* schedule) {
    system.reset();
    machine = std::make_unique<machine::Simulated>(*machine::Schedule::parse(schedule));
    seen = {};
    system = std::make_unique<System>(*machine, seen);
    driver = &system->add_driver("probe", {}, false);
  }

  /// Runs `body` on the host's thread as code of the driver.
  template <class Body>
  void as_driver(Driver& who, Body body) {
    static constexpr CallbackInfo info{"TestCallback", HIGH_LEVEL, true};
    call_driver(&who, info, nullptr, nullptr, callback<void(Body*)>([](Body* code) { (*code)(); }), &body);
  }
  template <class Body>
  void as_driver(Body body) {
    as_driver(*driver, std::move(body));
  }

  /// The kinds of misuse seen since the last call.
  std::vector<Misuse> take_misuses() {
    std::vector<Misuse> kinds;
    for (const auto& one : seen.misuses) kinds.push_back(one.kind);
    seen.misuses.clear();
    return kinds;
  }

  /// What was not asked for by take_misuses() fails the test.
  void TearDown() override {
    for (const auto& one : seen.misuses) ADD_FAILURE() << one.function << ": " << one.text;
  }

  std::unique_ptr<machine::Simulated> machine;
  Recorder seen;
  std::unique_ptr<System> system;
  Driver* driver = nullptr;
};

}  // namespace undis::kernel
