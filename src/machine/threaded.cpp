// SPDX-License-Identifier: MIT
//
// The threaded machine from the side of its strands: who is ready, who has which processor, and what a strand
// asks for. Its carriers: threaded_carriers.cpp; its clock and its runs: threaded_run.cpp.
#include "machine/threaded.h"

#include <sched.h>

#include <algorithm>

#include "machine/threaded_parts.h"

namespace undis::machine {
namespace {

/// A strand looks at the clock each so many points: reading it costs more than a point.
constexpr std::uint32_t kPointsPerLook = 64;
/// Tries of a spin lock until the core is offered to somebody else, who may carry the holder.
constexpr std::uint32_t kSpinsPerYield = 128;

}  // namespace

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
  const bool is_processors = std::ranges::any_of(processors_, [&](const Processor& p) {
    return p.dpc_strand == &strand || p.interrupt_strand == &strand;
  });
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
  if (self != processor.interrupt_strand &&
      interrupt_irql(processor).load(std::memory_order_relaxed) > processor.irql) {
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

}  // namespace undis::machine
