// SPDX-License-Identifier: MIT
//
// System: puts the parts of the kernel slice together and runs the machine.
#include "kernel/system.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/bug_check.h"
#include "kernel/crash.h"
#include "kernel/io.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/pci.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "kernel/register_access.h"
#include "kernel/registry.h"
#include "kernel/scheduling.h"
#include "kernel/tally.h"
#include "kernel/time.h"
#include "kernel/wait.h"

namespace undis::kernel {
namespace {

System* current_system = nullptr;
machine::Machine* current_machine = nullptr;

const char* outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
  case Outcome::Idle:
    return "idle";
  case Outcome::Hang:
    return "hang";
  case Outcome::BugCheck:
    return "bug check";
  case Outcome::Crash:
    return "crash";
  }
  return "?";
}

}  // namespace

constinit Watch detail::watch = Watch::All;
thread_local constinit int detail::locks_held = 0;

void Lock::relax() noexcept {
  // On one OS thread, a lock found held was kept over a switch: that is our own bug, and would spin for ever.
  if (current_machine != nullptr && current_machine->single_threaded()) {
    std::fputs("undis: a lock of undis is held by a strand that was switched away\n", stderr);
    std::abort();
  }
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// ---- threads ----

ThreadList::~ThreadList() {
  while (first_ != nullptr) {
    Thread* const thread = first_;
    first_ = thread->next;
    delete thread;
  }
}

void ThreadList::add(Thread& thread) noexcept {
  const Hold hold(lock_);
  thread.before = last_;
  thread.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &thread;
  last_ = &thread;
}

void ThreadList::remove(Thread& thread) noexcept {
  const Hold hold(lock_);
  (thread.before != nullptr ? thread.before->next : first_) = thread.next;
  (thread.next != nullptr ? thread.next->before : last_) = thread.before;
}

Scheduling::Scheduling(machine::Machine& the_machine)
    : machine(the_machine), host(Thread::Kind::Host, "host", nullptr, {}), dpcs(the_machine),
      interrupts(the_machine), timers(the_machine) {}

Thread* Scheduling::start(Thread::Kind kind, std::string name, Driver* creator, std::function<void()> body,
                          bool kept) {
  auto* const thread = new Thread(kind, name, creator, std::move(body));
  ObjectTable& objects = System::current().objects();
  objects.add(thread->object(), ObjectKind::Thread, std::move(name), [thread] { thread->object_gone(); });
  threads.add(*thread);
  if (kept) objects.reference(thread->object());
  if (machine.start(*thread)) return thread;
  objects.remove(thread->object());
  threads.remove(*thread);
  delete thread;
  return nullptr;
}

// ---- the system ----

/// The loaded drivers. One is added in front and none goes before the System: they are looked up without a
/// lock.
class DriverList {
 public:
  DriverList() = default;
  ~DriverList() {
    for (Loaded* loaded = newest_.load(); loaded != nullptr;) delete std::exchange(loaded, loaded->older);
  }
  DriverList(const DriverList&) = delete;
  DriverList& operator=(const DriverList&) = delete;

  Driver& add(std::string service, ImageRange image, bool harness) EXCLUDES(lock_) {
    auto* const loaded = new Loaded{Driver(std::move(service), image, harness), nullptr};
    const Hold hold(lock_);
    loaded->older = newest_.load(std::memory_order_relaxed);
    newest_.store(loaded, std::memory_order_release);
    return loaded->driver;
  }
  /// The newest that is as asked for.
  template <class Is>
  Driver* find(Is is) const {
    for (Loaded* loaded = newest_.load(std::memory_order_acquire); loaded != nullptr; loaded = loaded->older)
      if (is(loaded->driver)) return &loaded->driver;
    return nullptr;
  }

 private:
  struct Loaded {
    Driver driver;
    Loaded* older;
  };
  Lock lock_;  // of those who add
  std::atomic<Loaded*> newest_{nullptr};
};

struct System::Parts final : machine::Client {
  Parts(machine::Machine& machine, Observer& the_observer)
      : observer(the_observer), tallies(machine.processors().size()), scheduling(machine) {}

  [[noreturn]] void host_is_stuck() noexcept override {
    const HangEvent hang = describe_hang(scheduling, true);
    observer.on(hang);
    std::fputs(fmt::format("undis: the host's own thread waits for what can never come\n{}", hang_text(hang))
                   .c_str(),
               stderr);
    std::abort();
  }

  std::uint64_t place_of(const machine::Strand& strand) noexcept override {
    // The innermost calls: deeper ones differ by how often something is repeated.
    std::uint64_t place = 0xcbf29ce484222325U;
    int depth = 0;
    for (const CallFrame* frame = static_cast<const Thread&>(strand).calls; frame != nullptr && depth < 3;
         frame = frame->up, ++depth)
      for (const char* c = frame->name; *c != '\0'; ++c)
        place = (place ^ static_cast<unsigned char>(*c)) * 0x100000001b3U;
    return place;
  }

  Observer& observer;
  TallyPool tallies;  // first: what the others leave behind gives its own back
  Pool pool;
  Registry registry;
  ObjectTable objects;
  Io io;
  DriverList drivers;
  Scheduling scheduling;
  Bus bus{scheduling.interrupts};
  Outcome outcome = Outcome::Idle;
  bool crash_reports = false;
  bool over = false;  // a run ended by abandon() or in a hang: nothing runs any more
};

System::System(machine::Machine& machine, Observer& observer, Watch watch) {
  if (current_system != nullptr) {
    std::fputs("undis: a System is current already; there is one at a time\n", stderr);
    std::abort();
  }
  parts_ = std::make_unique<Parts>(machine, observer);
  current_system = this;
  current_machine = &machine;
  detail::watch = watch;
  Scheduling& scheduling = parts_->scheduling;
  machine.attach(*parts_, scheduling.host);
  parts_->objects.add(scheduling.host.object(), ObjectKind::Thread, "host", {});
  parts_->objects.add(system_process_object(), ObjectKind::Process, "System", {});
  for (const auto& strand : scheduling.dpcs.strands()) {
    if (!machine.start(*strand)) std::abort();
  }
  set_crash_machine(&machine);
}

System::~System() {
  set_crash_machine(nullptr);
  forget_register_traps();  // before those of crashes, which were there first
  if (parts_->crash_reports) remove_crash_handlers();
  parts_->scheduling.machine.detach();
  parts_.reset();
  detail::watch = Watch::All;
  current_machine = nullptr;
  current_system = nullptr;
}

System& System::current() noexcept {
  if (current_system == nullptr) {
    std::fputs("undis: no System is current; make one before a kernel function is called\n", stderr);
    std::abort();
  }
  return *current_system;
}

System* System::current_or_null() noexcept {
  return current_system;
}

machine::Machine& System::machine() noexcept {
  return parts_->scheduling.machine;
}
Observer& System::observer() noexcept {
  return parts_->observer;
}
Pool& System::pool() noexcept {
  return parts_->pool;
}
Registry& System::registry() noexcept {
  return parts_->registry;
}
TallyPool& System::tallies() noexcept {
  return parts_->tallies;
}
ObjectTable& System::objects() noexcept {
  return parts_->objects;
}
Bus& System::bus() noexcept {
  return parts_->bus;
}
Io& System::io() noexcept {
  return parts_->io;
}
Scheduling& System::scheduling() noexcept {
  return parts_->scheduling;
}

Driver& System::add_driver(std::string service, ImageRange image, bool harness) {
  return parts_->drivers.add(std::move(service), image, harness);
}

Driver& System::host_driver() {
  Driver* const host =
      parts_->drivers.find([](const Driver& driver) { return driver.harness() && driver.name() == "host"; });
  return host != nullptr ? *host : add_driver("host", {}, true);
}

Driver* System::driver_at(const void* code_address) noexcept {
  // The newest first: an image that was unloaded may have made room for another at the same place.
  return parts_->drivers.find(
      [code_address](const Driver& driver) { return driver.image().holds(code_address); });
}

Driver* System::driver_of(const DRIVER_OBJECT* object) noexcept {
  return parts_->drivers.find([object](Driver& driver) { return driver.object() == object; });
}

void System::enable_crash_reports() {
  install_crash_handlers();
  parts_->crash_reports = true;
}

bool System::has_shutdown_registration(const Driver& driver) const noexcept {
  return parts_->io.has_shutdown_registration(driver);
}

void System::shutdown() {
  parts_->io.shutdown();
}

namespace {

/// What the driver's timers, DPCs, work items and threads would do after its code is gone.
void sweep_scheduling(Scheduling& scheduling, Driver& driver) {
  const auto report = [&driver](Misuse kind, const char* function, const void* object, std::string text) {
    if (!driver.harness()) report_misuse_of(&driver, kind, function, object, std::move(text));
  };
  scheduling.timers.take_of(driver, [&](KTIMER& timer) {
    report(Misuse::TimerActiveAtUnload, "DriverUnload", &timer,
           fmt::format("a {}timer that {} set is still active after its unload",
                       timer.Period != 0 ? "periodic " : "", driver.name()));
  });
  scheduling.dpcs.take_of(driver, [&](KDPC& dpc) {
    report(Misuse::DpcQueuedAtUnload, "DriverUnload", &dpc,
           fmt::format("a DPC that {} queued is still queued after its unload", driver.name()));
  });
  scheduling.interrupts.take_of(driver, [&](_KINTERRUPT& interrupt) {
    report(
        Misuse::InterruptAtUnload, "DriverUnload", &interrupt,
        fmt::format("{} is still connected to {} after its unload", driver.name(), interrupt.input->name()));
  });
  scheduling.work.take_of(driver, [&](const WorkEntry& entry, bool running) {
    report(Misuse::WorkItemAtUnload, "DriverUnload", entry.item,
           fmt::format("a work item that {} queued {} after its unload", driver.name(),
                       running ? "still runs" : "has not run yet"));
  });
  for (void* const item : scheduling.work.allocated_by(driver)) {
    report(Misuse::WorkItemAtUnload, "DriverUnload", item,
           fmt::format("a work item that {} allocated by IoAllocateWorkItem was not freed", driver.name()));
    scheduling.work.discard(item);
  }
  std::vector<std::pair<const void*, std::string>> running;
  scheduling.threads.each([&](Thread& thread) {
    if (thread.creator() == &driver && !thread.has_ended())
      running.emplace_back(thread.object(), thread.name());
  });
  for (const auto& [thread, name] : running)
    report(
        Misuse::ThreadAtUnload, "DriverUnload", thread,
        fmt::format("{}, a system thread that {} created, still runs after its unload", name, driver.name()));
}

}  // namespace

void System::sweep(Driver& driver) {
  sweep_scheduling(parts_->scheduling, driver);
  parts_->io.sweep(driver);
  parts_->objects.sweep(driver);
  parts_->pool.sweep(driver);
}

// ---- running ----

namespace {

Thread& start_or_abort(Scheduling& scheduling, std::string name, std::function<void()> body, bool kept) {
  Thread* const thread =
      scheduling.start(Thread::Kind::System, std::move(name), nullptr, std::move(body), kept);
  if (thread == nullptr) {
    std::fputs("undis: no memory for the stack of a thread\n", stderr);
    std::abort();
  }
  return *thread;
}

}  // namespace

Thread& System::spawn(std::string name, std::function<void()> body) {
  return start_or_abort(parts_->scheduling, std::move(name), std::move(body), false);
}

namespace {

bool anyone_spins(machine::Machine& machine) {
  bool found = false;
  machine.each_strand(
      [](machine::Strand& strand, void* flag) {
        if (strand.state() == machine::Strand::State::Spinning) *static_cast<bool*>(flag) = true;
      },
      &found);
  return found;
}

}  // namespace

Outcome System::run_for(Thread* wanted, const machine::Patience& patience) {
  if (parts_->over) return parts_->outcome;
  Scheduling& scheduling = parts_->scheduling;
  const machine::Stop stop = scheduling.machine.run(wanted, patience);
  if (stop == machine::Stop::Abandoned) {
    parts_->over = true;
    return parts_->outcome;
  }
  const bool unfinished = wanted != nullptr && !wanted->has_ended();
  if (stop == machine::Stop::Impatient || unfinished || anyone_spins(scheduling.machine)) {
    parts_->observer.on(describe_hang(scheduling, stop == machine::Stop::Impatient));
    scheduling.machine.give_up();
    parts_->over = true;
    parts_->outcome = Outcome::Hang;
    return Outcome::Hang;
  }
  return Outcome::Idle;
}

Outcome System::run(std::string name, std::function<void()> body) {
  if (parts_->over) return parts_->outcome;
  Thread& thread = start_or_abort(parts_->scheduling, std::move(name), std::move(body),
                                  true);  // its end is asked for after the run
  const Outcome outcome = run_for(&thread, {});
  parts_->objects.dereference(thread.object());
  return outcome;
}

Outcome System::run_until_idle() {
  return run_for(nullptr, {});
}

void System::advance(std::uint64_t ticks) {
  if (Thread::current().kind() != Thread::Kind::Host) {
    sleep_until("a delay of the host", now() + ticks);
    return;
  }
  if (parts_->over) return;
  Thread& thread = start_or_abort(
      parts_->scheduling, "passing of time",
      [until = now() + ticks] { sleep_until("a delay of the host", until); }, true);
  machine::Patience patience;
  patience.time += ticks;
  run_for(&thread, patience);
  parts_->objects.dereference(thread.object());
}

void System::abandon(Outcome why) {
  parts_->outcome = why;
  machine::Machine& machine = parts_->scheduling.machine;
  if (!machine.can_abandon()) {
    std::fprintf(stderr, "undis: a %s outside System::run(): there is no run to end\n", outcome_name(why));
    std::abort();
  }
  machine.abandon();
  __builtin_unreachable();  // gcc does not see the [[noreturn]] of a virtual function
}

// ---- shortcuts ----

void schedule_point(const char* what) noexcept {
  if (detail::locks_held != 0)
    return;  // who holds a lock of ours is not switched away (lock.h): setting an event under one is no point
  if (current_machine != nullptr) current_machine->point(what);
}

bool fault_point(const char* what) noexcept {
  if (current_machine == nullptr) return false;
  Driver* const driver = current_driver();
  if (driver == nullptr || driver->harness()) return false;
  std::uint64_t place = 0;
  if (current_machine->notes_faults()) {
    const Stack stack = Stack::capture(1);
    for (std::uint32_t i = 0; i < stack.count; ++i)
      place = (place ^ reinterpret_cast<std::uintptr_t>(stack.frames[i])) * 0x9e3779b97f4a7c15U;
  }
  if (!current_machine->fault(what, place)) return false;
  System::current().observer().on_fault(what, driver);
  return true;
}

bool choose(const char* what) noexcept {
  return current_machine != nullptr && current_machine->choose(what);
}

std::uint64_t now() noexcept {
  return current_machine != nullptr ? current_machine->now() : 0;
}

}  // namespace undis::kernel

// Before each interlocked operation of a driver (wdm/interlocked.h).
UNDIS_EXTERN_C UNDIS_EXPORT void undis_interlocked_point() {
  undis::kernel::schedule_point("interlocked operation");
}
