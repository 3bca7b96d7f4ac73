// SPDX-License-Identifier: MIT
//
// KeyedWaits: the list of those who wait, in the order in which they came.
#include "kernel/keyed_wait.h"

namespace undis::kernel {

void KeyedWaits::add(Waiter& waiter, const void* key) noexcept {
  waiter.key = key;
  initialize_event(waiter.event, DispatcherType::SynchronizationEvent, false);
  (last_ != nullptr ? last_->next : first_) = &waiter;
  last_ = &waiter;
}

void KeyedWaits::wake(const void* key) noexcept {
  Waiter* before = nullptr;
  for (Waiter* waiter = first_; waiter != nullptr;) {
    Waiter* const next = waiter->next;
    if (waiter->key == key) {
      (before != nullptr ? before->next : first_) = next;
      if (last_ == waiter) last_ = before;
      set_event(waiter->event);  // from here the waiter may be gone
    } else {
      before = waiter;
    }
    waiter = next;
  }
}

std::uint32_t KeyedWaits::waiters(const void* key) noexcept {
  const Hold hold(lock_);
  std::uint32_t count = 0;
  for (const Waiter* waiter = first_; waiter != nullptr; waiter = waiter->next)
    count += waiter->key == key ? 1 : 0;
  return count;
}

}  // namespace undis::kernel
