// SPDX-License-Identifier: MIT
//
// LockOrder: which spin locks were acquired while which others were held. Two that were acquired in both
// orders can deadlock, whether or not they do in this run.
//
// Not told    orders that only one thread has used; orders that a third lock, held each time, keeps apart;
// locks that are only tried A lock that is initialised anew is another lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/lock.h"
#include "kernel/thread.h"

namespace undis::kernel {

class LockOrder {
 public:
  /// Another lock that was acquired the other way round, perhaps over several between them.
  struct Conflict {
    const void* held;  ///< while this one was held, the one at hand was acquired
    const char*
        other_function;  ///< acquired `held` while the one at hand was held (or one that leads there) ...
    const void* other_address;  ///< ... here
  };

  /// The thread has just acquired the lock that it noted last. nullopt: in an order that nothing contradicts,
  /// or that was told already.
  std::optional<Conflict> acquired(const Thread& thread) EXCLUDES(lock_);
  /// What is known of this lock is forgotten.
  void initialized(const void* lock) EXCLUDES(lock_);

 private:
  /// `to` was acquired while the owner of this list was held.
  struct Edge {
    const void* to;
    std::uint32_t thread;
    bool by_others;  // by more threads than that one
    bool told;
    const char* function;
    const void* address;
    std::vector<const void*> gates;  // locks that were held each time as well
  };
  Edge* find(const void* from, const void* to) REQUIRES(lock_);
  bool leads(const void* from, const void* to, std::vector<Edge*>& path, std::vector<const void*>& visited)
      REQUIRES(lock_);

  Lock lock_;
  std::map<const void*, std::vector<Edge>>
      edges_ GUARDED_BY(lock_);  // looked up, never gone through in the order of addresses
};

}  // namespace undis::kernel
