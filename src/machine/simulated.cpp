// SPDX-License-Identifier: MIT
//
// Simulated: strands, schedule points, the clock, the host. Who goes on: simulated_ways.cpp.
#include "machine/simulated.h"

#include <cstdio>
#include <cstdlib>

#include "machine/footprint.h"

namespace undis::machine {

thread_local constinit Processor* processor_here = nullptr;

namespace {

[[noreturn]] void broken(const char* what) noexcept {
  std::fprintf(stderr, "undis: simulated machine: %s\n", what);
  std::abort();
}

}  // namespace

Simulated::Simulated(Schedule schedule, std::uint32_t processors, Trail* trail)
    : schedule_(std::move(schedule)), trail_(trail) {
  take_chooser();
  if (processors == 0) processors = schedule_.processors();
  if (processors == 0 || processors > kMaxProcessors) broken("1 to 64 processors are possible");
  processors_.resize(processors);
  for (std::uint32_t i = 0; i < processors; ++i) processors_[i].index = i;
  if (trail_ != nullptr && trail_->want_footprints) footprints_ = std::make_unique<Footprints>(*trail_);
}

void Simulated::follow(Schedule schedule) {
  schedule_ = std::move(schedule);
  take_chooser();
  wish_due_ = true;
}

void Simulated::take_chooser() noexcept {
  chooser_ = Chooser::make(schedule_);
  follows_strands_ = chooser_->follows_strands();
  hears_news_ = chooser_->wants_news();
  clock_overtakes_ = chooser_->lets_clock_overtake();
  counts_focused_ = chooser_->counts_focused();
  looks_inside_ = counts_focused_ || trail_ != nullptr;
}

Simulated::~Simulated() {
  if (host_ != nullptr) detach();
}

void Simulated::attach(Client& client, Strand& host) noexcept {
  client_ = &client;
  host_ = &host;
  host.machine_ = this;
  host.fiber_ = &host_fiber_;
  host.id_ = 0;
  host.stack_low_ = host_fiber_.low();
  host.stack_high_ = host_fiber_.high();
  executing_ = &host;
  abandoned_ = false;
  occupy(processors_[0], host);
  processor_here = &processors_[0];
  if (footprints_ != nullptr) set_footprints_here(footprints_.get());
  wish_due_ = true;
  grant();
}

void Simulated::detach() noexcept {
  if (trail_ != nullptr) {
    account();
    trail_->points = points_before_;
    trail_->focused_points = focused_points();
  }
  drop_strands();
  host_->processor_ = nullptr;
  host_ = executing_ = nullptr;
  processor_here = nullptr;
  if (footprints_ != nullptr) set_footprints_here(nullptr);
}

void Simulated::give_up() noexcept {
  if (executing_ != host_) broken("give_up() is for the host's own thread");
  abandoned_ = true;
  const std::uint8_t irql = processor_here->irql;
  drop_strands();
  occupy(processors_[0], *host_);
  processor_here = processors_.data();
  processor_here->irql = irql;
}

/// The strands that have not ended are lost with their frames; who owns the Strand objects frees those.
void Simulated::drop_strands() noexcept {
  while (live_first_ != nullptr) {
    Strand& strand = *live_first_;
    live_first_ = strand.live_next_;
    Fiber::give_back(strand.fiber_, !strand.owns_nothing());
    strand.fiber_ = nullptr;
    strand.processor_ = nullptr;
    strand.state_ = Strand::State::Ended;
  }
  live_last_ = ready_first_ = ready_last_ = nullptr;
  ready_count_ = spinning_ = 0;
  timers_.clear();
  for (Processor& processor : processors_) processor = Processor{.index = processor.index};
}

// ---- strands ----

bool Simulated::start(Strand& strand) noexcept {
  changes_machine();
  strand.fiber_ = Fiber::make(&Simulated::enter, &strand);
  if (strand.fiber_ == nullptr) return false;
  strand.machine_ = this;
  strand.id_ = next_id_++;
  strand.stack_low_ = strand.fiber_->low();
  strand.stack_high_ = strand.fiber_->high();
  strand.live_before_ = live_last_;
  (live_last_ != nullptr ? live_last_->live_next_ : live_first_) = &strand;
  live_last_ = &strand;

  // A DPC or interrupt strand is no thread: it rests until its processor has something for it.
  for (const Processor& processor : processors_) {
    if (processor.dpc_strand == &strand || processor.interrupt_strand == &strand) {
      strand.state_ = Strand::State::Parked;
      return true;
    }
  }
  make_ready(strand);
  return true;
}

void Simulated::enter(void* strand) noexcept {
  auto& self = *static_cast<Strand*>(strand);
  auto& machine = static_cast<Simulated&>(*self.machine_);
  machine.settle();
  self.main();
  machine.finish(self);
}

void Simulated::finish(Strand& strand) noexcept {
  changes_machine();
  if (wanted_ == &strand) wanted_ended_ = true;
  (strand.live_before_ != nullptr ? strand.live_before_->live_next_ : live_first_) = strand.live_next_;
  (strand.live_next_ != nullptr ? strand.live_next_->live_before_ : live_last_) = strand.live_before_;
  vacate(strand, Strand::State::Ended);
  ended_ = &strand;
  progress();
  dispatch();
  broken("an ended strand was resumed");
}

/// What the strand that arrives does for the one that left for ever: its stack is free only now.
void Simulated::settle() noexcept {
  if (ended_ == nullptr) return;
  Strand& strand = *ended_;
  ended_ = nullptr;
  Fiber::give_back(strand.fiber_, false);
  strand.fiber_ = nullptr;
  strand.ended();
}

void Simulated::make_ready(Strand& strand) noexcept {
  strand.state_ = Strand::State::Ready;
  strand.ready_next_ = nullptr;
  (ready_last_ != nullptr ? ready_last_->ready_next_ : ready_first_) = &strand;
  ready_last_ = &strand;
  ++ready_count_;
  if (hears_news_) news();
}

void Simulated::unready(Strand& strand) noexcept {
  Strand* before = nullptr;
  for (Strand* s = ready_first_; s != &strand; s = s->ready_next_) before = s;
  (before != nullptr ? before->ready_next_ : ready_first_) = strand.ready_next_;
  if (ready_last_ == &strand) ready_last_ = before;
  strand.ready_next_ = nullptr;
  --ready_count_;
}

void Simulated::occupy(Processor& processor, Strand& strand) noexcept {
  processor.current = &strand;
  processor.irql = strand.irql_;
  strand.processor_ = &processor;
  strand.state_ = Strand::State::Running;
}

void Simulated::vacate(Strand& strand, Strand::State state) noexcept {
  Processor& processor = *strand.processor_;
  strand.irql_ = processor.irql;
  strand.processor_ = nullptr;
  strand.state_ = state;
  processor.current = nullptr;
  processor.irql = kPassive;
}

/// The clock overtakes those who could run; its interrupt comes on the processor `taker`.
void Simulated::pass_time_to_timer(Processor& taker) noexcept {
  ++overtakings_;
  if (timers_.next_due() > now_) now_ = timers_.next_due();
  Processor* const here = processor_here;
  processor_here = &taker;
  timers_.expire(now_);
  processor_here = here;
  if (footprints_ != nullptr) footprints_->chosen(now_);
}

/// Back to run(). The host is on no processor until it has arrived there.
void Simulated::back_to_host() noexcept {
  Strand& from = *executing_;
  if (&from == host_) return;
  account();
  executing_ = host_;
  if (follows_strands_) wish_due_ = true;
  grant();
  from.fiber_->switch_to(host_fiber_, from.state_ == Strand::State::Ended);
  settle();
}

/// Time goes on to the next timer, if somebody is waited for. False: there is nothing to wait for, or it
/// takes too long.
bool Simulated::jump() noexcept {
  if (timers_.empty()) return false;
  if (host_in_run_ && (wanted_ == nullptr || wanted_ended_)) return false;
  ++jumps_;
  overtakings_ = 0;
  if (out_of_patience(timers_.next_due())) {
    stop_ = Stop::Impatient;
    return false;
  }
  if (timers_.next_due() > now_) now_ = timers_.next_due();
  timers_.expire(now_);
  if (footprints_ != nullptr) footprints_->chosen(now_);
  progress();
  return true;
}

// ---- what stretches touch ----

void Simulated::touched(const void* object, std::size_t bytes, bool written) noexcept {
  if (footprints_ != nullptr) footprints_->touch(reinterpret_cast<std::uintptr_t>(object), bytes, written);
}

void Simulated::telling(bool all) noexcept {
  if (footprints_ != nullptr) footprints_->telling(executing_->id_, all);
}

void Simulated::changes_machine() noexcept {
  if (footprints_ != nullptr) footprints_->touch_machine();
}

// ---- schedule points ----

/// Takes note of the points passed since the last time.
void Simulated::account() noexcept {
  const std::uint32_t passed = granted_ - points_left_;
  granted_ = points_left_;
  points_before_ += passed;
  executing_->points_ += passed;
  until_tick_ -= passed;
  if (until_wish_ != 0) {
    until_wish_ -= passed;
    if (until_wish_ == 0) wish_due_ = true;
  }
}

/// Grants points up to the next thing to be done at one. To be called with account() done and executing_ up
/// to date.
void Simulated::grant() noexcept {
  if (wish_due_) {
    wish_due_ = false;
    const std::uint32_t wish = chooser_->wish(moment(false));
    until_wish_ = counts_focused_ ? 0 : wish;
    focused_before_ = focused_points();
    focused_granted_ = focused_left_ = counts_focused_ && wish != 0 ? wish : kForLong;
  }
  granted_ = until_wish_ != 0 && until_wish_ < until_tick_ ? until_wish_ : until_tick_;
  if (news_ || (trail_ != nullptr && trail_->want_decisions)) granted_ = 1;
  points_left_ = granted_;
}

/// Somebody waited or ended, or time passed: the clock need not help out.
void Simulated::progress() noexcept {
  account();
  until_tick_ = kPointsPerTick;
  grant();
}

/// The chooser that wants to hear of it is asked at the next point.
void Simulated::news() noexcept {
  if (news_ || executing_ == nullptr) return;
  account();
  news_ = true;
  grant();
}

void Simulated::point(const char* what) noexcept {
  executing_->at_ = what;
  bool due = --points_left_ == 0;
  if (executing_->focused_ && looks_inside_ && rare_points_.counts(what) && --focused_left_ == 0) due = true;
  if (due) decide();
}

/// The clock interrupt, as seen by code that polls.
void Simulated::tick() noexcept {
  now_ += kTick;
  ++ticks_;
  timers_.expire(now_);
  if (footprints_ != nullptr) {
    footprints_->chosen(now_);
    trail_->polled = true;
  }
  if (!out_of_patience(now_)) return;
  if (host_in_run_) {
    // The strand stays where it is: the host reports it, then gives up.
    stop_ = Stop::Impatient;
    executing_->resting_frame_ = __builtin_frame_address(0);
    back_to_host();
  } else if (host_->state_ == Strand::State::Parked || host_->state_ == Strand::State::Spinning) {
    client_->host_is_stuck();
  }
}

bool Simulated::out_of_patience(Ticks at) const noexcept {
  return jumps_ > patience_.jumps || ticks_ > patience_.ticks || at - run_began_ > patience_.time;
}

void Simulated::park() noexcept {
  changes_machine();
  Strand& self = *executing_;
  if (self.token_) {
    self.token_ = false;
    return;
  }
  vacate(self, Strand::State::Parked);
  progress();
  if (&self == host_) begin_patience(Patience{});
  dispatch();
}

void Simulated::unpark(Strand& strand) noexcept {
  changes_machine();
  if (strand.state_ == Strand::State::Parked) {
    make_ready(strand);
  } else if (strand.state_ != Strand::State::Ended) {
    strand.token_ = true;
  }
}

void Simulated::yield() noexcept {
  changes_machine();
  if (ready_count_ != 0 && processor_here->irql < kDispatch) move();
}

void Simulated::move() noexcept {
  changes_machine();
  Strand& self = *executing_;
  vacate(self, Strand::State::Ready);
  make_ready(self);
  dispatch();
}

void Simulated::spin(const void* lock) noexcept {
  changes_machine();
  Strand& self = *executing_;
  self.state_ = Strand::State::Spinning;
  self.spins_for_ = lock;
  ++spinning_;
  if (&self == host_) begin_patience(Patience{});
  dispatch();
}

void Simulated::spun(const void* lock) noexcept {
  if (spinning_ == 0) return;
  changes_machine();
  for (Processor& processor : processors_) {
    Strand* const strand = processor.current;
    if (strand == nullptr || strand->state_ != Strand::State::Spinning || strand->spins_for_ != lock)
      continue;
    strand->state_ = Strand::State::Running;
    strand->spins_for_ = nullptr;
    --spinning_;
  }
}

void Simulated::end_dpcs() noexcept {
  changes_machine();
  Strand& self = *executing_;
  Processor& processor = *self.processor_;
  vacate(self, Strand::State::Parked);
  if (Strand* const below = processor.interrupted; below != nullptr) {
    processor.interrupted = nullptr;
    occupy(processor, *below);
  }
  progress();
  dispatch();
}

void Simulated::request_interrupt(Processor& processor, std::uint8_t irql) noexcept {
  changes_machine();
  processor.interrupt_irql = irql;
  if (hears_news_) news();
}

void Simulated::end_interrupts() noexcept {
  changes_machine();
  Strand& self = *executing_;
  Processor& processor = *self.processor_;
  vacate(self, Strand::State::Parked);
  if (Strand* const below = processor.under_interrupt; below != nullptr) {
    processor.under_interrupt = nullptr;
    occupy(processor, *below);
  }
  progress();
  dispatch();
}

void Simulated::stall(Ticks ticks) noexcept {
  changes_machine();
  now_ += ticks;
  timers_.expire(now_);
}

void Simulated::arm(Timer& timer, Ticks due) noexcept {
  changes_machine();
  timers_.arm(timer, due);
}

bool Simulated::disarm(Timer& timer) noexcept {
  changes_machine();
  return timers_.disarm(timer);
}

void Simulated::request_dpcs(Processor& processor) noexcept {
  changes_machine();
  processor.dpcs_waiting = true;
  if (hears_news_) news();
}

bool Simulated::choose(const char*) noexcept {
  changes_machine();
  const bool yes = chooser_->answer(++questions_);
  if (trail_ != nullptr) {
    trail_->questions = questions_;
    if (yes) trail_->yes.push_back(questions_);
    if (trail_->want_decisions) {
      trail_->decisions.push_back(
          {0, questions_, static_cast<std::uint32_t>(trail_->options.size()), 2, yes ? 1U : 0U, false, true});
    }
  }
  return yes;
}

bool Simulated::fault(const char*, std::uint64_t place) noexcept {
  const bool fails = schedule_.fails(++faults_seen_);
  if (trail_ != nullptr) {
    trail_->fault_points = faults_seen_;
    if (trail_->want_faults) trail_->faults.push_back({faults_seen_, place, fails});
  }
  return fails;
}

// ---- the host ----

void Simulated::begin_patience(const Patience& patience) noexcept {
  patience_ = patience;
  run_began_ = now_;
  jumps_ = 0;
  ticks_ = 0;
}

Stop Simulated::run(Strand* wanted, const Patience& patience) noexcept {
  if (executing_ != host_ || host_in_run_) broken("run() is for the host's own thread");
  if (abandoned_) return Stop::Abandoned;
  begin_patience(patience);
  wanted_ = wanted;
  wanted_ended_ = wanted == nullptr || wanted->state_ == Strand::State::Ended;
  stop_ = Stop::Idle;
  host_in_run_ = true;
  vacate(*host_, Strand::State::Parked);
  dispatch();
  host_in_run_ = false;
  wanted_ = nullptr;
  if (abandoned_) drop_strands();
  return_host();
  return abandoned_ ? Stop::Abandoned : stop_;
}

/// The host takes the first processor on which it can run; what runs there becomes ready, unless it can never
/// run again.
void Simulated::return_host() noexcept {
  Processor* place = place_for(*host_, nullptr);
  if (place == nullptr)
    place = processors_.data();  // every processor spins or is held at DISPATCH_LEVEL: the run is over anyway
  if (Strand* const displaced = place->current;
      displaced != nullptr && displaced->state_ == Strand::State::Running) {
    vacate(*displaced, Strand::State::Ready);
    make_ready(*displaced);
  }
  occupy(*place, *host_);
  processor_here = place;
}

void Simulated::abandon() noexcept {
  if (!host_in_run_) broken("abandon() without a run to go back to");
  abandoned_ = true;
  Strand& from = *executing_;
  executing_ = host_;
  from.fiber_->switch_to(host_fiber_, true);
  __builtin_unreachable();
}

void Simulated::each_strand(void (*visit)(Strand&, void*), void* argument) noexcept {
  if (host_ != nullptr) visit(*host_, argument);
  for (Strand* strand = live_first_; strand != nullptr;) {
    Strand* const next = strand->live_next_;
    visit(*strand, argument);
    strand = next;
  }
}

}  // namespace undis::machine
