// SPDX-License-Identifier: MIT
//
// Simulated: the ways to go on from a schedule point, the choice of one, and the switch.
#include "machine/simulated.h"

#include <algorithm>

#include "machine/footprint.h"

namespace undis::machine {

namespace {

/// Below DISPATCH_LEVEL, except that a DPC which lowered the IRQL against the rules is not interrupted by the
/// next.
bool can_start_dpcs(const Processor& processor) noexcept {
  return processor.dpcs_waiting && processor.irql < kDispatch && processor.current != processor.dpc_strand;
}

/// One service routine at a time: on a processor that serves an interrupt, the next one waits for its end.
bool can_interrupt(const Processor& processor) noexcept {
  return processor.interrupt_irql > processor.irql && processor.current != processor.interrupt_strand;
}

}  // namespace

/// Notes the ways to go on in their fixed order. `self`: the executing strand, if it can go on.
void Simulated::collect_ways(Strand* self) noexcept {
  ways_.clear();
  Processor* const own = executing_->processor_;
  if (self != nullptr) ways_.push_back({Way::Kind::Continue, own, self});
  for (Processor& processor : processors_) {
    if (can_interrupt(processor))
      ways_.push_back({Way::Kind::Interrupts, &processor, processor.interrupt_strand});
  }
  for (Processor& processor : processors_) {
    if (can_start_dpcs(processor)) ways_.push_back({Way::Kind::Dpcs, &processor, processor.dpc_strand});
  }
  for (Processor& processor : processors_) {
    Strand* const strand = processor.current;
    if (strand == nullptr || strand == self || strand->state_ != Strand::State::Running) continue;
    ways_.push_back({Way::Kind::Continue, &processor, strand});
  }
  for (Strand* strand = ready_first_; strand != nullptr; strand = strand->ready_next_) {
    if (Processor* const place = place_for(*strand, own))
      ways_.push_back({Way::Kind::Dispatch, place, strand});
  }
  if (clock_overtakes_ && !ways_.empty() && overtakings_ < kOvertakings && !timers_.empty() &&
      timers_.next_due() <= now_ + kReach) {
    Processor* const here = own != nullptr ? own : processor_here;
    ways_.push_back({Way::Kind::Clock, here, nullptr});
    const auto elsewhere = std::ranges::find_if(
        processors_, [here](const Processor& p) { return &p != here && p.irql < kDispatch; });
    if (elsewhere != processors_.end()) ways_.push_back({Way::Kind::Clock, &*elsewhere, nullptr});
  }
}

/// Has the chooser pick one of the ways collected, and notes it.
std::uint32_t Simulated::choose_way(bool forced) noexcept {
  news_ = false;
  if (ways_.size() < 2) return 0;
  fill_options();
  const Moment at = moment(forced);
  const std::uint32_t chosen = chooser_->pick(at, options_);
  if (trail_ != nullptr) note_decision(at, chosen);
  return chosen;
}

void Simulated::fill_options() noexcept {
  options_.clear();
  bool clock = false;  // the first is that of the own processor
  for (const Way& way : ways_) {
    options_.push_back(way.strand != nullptr ? way.strand->id_
                       : clock               ? Turn::kClockElsewhere
                                             : Turn::kClock);
    clock = way.strand == nullptr;
  }
}

void Simulated::note_decision(const Moment& at, std::uint32_t chosen) noexcept {
  if (chosen != 0) trail_->turns.push_back({at.strand, at.point, options_[chosen]});
  if (!trail_->want_decisions) return;
  Trail::Decision decision{at.strand,
                           at.point,
                           static_cast<std::uint32_t>(trail_->options.size()),
                           static_cast<std::uint32_t>(options_.size()),
                           chosen,
                           at.forced,
                           false};
  if (footprints_ != nullptr) {
    decision.irql = at.forced ? executing_->irql_ : processor_here->irql;
    decision.stretches = static_cast<std::uint32_t>(trail_->stretches.size());
    decision.state = footprints_->state(at.strand);
  }
  trail_->decisions.push_back(decision);
  trail_->options.insert(trail_->options.end(), options_.begin(), options_.end());
}

/// Where a ready strand could run: an idle processor, else the executing strand's own, else the first whose
/// thread can be displaced.
Processor* Simulated::place_for(const Strand& strand, Processor* own) noexcept {
  const auto allowed = [&strand](const Processor& p) { return (strand.affinity_ >> p.index & 1) != 0; };
  const auto displaceable = [](const Processor& p) {
    return p.irql < kDispatch && p.current != p.dpc_strand && p.current->state_ == Strand::State::Running;
  };
  // One where DPCs wait is idle no longer than it takes them to begin.
  Processor* idle = nullptr;
  for (Processor& processor : processors_) {
    if (processor.current != nullptr || !allowed(processor)) continue;
    if (!processor.dpcs_waiting) return &processor;
    if (idle == nullptr) idle = &processor;
  }
  if (idle != nullptr) return idle;
  if (own != nullptr && own->current != nullptr && allowed(*own) && displaceable(*own)) return own;
  for (Processor& processor : processors_) {
    if (processor.current != nullptr && allowed(processor) && displaceable(processor)) return &processor;
  }
  return nullptr;
}

/// Goes one of the ways. Returns when the executing strand of now executes again.
void Simulated::take(const Way& way) noexcept {
  Processor& processor = *way.processor;
  if (footprints_ != nullptr && way.strand != nullptr) {
    footprints_->chosen(std::uint64_t{way.strand->id_} << 16 | processor.index << 8 |
                        static_cast<std::uint64_t>(way.kind));
    // Who was woken, started or called for goes on because of what others did.
    if (way.kind != Way::Kind::Continue) footprints_->touch_machine();
  }
  switch (way.kind) {
  case Way::Kind::Clock:
    break;  // the callers' business
  case Way::Kind::Continue:
    switch_to(*way.strand);
    return;
  case Way::Kind::Dpcs: {
    processor.interrupted = set_aside(processor);
    processor.dpcs_waiting = false;
    Strand& dpcs = *processor.dpc_strand;
    dpcs.irql_ = kDispatch;
    occupy(processor, dpcs);
    switch_to(dpcs);
    return;
  }
  case Way::Kind::Interrupts: {
    const std::uint8_t irql = processor.interrupt_irql;
    processor.under_interrupt = set_aside(processor);
    processor.interrupt_irql = 0;
    Strand& service = *processor.interrupt_strand;
    service.irql_ = irql;
    occupy(processor, service);
    switch_to(service);
    return;
  }
  case Way::Kind::Dispatch:
    unready(*way.strand);
    if (Strand* const displaced = processor.current; displaced != nullptr) {
      vacate(*displaced, Strand::State::Ready);
      make_ready(*displaced);
    }
    occupy(processor, *way.strand);
    switch_to(*way.strand);
    return;
  }
}

/// Takes what runs off the processor for the time of a DPC or an interrupt. nullptr: it was idle.
Strand* Simulated::set_aside(Processor& processor) noexcept {
  Strand* const below = processor.current;
  if (below == nullptr) return nullptr;
  if (below->state_ == Strand::State::Spinning) {  // it tries again when it goes on
    below->spins_for_ = nullptr;
    --spinning_;
  }
  below->irql_ = processor.irql;
  below->state_ = Strand::State::Interrupted;
  return below;
}

void Simulated::switch_to(Strand& next) noexcept {
  Strand& from = *executing_;
  processor_here = next.processor_;
  if (&next != &from) {
    ++switches_;
    const std::uint64_t step = (std::uint64_t{next.id_} << 8 | next.processor_->index) + now_;
    switch_hash_ = (switch_hash_ ^ step) * 0x100000001b3 + 1;
    from.resting_frame_ = __builtin_frame_address(0);
    account();
    if (trail_ != nullptr && trail_->want_places) note_switch(from, next);
    executing_ = &next;
    if (follows_strands_) wish_due_ = true;
    grant();
    from.fiber_->switch_to(*next.fiber_, from.state_ == Strand::State::Ended);
    settle();
  } else {
    grant();
  }
}

namespace {

/// FNV-1a: the same in each process, as a pointer would not be.
std::uint64_t hash_of(const char* text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3U;
  return hash;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  Random random{a * 0x9e3779b97f4a7c15U ^ b};
  return random.next();
}

}  // namespace

/// What the run has come to: where each strand is, and which place was left for which.
void Simulated::note_switch(Strand& from, Strand& to) noexcept {
  const std::uint64_t place = mix(hash_of(from.at_), client_->place_of(from));
  state_ ^= mix(from.id_, from.place_) ^ mix(from.id_, place);
  from.place_ = place;
  trail_->states.push_back(state_);
  trail_->pairs.push_back(mix(place, to.place_));
}

/// The executing strand has given its processor up (or spins): finds what goes on, letting time pass if need
/// be.
void Simulated::dispatch() noexcept {
  if (footprints_ != nullptr) footprints_->end(executing_->id_);
  for (;;) {
    collect_ways(nullptr);
    if (!ways_.empty()) {
      account();
      ++executing_->points_;
      if (follows_strands_) wish_due_ = true;
      const Way way = ways_[choose_way(true)];
      if (way.kind == Way::Kind::Clock) {
        pass_time_to_timer(*way.processor);
        continue;
      }
      take(way);
      return;
    }
    if (jump()) continue;
    if (!host_in_run_) client_->host_is_stuck();
    executing_->resting_frame_ = __builtin_frame_address(0);
    back_to_host();
    return;
  }
}

/// The points granted are used up: the chooser wants to be asked, or nobody has waited or ended for so long
/// that the clock ticks.
void Simulated::decide() noexcept {
  account();
  if (footprints_ != nullptr) {
    footprints_->end(executing_->id_);
    if (until_tick_ < kPointsPerTick / 2) trail_->polled = true;
  }
  if (focused_left_ == 0) {
    focused_before_ = focused_points();
    focused_granted_ = focused_left_ = kForLong;
    wish_due_ = true;
  }
  const bool asks = wish_due_ || news_;
  const bool ticks = until_tick_ == 0;
  if (ticks) {
    until_tick_ = kPointsPerTick;
    tick();
  }
  collect_ways(executing_);
  std::uint32_t chosen = 0;
  const auto others = static_cast<std::uint32_t>(std::ranges::count_if(
                          ways_, [](const Way& way) { return way.kind != Way::Kind::Clock; })) -
                      1;
  if (ticks && others != 0) {
    chosen = 1 + turn_++ % others;
    chooser_->starved_others(executing_->id_);
  } else if (asks) {
    chosen = choose_way(false);
  } else if (trail_ != nullptr && trail_->want_decisions && ways_.size() > 1) {
    // A decision that the chooser does not know of: noting it must not change what it draws next.
    fill_options();
    note_decision(moment(false), 0);
  }
  const Way way = ways_[chosen];
  if (way.kind == Way::Kind::Clock) {
    pass_time_to_timer(*way.processor);
    // An interrupt comes at once, not at the next point.
    if (can_start_dpcs(*way.processor)) {
      grant();
      take({Way::Kind::Dpcs, way.processor, way.processor->dpc_strand});
      return;
    }
  }
  grant();
  if (chosen != 0 && way.kind != Way::Kind::Clock) take(way);
}

}  // namespace undis::machine
