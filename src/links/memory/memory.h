// SPDX-License-Identifier: MIT
//
// A wire whose other end is the program: frames are put in, and what was transmitted is taken out.
#pragma once

#include <vector>

#include "kernel/lock.h"
#include "links/frame_queue.h"
#include "links/sink_slot.h"
#include "ndis/link.h"

namespace undis::links {

class MemoryLink final : public Link {
 public:
  explicit MemoryLink(LinkInfo info) : info_(info) {}

  // ---- the adapter's end ----
  LinkInfo info() const override EXCLUDES(lock_);
  LinkStatus attach(LinkSink& sink) override;
  LinkStatus transmit(FrameView frame) override EXCLUDES(lock_);
  void detach() override;

  // ---- the program's end ----
  /// The frame arrives now, on the calling thread. Down: the cable is out or nothing is attached; the frame
  /// is lost.
  LinkStatus inject(FrameView frame) EXCLUDES(lock_);
  /// What was transmitted since the last call, in order.
  std::vector<Frame> take() EXCLUDES(lock_);
  /// Puts the cable in or out and tells the adapter.
  void set_up(bool up) EXCLUDES(lock_);

 private:
  SinkSlot sink_;
  FrameQueue arriving_;
  mutable kernel::Lock lock_;
  LinkInfo info_ GUARDED_BY(lock_);
  std::vector<Frame> transmitted_ GUARDED_BY(lock_);
};

}  // namespace undis::links
