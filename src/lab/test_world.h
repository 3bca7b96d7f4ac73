// SPDX-License-Identifier: MIT
//
// The GoogleTest fixture for everything that needs a world: owns one, and fails a test that leaves anything
// behind.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernel/watch_testing.h"
#include "lab/fake_driver.h"
#include "lab/harness_nic.h"
#include "lab/harness_protocol.h"
#include "lab/world.h"
#include "links/memory/memory.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/plug_and_play.h"

namespace undis::test {

using Lines = std::vector<std::string>;

class NdisTest : public ::testing::Test {
 protected:
  NdisTest() : world(options()) {}

  static lab::WorldOptions options() {
    lab::WorldOptions o;
    o.evidence = verifier::Evidence::Whole;
    o.watch = watch_wanted();
    return o;
  }

  void TearDown() override {
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL) << "the test left the IRQL raised";
    if (expects_nothing_left) {
      EXPECT_EQ(world.library().handles().open_count(), 0U) << "handles are left open";
      EXPECT_TRUE(world.library().adapters().empty());
    }
    EXPECT_EQ(world.verifier().violation_lines(), expected_violations);
  }

  /// Runs `body` on a kernel thread; it has to end.
  void run(std::function<void()> body) {
    ASSERT_EQ(world.run("test", std::move(body)), kernel::Outcome::Idle);
  }
  /// "driver: rule" of each finding that the test means to cause, in order.
  void expect(Lines lines) { expected_violations = std::move(lines); }
  Lines violations() { return world.verifier().violation_lines(); }
  std::string last_violation_text() {
    return world.verifier().violations().empty() ? "" : world.verifier().violations().back().text;
  }
  static void expect_no_complaints(const lab::FakeDriver& driver) { EXPECT_EQ(driver.complaints, Lines{}); }

  lab::World world;
  Lines expected_violations;
  bool expects_nothing_left = true;
};

}  // namespace undis::test
