// SPDX-License-Identifier: MIT
//
// The carriers of the threaded machine: what an OS thread finds to do on its processor, and the strands that
// interrupt others there.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>

#include "machine/threaded_parts.h"

namespace undis::machine {
namespace {

/// How often a host that waits looks whether everybody spins.
constexpr Ticks kLookInterval = 1'000'000;  // 100 ms

void pin_to(std::size_t nth) noexcept {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  if (nth >= static_cast<std::size_t>(CPU_COUNT(&allowed))) return;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || nth-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

}  // namespace

void Threaded::carry(Carrier& carrier) noexcept {
  if (pinned_) pin_to(carrier.processor->index);
  Fiber own;
  carrier.loop = &own;
  processor_here = carrier.processor;
  serve(carrier, nullptr);
  processor_here = nullptr;
}

/// Runs what there is to run until `done` (for the host's carrier), or until the machine is closed.
void Threaded::serve(Carrier& carrier, Done done) noexcept {
  for (;;) {
    Strand* strand = nullptr;
    switch (look(carrier, done, &strand)) {
    case Next::Run:
      go(carrier, *strand);
      break;
    case Next::Clock:
      play_clock(carrier);
      break;
    case Next::Return:
      return;
    }
  }
}

Threaded::Next Threaded::look(Carrier& carrier, Done done, Strand** strand) noexcept {
  std::unique_lock hold(mutex_);
  for (;;) {
    if (done == nullptr && closing_) return Next::Return;
    if (done != nullptr && (this->*done)()) return Next::Return;
    if (!stopping_) {
      if (!expiring_ && next_due_ <= now()) return Next::Clock;
      Processor& processor = *carrier.processor;
      if (const std::uint8_t irql = interrupt_irql(processor).exchange(0); irql != 0) {
        processor.interrupt_strand->irql_ = irql;
        *strand = processor.interrupt_strand;
        return Next::Run;
      }
      if (dpcs_waiting(processor).load(std::memory_order_relaxed) && processor.dpc_strand != nullptr &&
          processor.dpc_strand->state_ == Strand::State::Parked) {
        dpcs_waiting(processor).store(false, std::memory_order_relaxed);
        processor.dpc_strand->irql_ = kDispatch;
        *strand = processor.dpc_strand;
        return Next::Run;
      }
      if (*strand = take_ready(processor); *strand != nullptr) return Next::Run;
    }
    wait_for_work(carrier, done, hold);
  }
}

void Threaded::wait_for_work(Carrier& carrier, Done done, std::unique_lock<std::mutex>& hold) {
  carrier.resting = true;
  if (done == nullptr && host_waits_ && all_rest()) wake(*carriers_[0]);
  Ticks until = stopping_ || expiring_ ? kNever : next_due_.load();
  if (done != nullptr) until = std::min({until, run_until_, stop_until_, now() + kLookInterval});
  if (done != nullptr) host_waits_ = true;
  const auto has_work = [&carrier] { return carrier.called; };
  if (until == kNever) {
    carrier.work.wait(hold, has_work);
  } else {
    const std::chrono::nanoseconds at(began_ + static_cast<std::int64_t>(until) * kNanosecondsPerTick);
    carrier.work.wait_until(hold, std::chrono::steady_clock::time_point(at), has_work);
  }
  if (done != nullptr) host_waits_ = false;
  carrier.called = false;
  carrier.resting = false;
}

void Threaded::wake(Carrier& carrier) noexcept {
  carrier.called = true;
  carrier.work.notify_one();
}

void Threaded::go(Carrier& carrier, Strand& strand) noexcept {
  {
    const std::lock_guard hold(mutex_);
    occupy(carrier, strand);
  }
  carrier.since = now();
  switches_.fetch_add(1, std::memory_order_relaxed);
  carrier.loop->switch_to(*strand.fiber_);
  arrange(carrier);
}

/// DPCs or device interrupts, by `strand`, on the processor of the executing strand, which goes on after
/// them.
void Threaded::interrupt(Carrier& carrier, Strand& strand, std::uint8_t irql, Strand*& under) noexcept {
  Processor& processor = *carrier.processor;
  Strand& below = *carrier.executing;
  {
    const std::lock_guard hold(mutex_);
    below.irql_ = processor.irql;
    below.state_ = Strand::State::Interrupted;
    under = &below;
    strand.irql_ = irql;
    occupy(carrier, strand);
  }
  switches_.fetch_add(1, std::memory_order_relaxed);
  below.fiber_->switch_to(*strand.fiber_);
  if (&below != host_) return;
  // The host's stack is its carrier's: a DPC loop that waits against the rules comes back here too.
  Carrier& first = *carriers_[0];
  if (first.left == nullptr) return;
  arrange(first);
  const std::lock_guard hold(mutex_);
  occupy(first, below);
}

void Threaded::end_dpcs() noexcept {
  Carrier& carrier = here();
  if (!dpcs_waiting(*carrier.processor).exchange(false) && !resume(carrier, carrier.processor->interrupted))
    leave(After::Park);
}

/// Gives the processor back to what was interrupted. False: nothing was.
bool Threaded::resume(Carrier& carrier, Strand*& under) noexcept {
  Strand& self = *carrier.executing;
  Strand* const below = under;
  if (below == nullptr) return false;
  {
    const std::lock_guard hold(mutex_);
    under = nullptr;
    self.state_ = Strand::State::Parked;
    self.processor_ = nullptr;
    occupy(carrier, *below);
  }
  self.resting_frame_ = __builtin_frame_address(0);
  self.fiber_->switch_to(*below->fiber_);
  return true;
}

void Threaded::request_interrupt(Processor& processor, std::uint8_t irql) noexcept {
  interrupt_irql(processor).store(irql);
  if (irql == 0 || (&processor == processor_here && here().executing != nullptr))
    return;  // its next point is soon
  const std::lock_guard hold(mutex_);
  Carrier& carrier = *carriers_[processor.index];
  if (carrier.resting) wake(carrier);
}

void Threaded::end_interrupts() noexcept {
  Carrier& carrier = here();
  // What it interrupted looks at its next point whether another interrupt is above its IRQL.
  if (resume(carrier, carrier.processor->under_interrupt)) return;
  if (interrupt_irql(*carrier.processor).load() == 0) leave(After::Park);
}

}  // namespace undis::machine
