// SPDX-License-Identifier: MIT
//
// Where a wire keeps its sink: calls go out one at a time, and detaching waits for the one under way.
#pragma once

#include <functional>

#include "kernel/annotations.h"
#include "kernel/lock.h"
#include "ndis/link.h"

namespace undis::kernel {
class Event;
}

namespace undis::links {

class SinkSlot {
 public:
  /// False: there is a sink already.
  bool attach(LinkSink& sink) EXCLUDES(lock_);

  /// Takes the sink away. Waits while another thread is inside it.
  void detach() EXCLUDES(lock_);

  /// Calls `use` with the sink, no lock held. False: nothing is attached, or a call is under way (of another
  /// thread, or of this one further up its stack); whoever makes that call looks for more to deliver when it
  /// comes back.
  bool call(const std::function<void(LinkSink&)>& use) EXCLUDES(lock_);

  bool attached() const EXCLUDES(lock_);

 private:
  mutable kernel::Lock lock_;
  LinkSink* sink_ GUARDED_BY(lock_) = nullptr;
  bool busy_ GUARDED_BY(lock_) = false;
  kernel::Event*
      idle_ GUARDED_BY(lock_) = nullptr;  ///< who detaches waits on it; lives on that thread's stack
};

}  // namespace undis::links
