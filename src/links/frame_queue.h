// SPDX-License-Identifier: MIT
//
// What has arrived at an end of a wire and waits for its sink (frames, changes of the wire): in order, each
// delivered once, never recursively.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "kernel/lock.h"
#include "links/sink_slot.h"

namespace undis::links {

using Frame = std::vector<std::uint8_t>;

/// Runs a piece of work later, on a kernel thread. What a wire in the machine does: kernel::queue_work.
using RunLater = std::function<void(std::function<void()>)>;
RunLater on_a_worker(const char* name);

class FrameQueue {
 public:
  /// Puts a copy of the frame at the end.
  void push(FrameView frame) EXCLUDES(lock_);
  void push(const LinkInfo& change) EXCLUDES(lock_);
  /// Hands over until nothing is left. Does nothing while another delivery is under way: that one takes them
  /// too.
  void deliver(SinkSlot& sink) EXCLUDES(lock_);
  void clear() EXCLUDES(lock_);
  std::size_t size() const EXCLUDES(lock_);

 private:
  using Arrival = std::variant<Frame, LinkInfo>;
  std::optional<Arrival> pop() EXCLUDES(lock_);

  mutable kernel::Lock lock_;
  std::deque<Arrival> arrivals_ GUARDED_BY(lock_);
};

}  // namespace undis::links
