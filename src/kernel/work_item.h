// SPDX-License-Identifier: MIT
//
// Work items: a queue, first come first served, and the system worker threads that empty it at PASSIVE_LEVEL.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include <wdm.h>

#include "kernel/lock.h"

namespace undis::kernel {

class Driver;
class Thread;

/// One piece of queued work.
struct WorkEntry {
  /// OfNdis: `body` calls a routine of `driver`'s.
  enum class Kind : std::uint8_t { OfUndis, OfNdis, Executive, Io, IoEx };
  Kind kind = Kind::OfUndis;
  const char* name = "";     ///< OfUndis, OfNdis: for reports
  Driver* driver = nullptr;  ///< who queued it
  void* routine = nullptr;
  void* object = nullptr;  ///< Io, IoEx: the device or driver object
  void* context = nullptr;
  void* item = nullptr;        ///< WORK_QUEUE_ITEM, IO_WORKITEM or NDIS' own
  std::function<void()> body;  ///< OfUndis, OfNdis
};

class WorkQueue {
 public:
  /// More threads than this are not started; then work waits until one is free.
  static constexpr std::size_t kMostWorkers = 64;

  void queue(WorkEntry entry) EXCLUDES(lock_);
  /// True if the item is queued or its routine has not returned.
  bool is_pending(const void* item) EXCLUDES(lock_);
  /// What `driver` queued: pieces that have not begun are taken out; those that run are only handed to
  /// `visit`.
  void take_of(const Driver& driver, const std::function<void(const WorkEntry&, bool running)>& visit)
      EXCLUDES(lock_);
  /// Waits until nothing that `driver` queued for its objects by IoQueueWorkItem is queued or runs.
  /// PASSIVE_LEVEL.
  void drain_io(const Driver& driver) EXCLUDES(lock_);

  // ---- allocated IO_WORKITEMs ----
  void allocated(void* item, Driver* by) EXCLUDES(lock_);
  /// False: it is none.
  bool freed(void* item) EXCLUDES(lock_);
  std::vector<void*> allocated_by(const Driver& driver) EXCLUDES(lock_);
  /// Frees one that its driver forgot.
  void discard(void* item) EXCLUDES(lock_);

 private:
  struct Worker {
    Thread* thread = nullptr;
    const WorkEntry* running = nullptr;
    bool idle = false;
  };
  /// `order`: of allocation, so that what is left is told in that order.
  struct Allocated {
    std::uint64_t order;
    Driver* by;
  };
  void no_longer_pending(const void* item) REQUIRES(lock_);
  [[noreturn]] void loop(std::size_t worker) EXCLUDES(lock_);

  Lock lock_;
  std::deque<WorkEntry> entries_ GUARDED_BY(lock_);
  std::vector<Worker> workers_ GUARDED_BY(lock_);
  std::unordered_map<void*, Allocated>
      allocated_ GUARDED_BY(lock_);  // looked up, never gone through as it is
  std::uint64_t allocations_ GUARDED_BY(lock_) = 0;
  std::unordered_map<const void*, std::uint32_t>
      pending_ GUARDED_BY(lock_);  // items queued or running: how often
};

}  // namespace undis::kernel
