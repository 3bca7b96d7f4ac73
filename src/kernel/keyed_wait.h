// SPDX-License-Identifier: MIT
//
// Waiting for a word in a driver's memory to change: for locks that are one word and have no room for a wait
// list (push locks, rundown references) and for resources. The key is the word's address.
#pragma once

#include <string>

#include "kernel/wait.h"

namespace undis::kernel {

class KeyedWaits {
 public:
  /// Calls `attempt` until it returns true, and waits in between. It runs under the lock of this object.
  template <class Attempt>
  void wait_until(const void* key, const char* function, const std::string& name, Attempt attempt)
      EXCLUDES(lock_) {
    for (;;) {
      Waiter waiter;
      {
        const Hold hold(lock_);
        if (attempt()) return;
        add(waiter, key);
      }
      DISPATCHER_HEADER* const event = &waiter.event.Header;
      wait_for(function, {&event, 1}, false, {}, name.c_str());
    }
  }

  /// Runs `change` under the lock, then lets all who wait for `key` try again.
  template <class Change>
  auto change(const void* key, Change change) EXCLUDES(lock_) {
    const Hold hold(lock_);
    const auto result = change();
    wake(key);
    return result;
  }

  /// Runs `attempt` under the lock, once.
  template <class Attempt>
  bool attempt(Attempt attempt) EXCLUDES(lock_) {
    const Hold hold(lock_);
    return attempt();
  }

  std::uint32_t waiters(const void* key) noexcept EXCLUDES(lock_);

 private:
  struct Waiter {
    const void* key = nullptr;
    Waiter* next = nullptr;
    KEVENT event{};
  };
  void add(Waiter& waiter, const void* key) noexcept REQUIRES(lock_);
  void wake(const void* key) noexcept REQUIRES(lock_);

  Lock lock_;
  Waiter* first_ GUARDED_BY(lock_) = nullptr;
  Waiter* last_ GUARDED_BY(lock_) = nullptr;
};

}  // namespace undis::kernel
