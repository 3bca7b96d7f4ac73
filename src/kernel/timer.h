// SPDX-License-Identifier: MIT
//
// Timers: KTIMERs of drivers, and OwnTimer for undis itself.
//
// An active KTIMER has a record here: TimerListEntry.Flink points at it, Blink holds a check value, so that
// garbage is told from both.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include <wdm.h>

#include "kernel/dpc.h"
#include "kernel/lock.h"
#include "machine/machine.h"

namespace undis::kernel {

class Driver;

/// A timer of undis itself: `body` runs at DISPATCH_LEVEL, as a DPC does, without a driver's frame. Not to be
/// destroyed by its body. Most are never set: what it takes is made when one first is.
class OwnTimer {
 public:
  explicit OwnTimer(std::function<void()> body);
  /// Cancels it; a body that has begun on another processor is not waited for (flush the DPCs for that).
  ~OwnTimer();
  OwnTimer(const OwnTimer&) = delete;
  OwnTimer& operator=(const OwnTimer&) = delete;

  /// Runs `body` in `ticks` and then each `period_ms`, unless 0. True: it was set already (and is no more).
  bool set(machine::Ticks ticks, std::uint32_t period_ms = 0) noexcept;
  /// True: it was set, or due but not begun, and the body will not run.
  bool cancel() noexcept;
  bool is_set() const noexcept;

 private:
  struct Expiry;
  Expiry& expiry();

  const std::function<void()> body_;
  std::atomic<Expiry*> expiry_{nullptr};  ///< owned; once made, it stays
};

class TimerTable {
 public:
  explicit TimerTable(machine::Machine& machine) noexcept;
  ~TimerTable();
  TimerTable(const TimerTable&) = delete;
  TimerTable& operator=(const TimerTable&) = delete;

  /// Makes the timer active. True: it was active already.
  bool set(KTIMER& timer, machine::Ticks due, machine::Ticks period, KDPC* dpc, Driver* by) EXCLUDES(lock_);
  /// True: it was active.
  bool cancel(KTIMER& timer) noexcept EXCLUDES(lock_);
  bool is_active(const KTIMER& timer) const noexcept;
  /// The active timers that `driver` set: cancelled and handed to `visit`, oldest first.
  void take_of(const Driver& driver, const std::function<void(KTIMER&)>& visit) EXCLUDES(lock_);

 private:
  class Record;
  Record* record_of(const KTIMER& timer) const noexcept;
  LIST_ENTRY* check_value(const KTIMER& timer, const void* record) const noexcept;
  void retire(Record& record) noexcept REQUIRES(lock_);
  void expired(Record& record, machine::Ticks now) noexcept EXCLUDES(lock_);

  machine::Machine& machine_;
  std::uintptr_t serial_;  // of this table: memory that an earlier System left behind must not look active
  Lock lock_;
  Record* first_ GUARDED_BY(lock_) = nullptr;  // active, oldest first
  Record* last_ GUARDED_BY(lock_) = nullptr;
  Record* free_ GUARDED_BY(lock_) = nullptr;
};

}  // namespace undis::kernel
