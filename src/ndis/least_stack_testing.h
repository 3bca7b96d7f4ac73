// SPDX-License-Identifier: MIT
//
// The least of the stacks of bench/stack.h: one card and one protocol of 6.x, in a world that a test asks
// for.
//
// Chains  whoever sends (indicates) a chain takes it from Lists; there it is put when it is back.
#pragma once

#include <functional>

#include "frames.h"
#include "stack.h"

namespace undis::test {

class LeastStack {
 public:
  explicit LeastStack(const lab::WorldOptions& options) : stack_(least(options)) {
    stack_.on_pause = [this] {
      if (on_pause) on_pause();
    };
    stack_.on_restart = [this] {
      if (on_restart) on_restart();
    };
  }

  /// Runs `body` on a kernel thread.
  kernel::Outcome run(const std::function<void()>& body) { return stack_.run(body); }
  bool is_up() noexcept { return stack_.is_up(); }
  lab::World& world() noexcept { return stack_.world(); }
  NDIS_HANDLE adapter() const noexcept { return stack_.ports.front().handle; }
  NDIS_HANDLE binding() const noexcept { return stack_.opens.front().handle; }

  /// In NetEventPause and NetEventRestart of the protocol, if set.
  std::function<void()> on_pause;
  std::function<void()> on_restart;

 private:
  static bench::StackOptions least(const lab::WorldOptions& world) {
    bench::StackOptions options;
    options.engine = world.engine;
    options.watch = world.watch;
    options.processors = world.processors;
    return options;
  }
  bench::Stack stack_;
};

struct Lists : bench::Lists {
  using bench::Lists::Lists;
  static void recycle(void* row, NET_BUFFER_LIST* chain) noexcept { put_back(row, chain); }
};

}  // namespace undis::test
