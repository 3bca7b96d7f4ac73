// SPDX-License-Identifier: MIT
//
// Crashes of drivers: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and abort() become a CrashEvent, an endless
// loop a HangEvent.
//
// The signal handler runs on a stack of its own and does little: it notes what happened and walks the stack.
// Then it lets the fiber go on in land(), below the crashed frame (on a spare stack if the fiber's own has
// overflowed), where code may be called that a signal handler must not call. land() tells the observer and
// abandons the run; it never returns to the driver.
#include "kernel/crash.h"

#include <csignal>
#include <ctime>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/exceptions.h"
#include "kernel/scheduling.h"
#include "kernel/stack.h"
#include "kernel/system.h"
#include "kernel/wait.h"

#if !defined(__x86_64__)
#error "the registers below are those of x86-64"
#endif

namespace undis::kernel {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
constexpr std::size_t kStackSize = 256 * 1024;
constexpr std::size_t kRedZone = 128;       // below the stack pointer, used by leaf functions
constexpr std::size_t kNeeded = 48 * 1024;  // for the report; less left means the spare stack
constexpr int kWatchSignal = SIGVTALRM;
constexpr long kWatchNanoseconds = 500'000'000;  // of CPU time between two looks
constexpr int kQuietLooks = 6;                   // without a single call of a driver in between: it loops
constexpr unsigned kReportSeconds = 20;  // of real time: then the heap was broken and the report hangs

/// What the handler leaves for land().
struct Crash {
  int signal = 0;
  const void* address = nullptr;
  bool write = false;
  bool overflow = false;
  const void* pc = nullptr;
  Stack stack;
};

struct State {
  bool installed = false;
  machine::Machine* volatile machine = nullptr;
  volatile std::sig_atomic_t landing = 0;
  std::array<struct sigaction, kSignals.size()> before{};
  struct sigaction watch_before {};
  void* handler_stack = nullptr;
  void* spare_stack = nullptr;
  stack_t stack_before{};
  timer_t watch{};
  bool watching = false;
  std::uint64_t steps_seen = 0;
  int quiet = 0;
  Crash crash;
};
State state;

const char* signal_text(int signal) noexcept {
  switch (signal) {
  case SIGSEGV:
    return "SIGSEGV";
  case SIGBUS:
    return "SIGBUS";
  case SIGFPE:
    return "SIGFPE (division by zero or overflow)";
  case SIGILL:
    return "SIGILL (not an instruction)";
  case SIGTRAP:
    return "SIGTRAP (breakpoint)";
  case SIGABRT:
    return "abort()";
  default:
    return "a signal";
  }
}

std::string crash_text(const Crash& crash) {
  if (crash.overflow) return "stack overflow: the thread's kernel stack is used up";
  std::string text = signal_text(crash.signal);
  if (crash.signal != SIGSEGV && crash.signal != SIGBUS) return text;
  const auto address = reinterpret_cast<std::uintptr_t>(crash.address);
  constexpr std::uintptr_t kFirstPages = 65536;
  if (crash.pc == crash.address) {
    text += fmt::format(" calling {:#x}", address);
  } else {
    text += fmt::format(" {} {:#x}", crash.write ? "writing" : "reading", address);
  }
  if (address < kFirstPages) return text + ": a null pointer";
  if (address >= 0xCDCDCDCDCDCD0000 && address <= 0xCDCDCDCDCDCE0000)
    return text + ": a pointer from memory that was never initialised";
  if (crash.address == nullptr) return text;
  const std::string place = place_of(crash.address);
  return place.starts_with("0x") ? text : text + ": " + place;
}

/// The fiber whose code was interrupted, if this run can be abandoned for it.
Thread* interrupted_fiber() noexcept {
  machine::Machine* const machine = state.machine;
  if (machine == nullptr || !machine->can_abandon()) return nullptr;
  auto& thread = static_cast<Thread&>(machine->current());
  return thread.kind() == Thread::Kind::Host ? nullptr : &thread;
}

/// The return addresses from `pc` up. The unwinder knows frames without a frame pointer (libc's); where it
/// gives up, frame pointers.
Stack walk(const ucontext_t& context, const Thread& thread) noexcept {
  auto* const pc = reinterpret_cast<void*>(context.uc_mcontext.gregs[REG_RIP]);
  std::array<void*, 64> found{};
  const int count = backtrace(found.data(), static_cast<int>(found.size()));
  const auto begin = std::find(found.begin(), found.begin() + count, pc);
  Stack stack;
  if (found.begin() + count - begin >= 2) {
    for (auto frame = begin; frame != found.begin() + count && stack.count < Stack::kDepth; ++frame)
      stack.frames[stack.count++] = *frame;
    return stack;
  }
  stack = walk_frames(reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RBP]), thread.stack_low(),
                      thread.walk_end(), 0);
  // A call through a bad pointer has pushed its return address and nothing else.
  std::uint32_t extra = 1;
  void* called_from = nullptr;
  const auto sp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  Dl_info info;
  if (dladdr(pc, &info) == 0 && sp >= thread.stack_low() && sp < thread.stack_high() - sizeof(void*)) {
    called_from = *reinterpret_cast<void**>(sp);
    extra = 2;
  }
  stack.count = std::min(stack.count, static_cast<std::uint32_t>(Stack::kDepth) - extra);
  std::copy_backward(stack.frames, stack.frames + stack.count, stack.frames + stack.count + extra);
  stack.frames[0] = pc;
  if (extra == 2) stack.frames[1] = called_from;
  stack.count += extra;
  return stack;
}

/// Lets the interrupted code go on in `function` instead.
void redirect(ucontext_t& context, const Thread& thread, void (*function)()) noexcept {
  auto sp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  if (sp < thread.stack_low() + kNeeded || sp > thread.stack_high()) {
    sp = reinterpret_cast<std::uintptr_t>(state.spare_stack) + kStackSize;
  } else {
    sp -= kRedZone;
  }
  sp = (sp & ~std::uintptr_t{15}) - sizeof(void*);  // as after a call
  *reinterpret_cast<void**>(sp) = nullptr;
  context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(sp);
  context.uc_mcontext.gregs[REG_RBP] = 0;
  context.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(function);
  context.uc_mcontext.gregs[REG_EFL] &= ~greg_t{0x400};  // the direction flag, as the ABI wants it
}

[[noreturn]] void report_hangs(int) noexcept {
  constexpr char text[] =
      "undis: the report of a crash does not end: the heap or undis' own state was damaged by it\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(134);
}

/// Our own locks may have been held where it crashed; no strand runs again, so nobody misses them.
void forget_locks() noexcept NO_THREAD_SAFETY_ANALYSIS {
  dispatcher_lock.force_open();
  locks_of_ours() = 0;
}

/// A fault that a __try of the driver is there for goes to it instead.
void raise_if_caught(const Crash& crash) noexcept {
  EXCEPTION_RECORD record{};
  switch (crash.signal) {
  case SIGSEGV:
  case SIGBUS:
    record.ExceptionCode = STATUS_ACCESS_VIOLATION;
    record.NumberParameters = 2;
    record.ExceptionInformation[0] = crash.write ? 1 : 0;
    record.ExceptionInformation[1] = reinterpret_cast<ULONG_PTR>(crash.address);
    break;
  case SIGFPE:
    record.ExceptionCode = STATUS_INTEGER_DIVIDE_BY_ZERO;
    break;
  case SIGILL:
    record.ExceptionCode = STATUS_ILLEGAL_INSTRUCTION;
    break;
  case SIGTRAP:
    record.ExceptionCode = STATUS_BREAKPOINT;
    break;
  default:
    return;
  }
  if (crash.overflow || !exception_would_be_caught()) return;
  record.ExceptionAddress = const_cast<void*>(crash.pc);
  state.landing = 0;
  raise_exception(record);
}

[[noreturn]] void land() noexcept {
  raise_if_caught(state.crash);
  struct sigaction own {};
  struct sigaction alarm_before {};
  own.sa_handler = &report_hangs;
  sigaction(SIGALRM, &own, &alarm_before);
  const unsigned alarm_left = alarm(kReportSeconds);

  System& system = System::current();
  forget_locks();
  Thread& thread = Thread::current();
  const Crash& crash = state.crash;
  Outcome outcome = Outcome::Crash;
  if (crash.signal == kWatchSignal) {
    outcome = Outcome::Hang;
    HangEvent hang = describe_hang(system.scheduling(), true);
    for (Waiter& waiter : hang.waiters) {
      if (waiter.thread == &thread) {
        waiter.waits_for = "nothing: it loops without calling anything";
        waiter.stack = crash.stack;
      }
    }
    system.observer().on(hang);
  } else {
    Driver* driver = current_driver();
    if (driver == nullptr) driver = system.driver_at(crash.pc);
    system.observer().on(
        CrashEvent{crash.signal, crash.address, driver, thread.calls->name, crash.stack, crash_text(crash)});
  }

  alarm(alarm_left);
  sigaction(SIGALRM, &alarm_before, nullptr);
  state.landing = 0;
  system.abandon(outcome);
}

void restore(int signal) noexcept {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] == signal) sigaction(signal, &state.before[i], nullptr);
  }
}

void on_crash(int signal, siginfo_t* info, void* raw) noexcept {
  auto& context = *static_cast<ucontext_t*>(raw);
  Thread* const thread = interrupted_fiber();
  if (thread == nullptr || state.landing != 0) {
    restore(signal);  // not for us: what crashed does so again, with the action that was there before
    if (signal == SIGABRT || info->si_code <= 0) raise(signal);
    return;
  }
  state.landing = 1;
  Crash& crash = state.crash;
  crash = {};
  crash.signal = signal;
  crash.pc = reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RIP]);
  if (signal == SIGSEGV || signal == SIGBUS) {
    crash.address = info->si_addr;
    crash.write = (context.uc_mcontext.gregs[REG_ERR] & 2) != 0;
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    crash.overflow = address < thread->stack_low() && thread->stack_low() - address <= 2 * 4096;
  }
  crash.stack = walk(context, *thread);
  redirect(context, *thread, &land);
}

/// Once each half second of CPU time. Acts only where nothing but the driver's own code can be interrupted.
void on_watch(int, siginfo_t*, void* raw) noexcept {
  auto& context = *static_cast<ucontext_t*>(raw);
  Thread* const thread = interrupted_fiber();
  if (thread == nullptr || state.landing != 0) {
    state.quiet = 0;
    return;
  }
  System& system = System::current();
  const std::uint64_t steps = system.machine().steps();
  state.quiet = steps == state.steps_seen ? state.quiet + 1 : 0;
  state.steps_seen = steps;
  const auto* const pc = reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RIP]);
  if (state.quiet < kQuietLooks || system.driver_at(pc) == nullptr) return;
  state.landing = 1;
  state.quiet = 0;
  state.crash = {};
  state.crash.signal = kWatchSignal;
  state.crash.pc = pc;
  state.crash.stack = walk(context, *thread);
  redirect(context, *thread, &land);
}

void start_watch() noexcept {
  struct sigaction action {};
  action.sa_sigaction = &on_watch;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(kWatchSignal, &action, &state.watch_before);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kWatchSignal;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &state.watch) != 0) return;
  const itimerspec interval{{0, kWatchNanoseconds}, {0, kWatchNanoseconds}};
  timer_settime(state.watch, 0, &interval, nullptr);
  state.watching = true;
}

void* map_stack() {
  void* const stack =
      mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  return stack != MAP_FAILED ? stack : nullptr;
}

}  // namespace

void install_crash_handlers() {
  if (state.installed) return;
  // The unwinder loads itself when first used, which a signal handler must not cause.
  std::array<void*, 1> frame{};
  backtrace(frame.data(), 1);

  if (state.handler_stack == nullptr) state.handler_stack = map_stack();
  if (state.spare_stack == nullptr) state.spare_stack = map_stack();
  if (state.handler_stack == nullptr || state.spare_stack == nullptr) return;
  const stack_t stack{state.handler_stack, 0, kStackSize};
  sigaltstack(&stack, &state.stack_before);

  struct sigaction action {};
  action.sa_sigaction = &on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &state.before[i]);
  start_watch();
  state.installed = true;
}

void remove_crash_handlers() noexcept {
  if (!state.installed) return;
  if (state.watching) timer_delete(state.watch);
  state.watching = false;
  sigaction(kWatchSignal, &state.watch_before, nullptr);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &state.before[i], nullptr);
  sigaltstack(&state.stack_before, nullptr);
  state.installed = false;
}

void set_crash_machine(machine::Machine* machine) noexcept {
  state.machine = machine;
}

}  // namespace undis::kernel
