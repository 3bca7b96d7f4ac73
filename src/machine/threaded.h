// SPDX-License-Identifier: MIT
//
// The threaded machine: an OS thread per virtual processor, real time, and nobody who chooses.
//
// Processor   one OS thread, its carrier, pinned to a core while there are enough; processor 0 is carried by
// the host's own thread, which
//             serves it while it waits or is in run()
// Strand      a fiber. Who is ready goes to whatever processor of its affinity is free first, so strands
// migrate at park() and move() IRQL        a byte of the processor: raising it is a store. At DISPATCH_LEVEL
// nothing is taken from the processor at a point DPCs        run at the next schedule point below
// DISPATCH_LEVEL, in the strand of their processor, without a system call Time        CLOCK_MONOTONIC.
// Whoever passes a point after a timer is due, or idles, plays the clock interrupt Idle        a carrier with
// nothing to do sleeps in the kernel until somebody has work for it or the next timer is due Stopping    a
// strand is stopped at its next call into undis; one that never makes a call cannot be stopped
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "machine/fiber.h"
#include "machine/machine.h"
#include "machine/timer_heap.h"

namespace undis::machine {

class Threaded final : public Machine {
 public:
  static constexpr std::uint32_t kMaxProcessors = 64;
  /// How long every busy processor may spin, and nothing else happen, until run() calls it a hang.
  static constexpr Ticks kSpinPatience = 20'000'000;  // 2 s
  /// How long a strand may go on after everything was told to stop.
  static constexpr Ticks kStopPatience = 100'000'000;  // 10 s
  /// How long a strand keeps its processor while others are ready.
  static constexpr Ticks kQuantum = 156'250;

  /// `pinned`: processor i stays on core i, if the process may use that many.
  explicit Threaded(std::uint32_t processors = 2, bool pinned = true);
  ~Threaded() override;

  std::span<Processor> processors() noexcept override { return processors_; }
  bool single_threaded() noexcept override { return false; }
  void attach(Client& client, Strand& host) noexcept override;
  void detach() noexcept override;
  Strand& current() noexcept override;
  bool start(Strand& strand) noexcept override;
  [[noreturn]] void exit() noexcept override;
  void park() noexcept override;
  void unpark(Strand& strand) noexcept override;
  void move() noexcept override;
  void yield() noexcept override;
  void point(const char* what) noexcept override;
  void spin(const void* lock) noexcept override;
  void spun(const void*) noexcept override {}
  void request_dpcs(Processor& processor) noexcept override;
  void end_dpcs() noexcept override;
  void request_interrupt(Processor& processor, std::uint8_t irql) noexcept override;
  void end_interrupts() noexcept override;
  Ticks now() noexcept override;
  void stall(Ticks ticks) noexcept override;
  void arm(Timer& timer, Ticks due) noexcept override;
  bool disarm(Timer& timer) noexcept override;
  void finish_expiries() noexcept override;
  bool choose(const char*) noexcept override { return false; }
  bool fault(const char*, std::uint64_t) noexcept override { return false; }
  bool notes_faults() noexcept override { return false; }
  Stop run(Strand* wanted, const Patience& patience) noexcept override;
  [[noreturn]] void abandon() noexcept override;
  void give_up() noexcept override;
  /// Strands run while the host does something else: its next run() then says Abandoned.
  bool can_abandon() noexcept override { return &current() != host_; }
  void each_strand(void (*visit)(Strand&, void*), void* argument) noexcept override;
  std::uint64_t switch_hash() noexcept override { return 0; }  // no two runs are the same
  std::uint64_t switches() noexcept override { return switches_.load(); }
  std::uint64_t steps() noexcept override;

 private:
  /// What its carrier does with a strand that has just left its stack.
  enum class After : std::uint8_t { Nothing, Park, Ready, End, Stop };
  struct Carrier;
  /// What a carrier finds to do next.
  enum class Next : std::uint8_t { Run, Clock, Return };

  static void enter(void* strand) noexcept;
  Carrier& here() noexcept;
  using Done = bool (Threaded::*)();
  void carry(Carrier& carrier) noexcept;
  void serve(Carrier& carrier, Done done) noexcept;
  Next look(Carrier& carrier, Done done, Strand** strand) noexcept;
  void wait_for_work(Carrier& carrier, Done done, std::unique_lock<std::mutex>& hold);
  void go(Carrier& carrier, Strand& strand) noexcept;
  void leave(After after) noexcept;
  void arrange(Carrier& carrier) noexcept;
  void occupy(Carrier& carrier, Strand& strand) noexcept;
  void vacate(Carrier& carrier) noexcept;
  void make_ready(Strand& strand) noexcept;
  Strand* take_ready(const Processor& processor) noexcept;
  void unlink(Strand& strand) noexcept;
  void interrupt(Carrier& carrier, Strand& strand, std::uint8_t irql, Strand*& under) noexcept;
  bool resume(Carrier& carrier, Strand*& under) noexcept;
  void check_time(Carrier& carrier) noexcept;
  void play_clock(Carrier& carrier) noexcept;
  void wake(Carrier& carrier) noexcept;

  bool host_may_go_on();
  bool run_is_over();
  bool everything_rests();
  bool all_rest() const noexcept;
  bool all_spin() noexcept;
  void begin_stop(Stop why) noexcept;
  void forget_strands() noexcept;

  std::vector<Processor> processors_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  Fiber host_fiber_;
  Client* client_ = nullptr;
  Strand* host_ = nullptr;
  const std::int64_t began_;  ///< of CLOCK_MONOTONIC, in nanoseconds
  const bool pinned_;
  bool abandoned_ = false;

  std::mutex mutex_;  ///< over all that follows; never held over code of a strand or an expiry
  Strand* ready_first_ = nullptr;
  Strand* ready_last_ = nullptr;
  Strand* live_first_ = nullptr;
  Strand* live_last_ = nullptr;
  std::uint32_t next_id_ = 1;
  Strand* wanted_ = nullptr;
  bool wanted_ended_ = true;
  bool host_waits_ = false;
  bool closing_ = false;
  TimerHeap timers_;
  bool expiring_ = false;  ///< one carrier at a time plays the clock
  std::condition_variable expired_;
  Stop stop_ = Stop::Idle;
  Ticks run_until_ = kNever;
  Ticks stop_until_ = kNever;
  Ticks spinning_since_ = kNever;

  std::atomic<Ticks> next_due_{kNever};
  std::atomic<std::uint32_t> ready_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> host_wants_back_{false};
  std::atomic<std::uint64_t> switches_{0};
};

}  // namespace undis::machine
