// SPDX-License-Identifier: MIT
//
// Timers: KTIMER and its functions, and the timers of undis itself.
//
// Pages   wdm/nf-wdm-keinitializetimer, -keinitializetimerex, -kesettimer, -kesettimerex, -kecanceltimer,
// -kereadstatetimer IRQL    <= DISPATCH_LEVEL Beyond  A tolerable delay of a coalescable timer is never used:
// it expires when it is due.
#include "kernel/timer.h"

#include <atomic>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/time.h"
#include "kernel/wait.h"

namespace undis::kernel {

class TimerTable::Record final : public machine::Timer {
 public:
  explicit Record(TimerTable& table) noexcept : table_(table) {}

  KTIMER* timer = nullptr;
  KDPC* dpc = nullptr;
  Driver* driver = nullptr;
  machine::Ticks period = 0;
  machine::Ticks due = 0;
  Record* next = nullptr;
  Record* before = nullptr;

 private:
  void expire(machine::Ticks now) noexcept override { table_.expired(*this, now); }
  TimerTable& table_;
};

TimerTable::TimerTable(machine::Machine& machine) noexcept : machine_(machine) {
  static std::atomic<std::uintptr_t> tables = 0;
  serial_ = ++tables;
}

/// What TimerListEntry.Blink holds while the timer is active.
LIST_ENTRY* TimerTable::check_value(const KTIMER& timer, const void* record) const noexcept {
  constexpr std::uintptr_t kSpread = 0x9E3779B97F4A7C15;
  return reinterpret_cast<LIST_ENTRY*>(reinterpret_cast<std::uintptr_t>(&timer) ^
                                       reinterpret_cast<std::uintptr_t>(record) ^ serial_ * kSpread);
}

TimerTable::~TimerTable() {
  for (Record* list : {first_, free_}) {
    while (list != nullptr) {
      Record* const next = list->next;
      delete list;
      list = next;
    }
  }
}

bool TimerTable::is_active(const KTIMER& timer) const noexcept {
  return timer.TimerListEntry.Flink != nullptr &&
         timer.TimerListEntry.Blink == check_value(timer, timer.TimerListEntry.Flink);
}

TimerTable::Record* TimerTable::record_of(const KTIMER& timer) const noexcept {
  return is_active(timer) ? reinterpret_cast<Record*>(timer.TimerListEntry.Flink) : nullptr;
}

bool TimerTable::set(KTIMER& timer, machine::Ticks due, machine::Ticks period, KDPC* dpc, Driver* by) {
  Record* record;
  bool was_active;
  {
    const Hold hold(lock_);
    record = record_of(timer);
    was_active = record != nullptr;
    if (was_active) {
      machine_.disarm(*record);
    } else {
      record = free_;
      if (record != nullptr) {
        free_ = record->next;
      } else {
        record = new Record(*this);
      }
      record->timer = &timer;
      record->next = nullptr;
      record->before = last_;
      (last_ != nullptr ? last_->next : first_) = record;
      last_ = record;
      timer.TimerListEntry.Flink = reinterpret_cast<LIST_ENTRY*>(record);
      timer.TimerListEntry.Blink = check_value(timer, record);
    }
    record->dpc = dpc;
    record->driver = by;
    record->period = period;
    record->due = due;
    timer.DueTime.QuadPart = due;
    timer.Dpc = dpc;
    timer.Period = static_cast<ULONG>((period + kTicksPerMillisecond - 1) / kTicksPerMillisecond);
  }
  {
    const Hold hold(dispatcher_lock);
    timer.Header.SignalState = 0;
  }
  const machine::Ticks time = machine_.now();
  if (due <= time) {
    expired(*record, time);  // in the past: at once
    return was_active;
  }
  const Hold hold(lock_);
  if (record->timer == &timer && record->due == due)
    machine_.arm(*record, due);  // else cancelled or set anew meanwhile
  return was_active;
}

void TimerTable::retire(Record& record) noexcept {
  record.timer->TimerListEntry = {};
  (record.before != nullptr ? record.before->next : first_) = record.next;
  (record.next != nullptr ? record.next->before : last_) = record.before;
  record.timer = nullptr;
  record.next = free_;
  free_ = &record;
}

bool TimerTable::cancel(KTIMER& timer) noexcept {
  const Hold hold(lock_);
  Record* const record = record_of(timer);
  if (record == nullptr) return false;
  machine_.disarm(*record);
  retire(*record);
  return true;
}

void TimerTable::expired(Record& record, machine::Ticks now) noexcept {
  lock_.lock();
  if (record.timer == nullptr || record.due > now) {
    lock_.unlock();  // it was cancelled or set anew while it expired
    return;
  }
  KTIMER& timer = *record.timer;
  KDPC* const dpc = record.dpc;
  Driver* const driver = record.driver;
  if (record.period != 0) {
    const machine::Ticks next = now + record.period;
    record.due = next;
    timer.DueTime.QuadPart = next;
    machine_.arm(record, next);
  } else {
    retire(record);
  }
  lock_.unlock();
  {
    const Hold hold(dispatcher_lock);
    timer.Header.SignalState = 1;
    wake_waiters(timer.Header);
  }
  if (dpc != nullptr) {
    System::current().scheduling().dpcs.insert(
        *dpc, reinterpret_cast<void*>(static_cast<std::uintptr_t>(now & 0xFFFFFFFF)),
        reinterpret_cast<void*>(static_cast<std::uintptr_t>(now >> 32)), driver);
  }
}

void TimerTable::take_of(const Driver& driver, const std::function<void(KTIMER&)>& visit) {
  for (;;) {
    KTIMER* found = nullptr;
    {
      const Hold hold(lock_);
      for (Record* record = first_; record != nullptr && found == nullptr; record = record->next) {
        if (record->driver == &driver) found = record->timer;
      }
    }
    if (found == nullptr) return;
    cancel(*found);
    visit(*found);
  }
}

// ---- timers of undis ----

struct OwnTimer::Expiry final : machine::Timer {
  explicit Expiry(const std::function<void()>& body) : dpc(body) {}
  void expire(machine::Ticks now) noexcept override {
    if (period_ms != 0) System::current().machine().arm(*this, now + period_ms * kTicksPerMillisecond);
    System::current().scheduling().dpcs.insert(dpc.dpc, nullptr, nullptr, nullptr);
  }
  OwnDpc dpc;
  std::uint32_t period_ms = 0;
};

OwnTimer::OwnTimer(std::function<void()> body) : body_(std::move(body)) {}

OwnTimer::~OwnTimer() {
  const std::unique_ptr<Expiry> made(expiry_.load());
  if (made == nullptr || System::current_or_null() == nullptr) return;
  cancel();
  System::current().machine().finish_expiries();
}

OwnTimer::Expiry& OwnTimer::expiry() {
  Expiry* made = expiry_.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  auto fresh = std::make_unique<Expiry>(body_);
  return expiry_.compare_exchange_strong(made, fresh.get()) ? *fresh.release() : *made;
}

bool OwnTimer::set(machine::Ticks ticks, std::uint32_t period_ms) noexcept {
  machine::Machine& machine = System::current().machine();
  Expiry& expiry = this->expiry();
  const bool was_set = machine.disarm(expiry);
  expiry.period_ms = period_ms;
  machine.arm(expiry, machine.now() + ticks);
  return was_set;
}

bool OwnTimer::cancel() noexcept {
  Expiry* const expiry = expiry_.load(std::memory_order_acquire);
  if (expiry == nullptr) return false;
  const bool was_set = System::current().machine().disarm(*expiry);
  return System::current().scheduling().dpcs.remove(expiry->dpc.dpc) || was_set;
}

bool OwnTimer::is_set() const noexcept {
  const Expiry* const expiry = expiry_.load(std::memory_order_acquire);
  return expiry != nullptr && expiry->armed();
}

// ---- the entry points ----

namespace {

bool check_timer(const KTIMER* timer, const char* function) {
  return check_header(timer->Header, DispatcherType::NotificationTimer, DispatcherType::SynchronizationTimer,
                      function, "a timer");
}

TimerTable& timers() {
  return System::current().scheduling().timers;
}

bool check_timer_dpc(const KDPC* dpc, const char* function) {
  const auto type = static_cast<DpcType>(dpc->Type);
  if ((type == DpcType::Dpc || type == DpcType::Threaded) && dpc->DeferredRoutine != nullptr) return true;
  report_misuse(
      Misuse::ObjectNotInitialized, function, dpc,
      fmt::format("{} was given a DPC that KeInitializeDpc has not initialised, or that was overwritten",
                  function));
  return false;
}

BOOLEAN set_timer(PKTIMER timer, LARGE_INTEGER due, LONG period, PKDPC dpc, const char* function) {
  if (!check_timer(timer, function)) return FALSE;
  if (dpc != nullptr && !check_timer_dpc(dpc, function)) return FALSE;
  if (period < 0) {
    report_misuse(Misuse::BadParameter, function, timer,
                  fmt::format("a period of {} ms is negative", period));
    period = 0;
  }
  Driver* by = current_driver();
  if (by == nullptr && dpc != nullptr)
    by = System::current().driver_at(reinterpret_cast<const void*>(dpc->DeferredRoutine));
  return timers().set(*timer, due_time(due), static_cast<machine::Ticks>(period) * kTicksPerMillisecond, dpc,
                      by)
             ? TRUE
             : FALSE;
}

void initialize_timer(PKTIMER timer, TIMER_TYPE type, const char* function) {
  if (System::current_or_null() != nullptr && timers().is_active(*timer)) {
    report_misuse(Misuse::BadParameter, function, timer,
                  fmt::format("{} initialises a timer that is active", function));
    timers().cancel(*timer);
  }
  *timer = {};
  initialize_header(timer->Header,
                    type == NotificationTimer ? DispatcherType::NotificationTimer
                                              : DispatcherType::SynchronizationTimer,
                    sizeof *timer, 0);
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

VOID KeInitializeTimer(PKTIMER Timer) {
  const KernelCall call("KeInitializeTimer", DISPATCH_LEVEL);
  initialize_timer(Timer, NotificationTimer, call.name());
}

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
  const KernelCall call("KeInitializeTimerEx", DISPATCH_LEVEL);
  initialize_timer(Timer, Type, call.name());
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) {
  const KernelCall call("KeSetTimer", DISPATCH_LEVEL);
  return set_timer(Timer, DueTime, 0, Dpc, call.name());
}

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
  const KernelCall call("KeSetTimerEx", DISPATCH_LEVEL);
  return set_timer(Timer, DueTime, Period, Dpc, call.name());
}

BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG, PKDPC Dpc) {
  const KernelCall call("KeSetCoalescableTimer", DISPATCH_LEVEL);
  return set_timer(Timer, DueTime, static_cast<LONG>(Period), Dpc, call.name());
}

BOOLEAN KeCancelTimer(PKTIMER Timer) {
  const KernelCall call("KeCancelTimer", DISPATCH_LEVEL);
  return check_timer(Timer, call.name()) && timers().cancel(*Timer) ? TRUE : FALSE;
}

BOOLEAN KeReadStateTimer(PKTIMER Timer) {
  const KernelCall call("KeReadStateTimer", DISPATCH_LEVEL);
  return check_timer(Timer, call.name()) && Timer->Header.SignalState > 0 ? TRUE : FALSE;
}
