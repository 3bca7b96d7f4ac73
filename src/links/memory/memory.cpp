// SPDX-License-Identifier: MIT
#include "links/memory/memory.h"

#include <utility>

namespace undis::links {

LinkInfo MemoryLink::info() const {
  const kernel::Hold hold(lock_);
  return info_;
}

LinkStatus MemoryLink::attach(LinkSink& sink) {
  return sink_.attach(sink) ? LinkStatus::Ok : LinkStatus::Failed;
}

LinkStatus MemoryLink::transmit(FrameView frame) {
  Frame copy(frame.begin(), frame.end());
  const kernel::Hold hold(lock_);
  if (!info_.up) return LinkStatus::Down;
  if (const LinkStatus status = check_length(frame.size(), info_.mtu); status != LinkStatus::Ok)
    return status;
  transmitted_.push_back(std::move(copy));
  return LinkStatus::Ok;
}

void MemoryLink::detach() {
  sink_.detach();
  arriving_.clear();
}

LinkStatus MemoryLink::inject(FrameView frame) {
  const LinkInfo now = info();
  if (!now.up || !sink_.attached()) return LinkStatus::Down;
  if (const LinkStatus status = check_length(frame.size(), now.mtu); status != LinkStatus::Ok) return status;
  arriving_.push(frame);
  arriving_.deliver(sink_);
  return LinkStatus::Ok;
}

std::vector<Frame> MemoryLink::take() {
  const kernel::Hold hold(lock_);
  return std::exchange(transmitted_, {});
}

void MemoryLink::set_up(bool up) {
  LinkInfo now;
  {
    const kernel::Hold hold(lock_);
    if (info_.up == up) return;
    info_.up = up;
    now = info_;
  }
  if (!sink_.attached()) return;
  arriving_.push(now);
  arriving_.deliver(sink_);
}

}  // namespace undis::links
