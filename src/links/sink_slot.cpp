// SPDX-License-Identifier: MIT
#include "links/sink_slot.h"

#include "kernel/system.h"

namespace undis::links {

bool SinkSlot::attach(LinkSink& sink) {
  const kernel::Hold hold(lock_);
  if (sink_ != nullptr) return false;
  sink_ = &sink;
  return true;
}

void SinkSlot::detach() {
  {
    const kernel::Hold hold(lock_);
    sink_ = nullptr;
    if (!busy_) return;
  }
  kernel::Event idle("wire: the last frame has been taken");
  {
    const kernel::Hold hold(lock_);
    if (!busy_) return;
    idle_ = &idle;
  }
  idle.wait();
}

bool SinkSlot::call(const std::function<void(LinkSink&)>& use) {
  LinkSink* sink = nullptr;
  {
    const kernel::Hold hold(lock_);
    if (sink_ == nullptr || busy_) return false;
    busy_ = true;
    sink = sink_;
  }
  use(*sink);
  kernel::Event* idle = nullptr;
  {
    const kernel::Hold hold(lock_);
    busy_ = false;
    idle = idle_;
    idle_ = nullptr;
  }
  if (idle != nullptr) idle->set();
  return true;
}

bool SinkSlot::attached() const {
  const kernel::Hold hold(lock_);
  return sink_ != nullptr;
}

}  // namespace undis::links
