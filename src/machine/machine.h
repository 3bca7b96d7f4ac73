// SPDX-License-Identifier: MIT
//
// The machine under the kernel: virtual processors, strands (flows of control), a clock, and the choice of
// who goes on.
//
// What the kernel builds on it: a kernel thread is a strand; a wait is park()/unpark(); a KSPIN_LOCK is a
// word taken by compare and exchange with spin()/spun() for the waiting; a DPC queue is drained by the
// processor's DPC strand; KTIMER is a Timer. Engines: simulated.h (one OS thread, virtual time, every choice
// from a schedule). An engine with real threads implements the same: park() and unpark() carry a token, so
// that a wake-up which comes before the sleep is not lost; spin() is then a pause.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "machine/processor.h"

namespace undis::machine {

/// Time in units of 100 ns.
using Ticks = std::uint64_t;
inline constexpr Ticks kNever = std::numeric_limits<Ticks>::max();

class Fiber;
class Machine;

/// A flow of control with its own stack: a kernel thread, a processor's DPC loop, or the host's own OS
/// thread.
class Strand {
 public:
  enum class State : std::uint8_t {
    New,
    Ready,        ///< could run, has no processor
    Running,      ///< is the current one of a processor
    Interrupted,  ///< under a DPC or a device interrupt on its processor
    Spinning,     ///< holds its processor and waits for a spin lock
    Parked,       ///< waits for unpark()
    Ended,
  };

  virtual ~Strand() = default;
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  State state() const noexcept { return state_; }
  /// 0 for the host, then 1, 2 ... in the order of start: the same in each replay.
  std::uint32_t id() const noexcept { return id_; }
  /// Where it runs; nullptr while it has no processor.
  Processor* processor() const noexcept { return processor_; }
  /// What it spins for, nullptr unless Spinning.
  const void* spins_for() const noexcept { return spins_for_; }
  /// The processors it may run on, one bit each.
  std::uint64_t affinity() const noexcept { return affinity_; }
  void set_affinity(std::uint64_t processors) noexcept { affinity_ = processors; }
  /// True: it runs code that a search is after (of a driver under test); schedules may count its points only.
  bool focused() const noexcept { return focused_; }
  void set_focused(bool focused) noexcept { focused_ = focused; }
  /// Its stack: [low, high). Zero before its first run.
  std::uintptr_t stack_low() const noexcept { return stack_low_; }
  std::uintptr_t stack_high() const noexcept { return stack_high_; }
  /// Where walks of its stack end: what lies beyond the frame of main() is the machine's own.
  std::uintptr_t walk_end() const noexcept { return walk_end_ != 0 ? walk_end_ : stack_high_; }
  /// The frame pointer with which it last left its processor: where a walk of its stack begins. Only while it
  /// does not run.
  const void* resting_frame() const noexcept { return resting_frame_; }

 protected:
  Strand() = default;
  /// To be called by main(), with its frame.
  void ends_walks_at(const void* frame) noexcept { walk_end_ = reinterpret_cast<std::uintptr_t>(frame); }
  /// Its code. Returning ends the strand.
  virtual void main() noexcept = 0;
  /// The engine is through with it: called after main() returned, off its stack, in nobody's context. May
  /// delete this.
  virtual void ended() noexcept {}
  /// True if the frames on its stack own nothing now, so that dropping it loses nothing (a DPC loop at rest,
  /// an idle worker).
  virtual bool owns_nothing() const noexcept { return false; }

 private:
  friend class Simulated;
  friend class Threaded;
  State state_ = State::New;
  std::uint8_t irql_ = kPassive;  // while it has no processor, or is under a DPC
  bool token_ = false;            // unparked before it parked
  bool focused_ = false;
  std::uint32_t id_ = 0;
  Processor* processor_ = nullptr;
  const void* spins_for_ = nullptr;
  std::uint64_t affinity_ = ~std::uint64_t{0};
  Machine* machine_ = nullptr;
  Fiber* fiber_ = nullptr;
  Strand* ready_next_ = nullptr;
  Strand* live_next_ = nullptr;
  Strand* live_before_ = nullptr;
  std::uintptr_t stack_low_ = 0;
  std::uintptr_t stack_high_ = 0;
  std::uintptr_t walk_end_ = 0;
  const void* resting_frame_ = nullptr;
  const char* at_ = "";       // the schedule point that it passed last
  std::uint64_t place_ = 0;   // a number for where it last left its processor
  std::uint32_t points_ = 0;  // decisions that it has come to
};

/// Calls expire() once when its time has come, in nobody's context: it may unpark and ask for DPCs, but
/// neither wait nor call a driver.
class Timer {
 public:
  virtual ~Timer() = default;
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool armed() const noexcept { return slot_ != kNoSlot; }
  Ticks due() const noexcept { return due_; }

 protected:
  virtual void expire(Ticks now) noexcept = 0;

 private:
  friend class TimerHeap;
  friend class Threaded;
  static constexpr std::size_t kNoSlot = ~std::size_t{0};
  Ticks due_ = 0;
  std::uint64_t order_ = 0;  // of arming: equal times expire in the order in which they were armed
  std::size_t slot_ = kNoSlot;
};

/// How long Machine::run goes on though the strand that it waits for does not end, or (ticks) though some
/// code never waits.
struct Patience {
  Ticks time = 36'000'000'000;      ///< of virtual time from the start of the run: one hour
  std::uint64_t jumps = 4'000'000;  ///< of the clock, so that a poll with a short delay ends as well
  std::uint64_t ticks = 20'000;     ///< of the clock while code runs that never waits: a poll without a delay
};

enum class Stop : std::uint8_t {
  Idle,       ///< nothing can run
  Impatient,  ///< the given patience is used up
  Abandoned,  ///< abandon() was called
};

/// What an engine asks of the kernel.
class Client {
 public:
  /// The host's own thread waits in a call of its own, and nothing can ever wake it. Nobody's context.
  [[noreturn]] virtual void host_is_stuck() noexcept = 0;
  /// A number for what a strand that does not run is in the middle of, the same in each process; for searches
  /// that look for what is new.
  virtual std::uint64_t place_of(const Strand&) noexcept { return 0; }

 protected:
  ~Client() = default;
};

class Machine {
 public:
  virtual ~Machine() = default;
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  virtual std::span<Processor> processors() noexcept = 0;
  /// True if all strands share one OS thread, so that no lock can be found held unless by mistake.
  virtual bool single_threaded() noexcept = 0;

  /// Makes `host` the strand of the calling OS thread, on processor 0, until detach(). The kernel has set
  /// each Processor::dpc_strand.
  virtual void attach(Client& client, Strand& host) noexcept = 0;
  virtual void detach() noexcept = 0;

  /// The strand whose code calls.
  virtual Strand& current() noexcept = 0;

  /// Makes `strand` ready to run for the first time. False: no memory for its stack.
  virtual bool start(Strand& strand) noexcept = 0;
  /// Ends the calling strand where it is, without unwinding its stack.
  [[noreturn]] virtual void exit() noexcept = 0;
  /// Gives the processor up until unpark(); returns at once if unpark() came first. Keeps the IRQL for later.
  virtual void park() noexcept = 0;
  virtual void unpark(Strand& strand) noexcept = 0;
  /// Gives the processor up and becomes ready at once: after a change of affinity, or to let everybody else
  /// go first.
  virtual void move() noexcept = 0;
  /// Gives the processor to another ready strand, if there is one.
  virtual void yield() noexcept = 0;

  /// A place where another strand or a DPC may go on instead. Below DISPATCH_LEVEL the own processor may
  /// change.
  virtual void point(const char* what) noexcept = 0;
  /// For searches that leave out what comes to the same: since its last point, the strand has read (or
  /// written) so many bytes there.
  virtual void touched(const void* /*object*/, std::size_t /*bytes*/, bool /*written*/) noexcept {}
  /// True: from here on the calling strand tells touched() of all that others can see; its own waking,
  /// waiting and timers the machine sees itself. False, as at the beginning: it may do anything.
  virtual void telling(bool /*all*/) noexcept {}

  /// Waits a turn for the spin lock `lock`, holding the processor; the caller then tries again.
  virtual void spin(const void* lock) noexcept = 0;
  /// `lock` was released: who spins for it may try again.
  virtual void spun(const void* lock) noexcept = 0;

  /// DPCs wait on `processor`.
  virtual void request_dpcs(Processor& processor) noexcept = 0;
  /// Called by a DPC strand that found its queue empty: gives the processor back to what it interrupted.
  /// Returns when there is more.
  virtual void end_dpcs() noexcept = 0;

  /// The highest device interrupt that waits for `processor` is of this IRQL; 0: none waits any more.
  virtual void request_interrupt(Processor& processor, std::uint8_t irql) noexcept = 0;
  /// Called by an interrupt strand that has served: gives the processor back to what it interrupted. Returns
  /// when there is more.
  virtual void end_interrupts() noexcept = 0;

  /// Time since start.
  virtual Ticks now() noexcept = 0;
  /// Time passes while the processor is held.
  virtual void stall(Ticks ticks) noexcept = 0;
  virtual void arm(Timer& timer, Ticks due) noexcept = 0;
  /// True: it was armed and will not expire. False: it was not, or expires now; see finish_expiries().
  virtual bool disarm(Timer& timer) noexcept = 0;
  /// Returns when no Timer::expire() that had begun before runs any more. Not under a lock that one may want.
  virtual void finish_expiries() noexcept = 0;

  /// A yes or no that the documentation leaves open.
  virtual bool choose(const char* what) noexcept = 0;
  /// True: the fallible call `what` is to fail. `place`: a number for the stack of the call, 0 unless
  /// notes_faults().
  virtual bool fault(const char* what, std::uint64_t place) noexcept = 0;
  /// True: somebody wants to know where fault points are passed.
  virtual bool notes_faults() noexcept = 0;

  /// From the host: gives way until nothing can run, letting time pass as long as `wanted` (may be nullptr)
  /// has not ended.
  virtual Stop run(Strand* wanted, const Patience& patience) noexcept = 0;
  /// From any strand but the host, while can_abandon(): run() returns Abandoned and no strand ever runs
  /// again.
  [[noreturn]] virtual void abandon() noexcept = 0;
  /// From the host, outside run(): no strand ever runs again.
  virtual void give_up() noexcept = 0;
  /// True if abandon() has a run() to go back to.
  virtual bool can_abandon() noexcept = 0;

  /// Every strand that has started and not ended, in the order of start; `visit` must not start or end one.
  virtual void each_strand(void (*visit)(Strand&, void*), void* argument) noexcept = 0;
  /// A number made from every switch so far: equal in two runs with the same switches.
  virtual std::uint64_t switch_hash() noexcept = 0;
  virtual std::uint64_t switches() noexcept = 0;
  /// Grows with each schedule point and each switch; read from a signal handler.
  virtual std::uint64_t steps() noexcept = 0;
};

}  // namespace undis::machine
