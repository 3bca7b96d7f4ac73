// SPDX-License-Identifier: MIT
//
// The simulated machine: one OS thread, a fiber per strand, virtual time, and a Schedule that decides at each
// schedule point.
//
// Choices   the strand that is at the point goes on (always the first); device interrupts of a processor
// below their IRQL; DPCs of a
//           processor below DISPATCH_LEVEL, by number; what is current on another processor; each ready
//           strand, on an idle processor or in place of what runs below DISPATCH_LEVEL; the clock, if the
//           schedule lets it overtake and a timer is due within kReach: what that sets off then meets who is
//           in the middle of something, on its own processor or on another one
// Time      jumps to the next timer when nothing can run and somebody is waited for. Code that polls without
// ever waiting sees a
//           clock tick pass every kPointsPerTick schedule points, and everything else gets its turn
// Order     nothing here depends on the value of a pointer: the same schedule is the same run
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "machine/chooser.h"
#include "machine/fiber.h"
#include "machine/machine.h"
#include "machine/rare_points.h"
#include "machine/schedule.h"
#include "machine/timer_heap.h"
#include "machine/trail.h"

namespace undis::machine {

class Footprints;

class Simulated final : public Machine {
 public:
  static constexpr std::uint32_t kMaxProcessors = 64;
  static constexpr std::uint32_t kPointsPerTick = 4096;
  static constexpr Ticks kTick = 156'250;   ///< 15.625 ms, the usual clock interval of Windows
  static constexpr Ticks kReach = 200'000;  ///< 20 ms
  /// So often in a row: who polls with a delay would otherwise starve, for ever, whom it waits for.
  static constexpr std::uint32_t kOvertakings = 64;

  /// `trail`: where the run is noted, nullptr: nowhere. It outlives the machine. `processors`: 0 for as many
  /// as the schedule says.
  explicit Simulated(Schedule schedule = {}, std::uint32_t processors = 0, Trail* trail = nullptr);
  ~Simulated() override;

  const Schedule& schedule() const noexcept { return schedule_; }
  /// From here on `schedule` decides; the processors stay as they are. From the host, outside run().
  void follow(Schedule schedule);
  /// How many fault points were passed so far, so that a search knows how many there are to fail.
  std::uint32_t faults_seen() const noexcept { return faults_seen_; }

  std::span<Processor> processors() noexcept override { return processors_; }
  bool single_threaded() noexcept override { return true; }
  void attach(Client& client, Strand& host) noexcept override;
  void detach() noexcept override;
  Strand& current() noexcept override { return *executing_; }
  bool start(Strand& strand) noexcept override;
  [[noreturn]] void exit() noexcept override { finish(*executing_); }
  void park() noexcept override;
  void unpark(Strand& strand) noexcept override;
  void move() noexcept override;
  void yield() noexcept override;
  void point(const char* what) noexcept override;
  void touched(const void* object, std::size_t bytes, bool written) noexcept override;
  void telling(bool all) noexcept override;
  void spin(const void* lock) noexcept override;
  void spun(const void* lock) noexcept override;
  void request_dpcs(Processor& processor) noexcept override;
  void end_dpcs() noexcept override;
  void request_interrupt(Processor& processor, std::uint8_t irql) noexcept override;
  void end_interrupts() noexcept override;
  Ticks now() noexcept override { return now_; }
  void stall(Ticks ticks) noexcept override;
  void arm(Timer& timer, Ticks due) noexcept override;
  bool disarm(Timer& timer) noexcept override;
  void finish_expiries() noexcept override {}
  bool choose(const char* what) noexcept override;
  bool fault(const char* what, std::uint64_t place) noexcept override;
  bool notes_faults() noexcept override { return trail_ != nullptr && trail_->want_faults; }
  Stop run(Strand* wanted, const Patience& patience) noexcept override;
  [[noreturn]] void abandon() noexcept override;
  void give_up() noexcept override;
  bool can_abandon() noexcept override { return host_in_run_; }
  void each_strand(void (*visit)(Strand&, void*), void* argument) noexcept override;
  std::uint64_t switch_hash() noexcept override { return switch_hash_; }
  std::uint64_t switches() noexcept override { return switches_; }
  std::uint64_t steps() noexcept override { return points_before_ + (granted_ - points_left_) + switches_; }

 private:
  /// One way to go on.
  struct Way {
    enum class Kind : std::uint8_t { Interrupts, Dpcs, Continue, Dispatch, Clock };
    Kind kind;
    Processor* processor;
    Strand* strand;  // who goes on; nullptr: Clock, which `processor` takes
  };

  static void enter(void* strand) noexcept;
  void decide() noexcept;
  void dispatch() noexcept;
  void collect_ways(Strand* self) noexcept;
  std::uint32_t choose_way(bool forced) noexcept;
  void fill_options() noexcept;
  void note_decision(const Moment& moment, std::uint32_t chosen) noexcept;
  void note_switch(Strand& from, Strand& to) noexcept;
  void news() noexcept;
  void pass_time_to_timer(Processor& taker) noexcept;
  std::uint64_t focused_points() const noexcept {
    return focused_before_ + (focused_granted_ - focused_left_);
  }
  Moment moment(bool forced) const noexcept {
    return {executing_->id_, executing_->points_, counts_focused_ ? focused_points() : points_before_,
            forced};
  }
  void take_chooser() noexcept;
  Processor* place_for(const Strand& strand, Processor* own) noexcept;
  void take(const Way& way) noexcept;
  Strand* set_aside(Processor& processor) noexcept;
  void switch_to(Strand& next) noexcept;
  [[noreturn]] void finish(Strand& strand) noexcept;
  void begin_patience(const Patience& patience) noexcept;
  void return_host() noexcept;
  void settle() noexcept;

  void make_ready(Strand& strand) noexcept;
  void unready(Strand& strand) noexcept;
  void occupy(Processor& processor, Strand& strand) noexcept;
  void vacate(Strand& strand, Strand::State state) noexcept;
  bool jump() noexcept;
  void tick() noexcept;
  bool out_of_patience(Ticks at) const noexcept;
  void back_to_host() noexcept;
  void drop_strands() noexcept;
  void account() noexcept;
  void grant() noexcept;
  void progress() noexcept;
  void changes_machine() noexcept;

  Schedule schedule_;
  std::unique_ptr<Chooser> chooser_;
  Trail* const trail_;
  bool follows_strands_;
  bool hears_news_;
  bool clock_overtakes_;
  bool counts_focused_;
  bool looks_inside_;  // counts_focused_, or the trail wants to know how many such points there are
  std::vector<Processor> processors_;
  std::vector<Way> ways_;               // of the decision at hand
  std::vector<std::uint32_t> options_;  // the same, as the chooser sees them
  TimerHeap timers_;
  Ticks now_ = 0;

  Client* client_ = nullptr;
  Strand* host_ = nullptr;
  Fiber host_fiber_;
  Strand* executing_ = nullptr;
  Strand* ended_ = nullptr;        // returned from main(), its stack not yet given back
  Strand* ready_first_ = nullptr;  // linked by ready_next_
  Strand* ready_last_ = nullptr;
  Strand* live_first_ = nullptr;  // linked by live_next_, in the order of start
  Strand* live_last_ = nullptr;
  std::uint32_t ready_count_ = 0;
  std::uint32_t spinning_ = 0;
  std::uint32_t next_id_ = 1;

  std::uint32_t points_left_ = 0;  // until decide() is called
  std::uint32_t granted_ = 0;      // points_left_ when account() was last called
  static constexpr std::uint32_t kForLong = ~std::uint32_t{0};
  std::uint32_t focused_left_ = kForLong;     // of focused strands, until decide() is called
  std::uint32_t focused_granted_ = kForLong;  // focused_left_ when it was last set
  std::uint64_t focused_before_ = 0;          // passed before that
  RarePoints rare_points_;
  std::unique_ptr<Footprints> footprints_;  // nullptr: nobody wants to know
  std::uint32_t until_wish_ = 0;            // until the chooser wants to be asked; 0: not now
  bool wish_due_ = false;
  bool news_ = false;              // a strand has become able to run since the chooser was asked
  std::uint32_t overtakings_ = 0;  // of the clock, since nothing could run
  std::uint32_t questions_ = 0;
  std::uint32_t faults_seen_ = 0;
  std::uint64_t state_ = 0;  // made from every strand's place
  std::uint32_t until_tick_ = kPointsPerTick;
  std::uint32_t turn_ = 0;
  std::uint64_t points_before_ = 0;  // passed before account() was last called

  bool host_in_run_ = false;
  bool abandoned_ = false;
  Strand* wanted_ = nullptr;
  bool wanted_ended_ = false;
  Patience patience_;
  Ticks run_began_ = 0;
  std::uint64_t jumps_ = 0;
  std::uint64_t ticks_ = 0;
  Stop stop_ = Stop::Idle;

  std::uint64_t switches_ = 0;
  std::uint64_t switch_hash_ = 0;
};

}  // namespace undis::machine
