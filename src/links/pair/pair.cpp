// SPDX-License-Identifier: MIT
//
// Arrival never happens inside transmit(): a sending driver would find its own receive handler below it on
// the stack.
#include "links/pair/pair.h"

#include <utility>

namespace undis::links {

Pair::Pair(const LinkInfo& left, const LinkInfo& right, RunLater later)
    : later_(std::move(later)), left_(*this, left), right_(*this, right) {}

void Pair::set_up(bool up) {
  left_.set_up(up);
  right_.set_up(up);
}

LinkInfo Pair::End::info() const {
  const kernel::Hold hold(lock_);
  return info_;
}

LinkStatus Pair::End::attach(LinkSink& sink) {
  return sink_.attach(sink) ? LinkStatus::Ok : LinkStatus::Failed;
}

LinkStatus Pair::End::transmit(FrameView frame) {
  const LinkInfo now = info();
  if (!now.up) return LinkStatus::Down;
  if (const LinkStatus status = check_length(frame.size(), now.mtu); status != LinkStatus::Ok) return status;
  End& other = this == &pair_.left_ ? pair_.right_ : pair_.left_;
  if (!other.sink_.attached()) return LinkStatus::Down;
  other.arriving_.push(frame);
  pair_.later_([&other] { other.arriving_.deliver(other.sink_); });
  return LinkStatus::Ok;
}

void Pair::End::detach() {
  sink_.detach();
  arriving_.clear();
}

void Pair::End::set_up(bool up) {
  LinkInfo now;
  {
    const kernel::Hold hold(lock_);
    if (info_.up == up) return;
    info_.up = up;
    now = info_;
  }
  if (!up) arriving_.clear();
  if (!sink_.attached()) return;
  arriving_.push(now);
  pair_.later_([this] { arriving_.deliver(sink_); });
}

}  // namespace undis::links
