// SPDX-License-Identifier: MIT
#include "links/frame_queue.h"

#include "kernel/system.h"

namespace undis::links {

RunLater on_a_worker(const char* name) {
  return [name](std::function<void()> work) { kernel::queue_work(name, std::move(work)); };
}

void FrameQueue::push(FrameView frame) {
  Frame copy(frame.begin(), frame.end());
  const kernel::Hold hold(lock_);
  arrivals_.emplace_back(std::move(copy));
}

void FrameQueue::push(const LinkInfo& change) {
  const kernel::Hold hold(lock_);
  arrivals_.emplace_back(change);
}

std::optional<FrameQueue::Arrival> FrameQueue::pop() {
  const kernel::Hold hold(lock_);
  if (arrivals_.empty()) return std::nullopt;
  std::optional<Arrival> first(std::move(arrivals_.front()));
  arrivals_.pop_front();
  return first;
}

void FrameQueue::deliver(SinkSlot& sink) {
  // Something is taken from the queue only inside the sink's call, so nothing is lost when the sink is busy
  // or gone; and who was busy looks again after its call, so nothing is left behind.
  while (size() > 0) {
    const bool called = sink.call([&](LinkSink& to) {
      while (sink.attached()) {
        const auto arrival = pop();
        if (!arrival) return;
        if (const auto* frame = std::get_if<Frame>(&*arrival)) {
          to.receive(*frame);
        } else {
          to.changed(std::get<LinkInfo>(*arrival));
        }
      }
    });
    if (!called) return;
  }
}

void FrameQueue::clear() {
  const kernel::Hold hold(lock_);
  arrivals_.clear();
}

std::size_t FrameQueue::size() const {
  const kernel::Hold hold(lock_);
  return arrivals_.size();
}

}  // namespace undis::links
