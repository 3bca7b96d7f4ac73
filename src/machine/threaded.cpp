// SPDX-License-Identifier: MIT
//
// Threaded: the carriers, who runs on them, the clock, the end of a run.
#include "machine/threaded.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace undis::machine {
namespace {

constexpr std::int64_t kNanosecondsPerTick = 100;
/// A strand looks at the clock each so many points: reading it costs more than a point.
constexpr std::uint32_t kPointsPerLook = 64;
/// Tries of a spin lock until the core is offered to somebody else, who may carry the holder.
constexpr std::uint32_t kSpinsPerYield = 128;
/// How often a host that waits looks whether everybody spins.
constexpr Ticks kLookInterval = 1'000'000;  // 100 ms

[[noreturn]] void broken(const char* what) noexcept {
  std::fprintf(stderr, "undis: threaded machine: %s\n", what);
  std::abort();
}

std::int64_t nanoseconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

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

bool is_allowed(const Strand& strand, const Processor& processor) noexcept {
  return (strand.affinity() >> processor.index & 1) != 0;
}

std::atomic_ref<std::uint8_t> interrupt_irql(Processor& processor) noexcept {
  return std::atomic_ref(processor.interrupt_irql);
}

std::atomic_ref<bool> dpcs_waiting(Processor& processor) noexcept {
  return std::atomic_ref(processor.dpcs_waiting);
}

}  // namespace

/// The OS thread of a processor. `executing`, `left`, `after`, `points` are its own; the rest is under the
/// machine's mutex.
struct Threaded::Carrier {
  Processor* processor = nullptr;
  Fiber* loop = nullptr;  // the OS thread's own flow of control
  Strand* executing = nullptr;
  Strand* left = nullptr;  // has just left its stack, and `after` says what for
  After after = After::Nothing;
  bool in_clock = false;
  Ticks since = 0;  // when `executing` got the processor
  std::uint32_t spins = 0;
  std::atomic<std::uint64_t> points{0};
  std::atomic<bool> spinning{false};

  bool resting = false;
  bool called = false;  // somebody has work for it
  std::condition_variable work;
  std::thread thread;
};

Threaded::Threaded(std::uint32_t processors, bool pinned) : began_(nanoseconds()), pinned_(pinned) {
  if (processors == 0 || processors > kMaxProcessors) broken("1 to 64 processors are possible");
  processors_.resize(processors);
  for (std::uint32_t i = 0; i < processors; ++i) {
    processors_[i].index = i;
    carriers_.push_back(std::make_unique<Carrier>());
    carriers_.back()->processor = &processors_[i];
  }
}

Threaded::~Threaded() {
  if (host_ != nullptr) detach();
}

void Threaded::attach(Client& client, Strand& host) noexcept {
  client_ = &client;
  host_ = &host;
  host.machine_ = this;
  host.fiber_ = &host_fiber_;
  host.id_ = 0;
  host.stack_low_ = host_fiber_.low();
  host.stack_high_ = host_fiber_.high();
  closing_ = false;
  abandoned_ = false;
  Carrier& first = *carriers_[0];
  first.loop = &host_fiber_;
  processor_here = first.processor;
  {
    const std::lock_guard hold(mutex_);
    occupy(first, host);
  }
  for (std::size_t i = 1; i < carriers_.size(); ++i)
    carriers_[i]->thread = std::thread([this, i] { carry(*carriers_[i]); });
}

void Threaded::detach() noexcept {
  {
    const std::lock_guard hold(mutex_);
    begin_stop(Stop::Idle);
  }
  serve(*carriers_[0], &Threaded::everything_rests);
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
    for (const auto& carrier : carriers_) wake(*carrier);
  }
  for (const auto& carrier : carriers_)
    if (carrier->thread.joinable()) carrier->thread.join();
  forget_strands();
  host_->processor_ = nullptr;
  host_ = nullptr;
  processor_here = nullptr;
}

void Threaded::give_up() noexcept {
  const std::uint8_t irql = processor_here->irql;
  {
    const std::lock_guard hold(mutex_);
    begin_stop(Stop::Idle);
  }
  serve(*carriers_[0], &Threaded::everything_rests);
  forget_strands();
  const std::lock_guard hold(mutex_);
  abandoned_ = true;
  occupy(*carriers_[0], *host_);
  processor_here->irql = irql;
}

/// Every carrier rests. The strands that have not ended are lost with their frames.
void Threaded::forget_strands() noexcept {
  const std::lock_guard hold(mutex_);
  while (live_first_ != nullptr) {
    Strand& strand = *live_first_;
    live_first_ = strand.live_next_;
    Fiber::give_back(strand.fiber_, !strand.owns_nothing());
    strand.fiber_ = nullptr;
    strand.processor_ = nullptr;
    strand.state_ = Strand::State::Ended;
  }
  live_last_ = ready_first_ = ready_last_ = nullptr;
  ready_ = 0;
  timers_.clear();
  next_due_ = kNever;
  for (Processor& processor : processors_) processor = Processor{.index = processor.index};
  stopping_ = false;
  stop_until_ = kNever;
}

// ---- strands ----

Threaded::Carrier& Threaded::here() noexcept {
  return *carriers_[processor_here->index];
}

Strand& Threaded::current() noexcept {
  Strand* const strand = here().executing;
  return strand != nullptr ? *strand : *host_;
}

bool Threaded::start(Strand& strand) noexcept {
  strand.fiber_ = Fiber::make(&Threaded::enter, &strand);
  if (strand.fiber_ == nullptr) return false;
  strand.machine_ = this;
  strand.stack_low_ = strand.fiber_->low();
  strand.stack_high_ = strand.fiber_->high();
  const std::lock_guard hold(mutex_);
  strand.id_ = next_id_++;
  strand.live_before_ = live_last_;
  (live_last_ != nullptr ? live_last_->live_next_ : live_first_) = &strand;
  live_last_ = &strand;
  // A DPC or interrupt strand is no thread: it rests until its processor has something for it.
  const bool is_processors = std::ranges::any_of(
      processors_, [&](const Processor& p) { return p.dpc_strand == &strand || p.interrupt_strand == &strand; });
  if (is_processors)
    strand.state_ = Strand::State::Parked;
  else
    make_ready(strand);
  return true;
}

void Threaded::enter(void* argument) noexcept {
  auto& strand = *static_cast<Strand*>(argument);
  strand.main();
  static_cast<Threaded*>(strand.machine_)->leave(After::End);
  broken("an ended strand was resumed");
}

void Threaded::exit() noexcept {
  leave(After::End);
  broken("an ended strand was resumed");
}

/// From a strand's stack to its carrier's, which does what is to be done with a strand that runs no more.
void Threaded::leave(After after) noexcept {
  Carrier& carrier = here();
  Strand& self = *carrier.executing;
  carrier.left = &self;
  carrier.after = after;
  self.resting_frame_ = __builtin_frame_address(0);
  self.fiber_->switch_to(*carrier.loop, after == After::End || after == After::Stop);
}

/// On the carrier's stack, with nothing executing: the strand that left may be resumed by anybody from here
/// on.
void Threaded::arrange(Carrier& carrier) noexcept {
  Strand* const left = carrier.left;
  if (left == nullptr) return;
  carrier.left = nullptr;
  bool ended = false;
  {
    const std::lock_guard hold(mutex_);
    vacate(carrier);
    switch (carrier.after) {
    case After::Park:
      left->state_ = Strand::State::Parked;
      if (left->token_) {
        left->token_ = false;
        make_ready(*left);
      }
      break;
    case After::Ready:
      make_ready(*left);
      break;
    case After::End:
      unlink(*left);
      left->state_ = Strand::State::Ended;
      if (wanted_ == left) wanted_ended_ = true;
      ended = true;
      break;
    case After::Stop:
      left->state_ = left->spins_for_ != nullptr ? Strand::State::Spinning : Strand::State::Parked;
      break;
    case After::Nothing:
      break;
    }
    carrier.after = After::Nothing;
  }
  if (!ended) return;
  finish_expiries();  // one of its own may still be looking at it
  Fiber::give_back(left->fiber_, false);
  left->fiber_ = nullptr;
  left->ended();
}

void Threaded::occupy(Carrier& carrier, Strand& strand) noexcept {
  Processor& processor = *carrier.processor;
  processor.current = carrier.executing = &strand;
  processor.irql = strand.irql_;
  strand.processor_ = &processor;
  strand.state_ = Strand::State::Running;
  carrier.spinning.store(false, std::memory_order_relaxed);
}

/// What executes has left the processor. A DPC loop that waits against the rules leaves what it interrupted
/// to be resumed.
void Threaded::vacate(Carrier& carrier) noexcept {
  Processor& processor = *carrier.processor;
  Strand& strand = *carrier.executing;
  strand.irql_ = processor.irql;
  strand.processor_ = nullptr;
  processor.current = carrier.executing = nullptr;
  processor.irql = kPassive;
  if (&strand != processor.dpc_strand || processor.interrupted == nullptr) return;
  Strand& below = *processor.interrupted;
  processor.interrupted = nullptr;
  if (&below != host_) make_ready(below);
}

void Threaded::make_ready(Strand& strand) noexcept {
  strand.state_ = Strand::State::Ready;
  strand.ready_next_ = nullptr;
  (ready_last_ != nullptr ? ready_last_->ready_next_ : ready_first_) = &strand;
  ready_last_ = &strand;
  ready_.fetch_add(1, std::memory_order_relaxed);
  for (const auto& carrier : carriers_) {
    if (!carrier->resting || carrier->called || !is_allowed(strand, *carrier->processor)) continue;
    wake(*carrier);
    return;
  }
}

Strand* Threaded::take_ready(const Processor& processor) noexcept {
  Strand* before = nullptr;
  for (Strand* strand = ready_first_; strand != nullptr; before = strand, strand = strand->ready_next_) {
    if (!is_allowed(*strand, processor)) continue;
    (before != nullptr ? before->ready_next_ : ready_first_) = strand->ready_next_;
    if (ready_last_ == strand) ready_last_ = before;
    strand->ready_next_ = nullptr;
    ready_.fetch_sub(1, std::memory_order_relaxed);
    return strand;
  }
  return nullptr;
}

void Threaded::unlink(Strand& strand) noexcept {
  (strand.live_before_ != nullptr ? strand.live_before_->live_next_ : live_first_) = strand.live_next_;
  (strand.live_next_ != nullptr ? strand.live_next_->live_before_ : live_last_) = strand.live_before_;
}

// ---- the carriers ----

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

/// DPCs or device interrupts, by `strand`, on the processor of the executing strand, which goes on after them.
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
  if (!dpcs_waiting(*carrier.processor).exchange(false) && !resume(carrier, carrier.processor->interrupted)) leave(After::Park);
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
  if (irql == 0 || (&processor == processor_here && here().executing != nullptr)) return;  // its next point is soon
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

// ---- what strands ask for ----

void Threaded::park() noexcept {
  Carrier& carrier = here();
  if (carrier.executing != host_) {
    leave(After::Park);
    return;
  }
  {
    const std::lock_guard hold(mutex_);
    if (host_->token_) {
      host_->token_ = false;
      return;
    }
    vacate(carrier);
    host_->state_ = Strand::State::Parked;
  }
  serve(carrier, &Threaded::host_may_go_on);
  const std::lock_guard hold(mutex_);
  occupy(carrier, *host_);
}

void Threaded::unpark(Strand& strand) noexcept {
  const std::lock_guard hold(mutex_);
  if (strand.state_ == Strand::State::Ended) return;
  if (strand.state_ != Strand::State::Parked || &strand == host_) {
    strand.token_ = true;
    if (&strand != host_) return;
    host_wants_back_.store(true, std::memory_order_relaxed);
    wake(*carriers_[0]);
    return;
  }
  make_ready(strand);
}

void Threaded::move() noexcept {
  if (here().executing == host_)
    sched_yield();
  else
    leave(After::Ready);
}

void Threaded::yield() noexcept {
  if (ready_.load(std::memory_order_relaxed) != 0 && processor_here->irql < kDispatch) move();
}

void Threaded::point(const char*) noexcept {
  Carrier& before = here();
  Strand* const self = before.executing;
  if (self == nullptr || before.in_clock) return;
  before.spinning.store(false, std::memory_order_relaxed);
  self->spins_for_ = nullptr;
  if (stopping_.load(std::memory_order_relaxed) && self != host_) leave(After::Stop);
  const std::uint64_t points = before.points.load(std::memory_order_relaxed) + 1;
  before.points.store(points, std::memory_order_relaxed);
  if (points % kPointsPerLook == 0 || before.processor->passing == 0) {
    before.processor->passing = kPointsPerLook;
    check_time(before);
  }
  Carrier& carrier = here();  // perhaps another by now
  Processor& processor = *carrier.processor;
  if (self != processor.interrupt_strand && interrupt_irql(processor).load(std::memory_order_relaxed) > processor.irql) {
    if (const std::uint8_t irql = interrupt_irql(processor).exchange(0); irql != 0)
      interrupt(carrier, *processor.interrupt_strand, irql, processor.under_interrupt);
  }
  if (processor.irql >= kDispatch || self == processor.dpc_strand) return;
  if (dpcs_waiting(processor).load(std::memory_order_relaxed)) {
    dpcs_waiting(processor).store(false, std::memory_order_relaxed);
    interrupt(carrier, *processor.dpc_strand, kDispatch, processor.interrupted);
  }
  if (self != host_ && processor_here->index == 0 && host_wants_back_.load(std::memory_order_relaxed))
    leave(After::Ready);
}

/// The clock, as often as a strand can afford to look at it: what is due, and whether its quantum is over.
void Threaded::check_time(Carrier& carrier) noexcept {
  const Ticks time = now();
  if (next_due_.load(std::memory_order_relaxed) <= time) play_clock(carrier);
  const Processor& processor = *carrier.processor;
  if (processor.irql >= kDispatch || carrier.executing == processor.dpc_strand || carrier.executing == host_)
    return;
  if (time - carrier.since < kQuantum) return;
  carrier.since = time;
  if (ready_.load(std::memory_order_relaxed) != 0) leave(After::Ready);
}

void Threaded::spin(const void* lock) noexcept {
  Carrier& carrier = here();
  Strand& self = *carrier.executing;
  self.spins_for_ = lock;
  carrier.spinning.store(true, std::memory_order_relaxed);
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
  if (++carrier.spins % kSpinsPerYield != 0) return;
  if (stopping_.load(std::memory_order_relaxed) && &self != host_) leave(After::Stop);
  sched_yield();
}

void Threaded::request_dpcs(Processor& processor) noexcept {
  dpcs_waiting(processor).store(true);
  if (&processor == processor_here && here().executing != nullptr) return;  // its next point is soon
  const std::lock_guard hold(mutex_);
  Carrier& carrier = *carriers_[processor.index];
  if (carrier.resting) wake(carrier);
}

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
                    std::ranges::none_of(processors_, [](Processor& p) { return dpcs_waiting(p).load() || interrupt_irql(p).load() != 0; });
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
      std::ranges::none_of(processors_, [](Processor& p) { return dpcs_waiting(p).load() || interrupt_irql(p).load() != 0; }))
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
