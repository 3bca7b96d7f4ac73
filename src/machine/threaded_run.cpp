// SPDX-License-Identifier: MIT
//
// The clock of the threaded machine, and a run from the side of its host: when it is over, and how it is
// ended.
#include <algorithm>

#include "machine/threaded_parts.h"

namespace undis::machine {

// ---- the clock ----

Ticks Threaded::now() noexcept {
  return static_cast<Ticks>((nanoseconds() - began_) / kNanosecondsPerTick);
}

void Threaded::stall(Ticks ticks) noexcept {
  const Ticks until = now() + ticks;
  while (now() < until) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

void Threaded::arm(Timer& timer, Ticks due) noexcept {
  const std::lock_guard hold(mutex_);
  timers_.arm(timer, due);
  if (timers_.next_due() >= next_due_) return;
  next_due_ = timers_.next_due();
  for (const auto& carrier : carriers_) {
    if (!carrier->resting) continue;
    wake(*carrier);  // so that it sleeps until the new time
    return;
  }
}

bool Threaded::disarm(Timer& timer) noexcept {
  const std::lock_guard hold(mutex_);
  const bool was_armed = timers_.disarm(timer);
  if (!expiring_) next_due_ = timers_.next_due();
  return was_armed;
}

/// Expires what is due, in order, on one carrier at a time and under no lock.
void Threaded::play_clock(Carrier& carrier) noexcept {
  std::unique_lock hold(mutex_);
  if (expiring_ || stopping_) return;
  expiring_ = true;
  next_due_ = kNever;  // nobody else need look
  carrier.in_clock = true;
  while (Timer* const timer = timers_.take_due(now())) {
    hold.unlock();
    timer->expire(now());
    hold.lock();
  }
  carrier.in_clock = false;
  expiring_ = false;
  next_due_ = timers_.next_due();
  expired_.notify_all();
}

void Threaded::finish_expiries() noexcept {
  std::unique_lock hold(mutex_);
  if (here().in_clock) return;  // called from one
  expired_.wait(hold, [this] { return !expiring_; });
}

// ---- the host ----

Stop Threaded::run(Strand* wanted, const Patience& patience) noexcept {
  Carrier& carrier = *carriers_[0];
  if (processor_here != carrier.processor || carrier.executing != host_)
    broken("run() is for the host's own thread");
  if (abandoned_) return Stop::Abandoned;
  {
    const std::lock_guard hold(mutex_);
    wanted_ = wanted;
    wanted_ended_ = wanted == nullptr || wanted->state_ == Strand::State::Ended;
    run_until_ = now() + patience.time;
    spinning_since_ = kNever;
    if (!stopping_) stop_ = Stop::Idle;  // else a strand has abandoned it all before the host came here
    vacate(carrier);
    host_->state_ = Strand::State::Parked;
  }
  serve(carrier, &Threaded::run_is_over);
  if (stop_ == Stop::Abandoned) {
    forget_strands();
    abandoned_ = true;
  }
  const std::lock_guard hold(mutex_);
  wanted_ = nullptr;
  run_until_ = kNever;
  occupy(carrier, *host_);
  return stop_;
}

/// Under the mutex, for a host in run(): nothing can run, or everything has been stopped.
bool Threaded::run_is_over() {
  if (stopping_) return everything_rests();
  const bool idle = all_rest() && ready_first_ == nullptr && !expiring_ &&
                    std::ranges::none_of(processors_, [](Processor& p) {
                      return dpcs_waiting(p).load() || interrupt_irql(p).load() != 0;
                    });
  if (idle && (wanted_ended_ || timers_.empty())) return true;
  if (now() < run_until_ && !all_spin()) return false;
  begin_stop(Stop::Impatient);
  return everything_rests();
}

bool Threaded::host_may_go_on() {
  if (host_->token_) {
    host_->token_ = false;
    host_wants_back_.store(false, std::memory_order_relaxed);
    return true;
  }
  if (all_rest() && ready_first_ == nullptr && timers_.empty() && !expiring_ &&
      std::ranges::none_of(
          processors_, [](Processor& p) { return dpcs_waiting(p).load() || interrupt_irql(p).load() != 0; }))
    client_->host_is_stuck();
  return false;
}

bool Threaded::everything_rests() {
  if (all_rest() && !expiring_) return true;
  if (now() > stop_until_) broken("code that makes no call into undis runs on and on, and cannot be stopped");
  return false;
}

/// Every carrier but the host's, which asks.
bool Threaded::all_rest() const noexcept {
  return std::all_of(carriers_.begin() + 1, carriers_.end(),
                     [](const auto& carrier) { return carrier->resting && !carrier->called; });
}

/// True if all that runs has spun for a lock, and nothing else, for longer than any lock is held.
bool Threaded::all_spin() noexcept {
  bool any = false;
  for (std::size_t i = 1; i < carriers_.size(); ++i) {
    if (carriers_[i]->resting) continue;
    if (!carriers_[i]->spinning.load(std::memory_order_relaxed)) {
      spinning_since_ = kNever;
      return false;
    }
    any = true;
  }
  if (!any) return false;
  spinning_since_ = std::min(spinning_since_, now());
  return now() - spinning_since_ > kSpinPatience;
}

void Threaded::begin_stop(Stop why) noexcept {
  stop_ = why;
  stop_until_ = now() + kStopPatience;
  stopping_ = true;
  for (const auto& carrier : carriers_) wake(*carrier);
}

void Threaded::abandon() noexcept {
  if (!can_abandon()) broken("abandon() by the host");
  {
    const std::lock_guard hold(mutex_);
    begin_stop(Stop::Abandoned);
  }
  leave(After::Stop);
  broken("an abandoned strand was resumed");
}

void Threaded::each_strand(void (*visit)(Strand&, void*), void* argument) noexcept {
  const std::lock_guard hold(mutex_);
  if (host_ != nullptr) visit(*host_, argument);
  for (Strand* strand = live_first_; strand != nullptr; strand = strand->live_next_) visit(*strand, argument);
}

std::uint64_t Threaded::steps() noexcept {
  std::uint64_t steps = switches_.load(std::memory_order_relaxed);
  for (const auto& carrier : carriers_) steps += carrier->points.load(std::memory_order_relaxed);
  return steps;
}

}  // namespace undis::machine
