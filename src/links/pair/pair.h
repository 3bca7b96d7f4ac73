// SPDX-License-Identifier: MIT
//
// A cable between two adapters: what one end transmits arrives at the other, later and on another thread, as
// on a real wire.
#pragma once

#include "kernel/lock.h"
#include "links/frame_queue.h"
#include "links/sink_slot.h"
#include "ndis/link.h"

namespace undis::links {

class Pair {
 public:
  /// `later` runs the arrival of frames; on_a_worker() inside the machine.
  Pair(const LinkInfo& left, const LinkInfo& right, RunLater later = on_a_worker("wire"));

  Link& left() noexcept { return left_; }
  Link& right() noexcept { return right_; }

  /// Puts the cable in or out and tells both ends. Frames that were under way are lost when it goes out.
  void set_up(bool up);

 private:
  class End final : public Link {
   public:
    End(Pair& pair, const LinkInfo& info) : pair_(pair), info_(info) {}
    LinkInfo info() const override EXCLUDES(lock_);
    LinkStatus attach(LinkSink& sink) override;
    LinkStatus transmit(FrameView frame) override EXCLUDES(lock_);
    void detach() override;
    void set_up(bool up) EXCLUDES(lock_);

   private:
    Pair& pair_;
    SinkSlot sink_;
    FrameQueue arriving_;
    mutable kernel::Lock lock_;
    LinkInfo info_ GUARDED_BY(lock_);
  };

  RunLater later_;
  End left_;
  End right_;
};

}  // namespace undis::links
