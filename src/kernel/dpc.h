// SPDX-License-Identifier: MIT
//
// The DPC queues, one a processor, drained by the processor's DPC strand at DISPATCH_LEVEL.
//
// A queued KDPC is linked by DpcListEntry; DpcData points at its queue, ProcessorHistory at the Driver that
// queued it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <wdm.h>

#include "kernel/call.h"
#include "kernel/lock.h"
#include "kernel/thread.h"
#include "machine/machine.h"

namespace undis::kernel {

class Driver;

/// KDPC::Type.
enum class DpcType : std::uint8_t { Dpc = 19, Threaded = 24, OfUndis = 0x6B };

/// A DPC of undis itself: `body` runs at DISPATCH_LEVEL, without a driver's frame. Its life is the caller's
/// business.
struct OwnDpc {
  explicit OwnDpc(std::function<void()> what);
  KDPC dpc{};
  std::function<void()> body;
};

/// Makes a DPC whose routine belongs to undis.
void initialize_own_dpc(KDPC& dpc, PKDEFERRED_ROUTINE routine, void* context) noexcept;

class DpcQueues {
 public:
  explicit DpcQueues(machine::Machine& machine);

  /// Queues the DPC on its target processor, else on the current one. False: it is queued already.
  bool insert(KDPC& dpc, void* argument1, void* argument2, Driver* by) noexcept EXCLUDES(lock_);
  /// False: it was not queued.
  bool remove(KDPC& dpc) noexcept EXCLUDES(lock_);
  /// Takes out what is about to be initialised anew. True: it was queued.
  bool forget(KDPC& dpc) noexcept EXCLUDES(lock_);
  bool is_queued(const KDPC& dpc) noexcept EXCLUDES(lock_);
  bool is_running(const KDPC& dpc) noexcept EXCLUDES(lock_);
  /// Waits until every DPC queued by now has run. IRQL < DISPATCH_LEVEL.
  void flush() noexcept EXCLUDES(lock_);
  /// The DPCs that `driver` queued and that have not begun: taken out and handed to `visit`.
  void take_of(const Driver& driver, const std::function<void(KDPC&)>& visit) EXCLUDES(lock_);

  std::span<const std::unique_ptr<Thread>> strands() const noexcept { return strands_; }

 private:
  struct Queue {
    SINGLE_LIST_ENTRY* first = nullptr;
    SINGLE_LIST_ENTRY* last = nullptr;
    const KDPC* running = nullptr;
  };
  static KDPC& dpc_of(SINGLE_LIST_ENTRY* entry) noexcept {
    return *CONTAINING_RECORD(entry, KDPC, DpcListEntry);
  }
  KDPC* pop(Queue& queue) noexcept REQUIRES(lock_);
  void unlink(Queue& queue, KDPC& dpc) noexcept REQUIRES(lock_);
  void run_one(Queue& queue, KDPC& dpc) noexcept EXCLUDES(lock_);
  [[noreturn]] void loop(std::uint32_t processor) noexcept EXCLUDES(lock_);

  machine::Machine& machine_;
  Lock lock_;
  std::vector<Queue> queues_ GUARDED_BY(lock_);
  std::vector<std::unique_ptr<Thread>> strands_;
};

}  // namespace undis::kernel
