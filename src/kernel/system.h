// SPDX-License-Identifier: MIT
//
// The kernel slice as one object: the machine, the pool, the registry, the loaded drivers. One is current at
// a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/driver.h"
#include "kernel/observer.h"
#include "kernel/watch.h"
#include "machine/processor.h"

namespace undis::machine {
class Machine;
struct Patience;
}  // namespace undis::machine

namespace undis::kernel {

class Bus;
class Io;
class ObjectTable;
class Pool;
class Registry;
struct Scheduling;
class TallyPool;
class Thread;

/// How running the machine ended.
enum class Outcome : std::uint8_t { Idle, Hang, BugCheck, Crash };

class System {
 public:
  /// Makes this system the current one for its lifetime. `machine` outlives it.
  System(machine::Machine& machine, Observer& observer, Watch watch = Watch::All);
  ~System();

  static System& current() noexcept;  ///< asserts that there is one
  static System* current_or_null() noexcept;

  machine::Machine& machine() noexcept;
  Observer& observer() noexcept;
  Pool& pool() noexcept;
  Registry& registry() noexcept;
  ObjectTable& objects() noexcept;    ///< counted objects and handles (object.h)
  Scheduling& scheduling() noexcept;  ///< threads, DPC queues, timers, work items (scheduling.h)
  Bus& bus() noexcept;                ///< simulated devices (pci.h)
  TallyPool& tallies() noexcept;      ///< counters of each processor (tally.h)
  Io& io() noexcept;                  ///< devices, symbolic links, IRPs, shutdown registrations (io.h)

  Driver& add_driver(std::string service, ImageRange image, bool harness);
  /// Whom calls of the host itself are put down to; made at the first use.
  Driver& host_driver();
  Driver* driver_at(const void* code_address) noexcept;  ///< whose image holds this address
  Driver* driver_of(const DRIVER_OBJECT* object) noexcept;
  /// Reports what the driver left behind (pool, timers, work items, threads, devices) as Misuse events and
  /// takes it away.
  void sweep(Driver& driver);

  /// Starts a kernel thread of the host. It runs when the machine does.
  Thread& spawn(std::string name, std::function<void()> body);
  /// Runs `body` on a new kernel thread and everything else until body has ended and nothing more can run (or
  /// until a hang, bug check or crash).
  Outcome run(std::string name, std::function<void()> body);
  /// Runs until nothing can run. Called from the host's own thread (not from a kernel thread).
  Outcome run_until_idle();
  /// Lets virtual time pass (100 ns units), firing timers on the way; from the host's own thread or from a
  /// kernel thread.
  void advance(std::uint64_t ticks);
  /// Ends the current run from any fiber: control goes back to run(), which returns `why`. Fibers that
  /// existed are never resumed.
  [[noreturn]] void abandon(Outcome why);

  /// From now on, while this system lives, a driver's SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP or abort()
  /// inside run() becomes a CrashEvent and Outcome::Crash, and a loop that calls nothing a HangEvent. Off by
  /// default. To be called on the machine's OS thread.
  void enable_crash_reports();

  /// True if a device of the driver is registered for shutdown notification.
  bool has_shutdown_registration(const Driver& driver) const noexcept;
  /// Calls every routine registered by IoRegisterShutdownNotification (last registered first), as at system
  /// shutdown: io().shutdown().
  void shutdown();

 private:
  Outcome run_for(Thread* wanted, const machine::Patience& patience);

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// ---- shortcuts for the code above the kernel ----
inline KIRQL irql() noexcept {
  const machine::Processor* const here = machine::processor_here;
  return here != nullptr ? here->irql : KIRQL{PASSIVE_LEVEL};
}
/// Sets the IRQL of the current virtual processor without checks (the DDI of the same purpose checks).
inline void set_irql(KIRQL to) noexcept {
  if (machine::Processor* const here = machine::processor_here) here->irql = to;
}
/// Keeps the IRQL raised to at least `to` for its lifetime.
class RaiseIrql {
 public:
  explicit RaiseIrql(KIRQL to) noexcept : before_(irql()) {
    if (to > before_) set_irql(to);
  }
  ~RaiseIrql() { set_irql(before_); }
  RaiseIrql(const RaiseIrql&) = delete;
  RaiseIrql& operator=(const RaiseIrql&) = delete;

 private:
  KIRQL before_;
};
/// A place where the machine may let another thread or DPC run.
void schedule_point(const char* what) noexcept;
/// The same where drivers pass all the time: an engine that does not decide there looks only now and then
/// (Processor::passing).
inline void passing_point(const char* what) noexcept {
  std::uint32_t& passing = machine::processor_here->passing;
  if (passing != 0) [[likely]]
    --passing;
  else
    schedule_point(what);
}
/// A place where an allocation or fallible call of the driver under test may be made to fail: true = fail
/// now.
bool fault_point(const char* what) noexcept;
/// A yes/no that the documentation leaves open (complete now or pend?), drawn from the schedule; false in the
/// default schedule.
bool choose(const char* what) noexcept;
/// Runs `body` once at PASSIVE_LEVEL on a system worker thread.
void queue_work(const char* name, std::function<void()> body);
std::uint64_t now() noexcept;  ///< virtual time since start, 100 ns units

/// What a wait is for, in hang reports: "nic0: sends outstanding".
struct WaitName {
  explicit(false) WaitName(const char* the_what, const std::string* whose = nullptr) noexcept
      : what(the_what), of(whose) {}
  const char* what;
  const std::string* of;  ///< lives as long as what is waited for; nullptr: nobody's
};

/// An event that undis itself waits on. PASSIVE_LEVEL to wait.
class Event {
 public:
  explicit Event(WaitName name) noexcept;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void set() noexcept;
  void reset() noexcept;
  bool is_set() const noexcept;
  void wait() noexcept;                         ///< returns when set (notification event: stays set)
  bool wait_for(std::uint64_t ticks) noexcept;  ///< false: the time passed

 private:
  KEVENT event_;
  const WaitName name_;
};

}  // namespace undis::kernel
