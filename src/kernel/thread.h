// SPDX-License-Identifier: MIT
//
// A kernel thread: a strand of the machine with a KTHREAD that drivers can wait on, its chain of calls, the
// spin locks it holds and what it waits for. The host's OS thread and each processor's DPC loop are Threads
// as well.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <wdm.h>

#include "kernel/call.h"
#include "kernel/lock.h"
#include "machine/machine.h"

namespace undis::kernel {

class Driver;
class Thread;

}  // namespace undis::kernel

/// What a PKTHREAD points at. Drivers wait on it; nothing else of it is public.
struct _KTHREAD {
  DISPATCHER_HEADER Header;
  undis::kernel::Thread* thread;
};

namespace undis::kernel {

/// Guards every dispatcher object (SignalState and wait list) and every Thread's Wait.
extern Lock dispatcher_lock;

/// A thread's place in the wait list of one object. Lives on the waiting thread's stack.
struct WaitBlock {
  LIST_ENTRY link;  // in DISPATCHER_HEADER::WaitListHead
  Thread* thread;
  DISPATCHER_HEADER* object;
};

/// A spin lock that a thread holds.
struct HeldLock {
  enum class Kind : std::uint8_t {
    Plain,
    Shared,
    Exclusive
  };  // KSPIN_LOCK; EX_SPIN_LOCK by a reader, by the writer
  const void* lock;
  Kind kind;
  const char* function;        // that acquired it
  const void* return_address;  // of that call: where in the driver
};

class Thread final : public machine::Strand {
 public:
  enum class Kind : std::uint8_t { Host, System, Worker, Dpcs, Interrupts };

  Thread(Kind kind, std::string name, Driver* creator, std::function<void()> body);
  ~Thread() override;

  /// The thread whose code runs; nullptr on an OS thread that no System knows.
  static Thread* current_or_null() noexcept {
    const machine::Processor* const here = machine::processor_here;
    return here != nullptr ? static_cast<Thread*>(here->current) : nullptr;
  }
  static Thread& current() noexcept { return static_cast<Thread&>(*machine::processor_here->current); }
  /// The Thread of a KTHREAD. nullptr: `object` is none, as far as its header tells.
  static Thread* from_object(const void* object) noexcept;

  Kind kind() const noexcept { return kind_; }
  const std::string& name() const noexcept { return name_; }
  /// Who created it by PsCreateSystemThread; nullptr: undis or the host.
  Driver* creator() const noexcept { return creator_; }
  PKTHREAD object() noexcept { return &object_; }
  bool has_ended() const noexcept { return has_ended_; }
  NTSTATUS exit_status() const noexcept { return exit_status_; }

  /// Ends the calling thread without returning to its body (PsTerminateSystemThread).
  [[noreturn]] void terminate(NTSTATUS status) noexcept;

  /// The innermost entry of its chain of calls.
  CallFrame* calls = &no_call;
  /// The innermost passage that it is in (passage.h).
  class Passage* passage = nullptr;
  /// Where a walk of its stack begins while it waits or spins: the frame of the function that does.
  const void* blocked_frame = nullptr;
  std::uint64_t blocked_since = 0;
  /// What a worker does at the moment, for a hang report.
  const char* activity = "";
  KPRIORITY priority = 8;
  std::uint32_t critical_regions = 0;  // KeEnterCriticalRegion nesting
  std::uint32_t guarded_regions = 0;

  /// What it waits for. Guarded by dispatcher_lock.
  struct Wait {
    bool active = false;
    bool all = false;
    bool for_work = false;  // an idle worker: hangs nobody
    NTSTATUS status = 0;
    std::uint32_t count = 0;
    WaitBlock* blocks = nullptr;
    const char* name = nullptr;  // of the object, if undis knows it by one
    machine::Ticks until = machine::kNever;
  } wait;

  /// Structured exceptions: the guarded blocks that it is in, innermost first, and what was caught last.
  struct Exception {
    undis_seh_frame* frames = nullptr;
    EXCEPTION_RECORD record{};
    undis_seh_pending left{};
    EXCEPTION_POINTERS pointers{};
  } exception;

  // ---- spin locks ----
  std::uint32_t spin_locks() const noexcept { return held_count_; }
  void note_acquired(const HeldLock& lock) noexcept;
  /// False: it is not noted as held.
  bool note_released(const void* lock) noexcept;
  const HeldLock* held(const void* lock) const noexcept;
  /// The most recently acquired ones, up to how many are remembered.
  const HeldLock* held_at(std::uint32_t index) const noexcept {
    return index < held_.size() ? &held_[index] : nullptr;
  }

  // ---- for the object manager and the list of threads ----
  void object_gone() noexcept;
  Thread* next = nullptr;
  Thread* before = nullptr;

  /// Expires a wait with a timeout.
  class WaitTimer final : public machine::Timer {
   public:
    explicit WaitTimer(Thread& thread) noexcept : thread_(thread) {}

   private:
    void expire(machine::Ticks now) noexcept override;
    Thread& thread_;
  };
  WaitTimer wait_timer{*this};

 private:
  void main() noexcept override;
  void ended() noexcept override;
  bool owns_nothing() const noexcept override;
  void signal_end(NTSTATUS status) noexcept;
  void let_go() noexcept;

  _KTHREAD object_{};
  Kind kind_;
  bool has_ended_ = false;  // its body is through: the KTHREAD is signaled
  std::atomic<int> kept_by_{
      2};  // the machine, until it will not touch it again; the references and handles of its object
  NTSTATUS exit_status_ = 0;
  std::string name_;
  Driver* creator_;
  std::function<void()> body_;
  std::uint32_t held_count_ = 0;
  std::array<HeldLock, 16> held_{};  // the first 16; what is beyond is only counted
};

}  // namespace undis::kernel
