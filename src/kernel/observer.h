// SPDX-License-Identifier: MIT
//
// What the kernel slice tells whoever watches (the verifier, the trace). NDIS adds its own events in
// ndis/observer.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <wdm.h>

#include "kernel/call.h"

namespace undis::kernel {

class Driver;
class Thread;

/// A return-address chain, innermost first; symbols are looked up only when a report is written.
struct Stack {
  static constexpr std::size_t kDepth = 24;
  std::uint32_t count = 0;
  void* frames[kDepth];  ///< of which the first `count` are set
  /// Walks frame pointers within the current fiber's stack; costs some 13 instructions a frame.
  static Stack capture(std::uint32_t skip = 0) noexcept;
};

/// What a kernel-level misuse is. The rule that names it is the verifier's business.
enum class Misuse : std::uint8_t {
  WrongIrql,        ///< a function called above or below its documented IRQL
  IrqlNotRestored,  ///< a callback returned at another IRQL
  LockNotReleased,  ///< a callback returned with a spin lock held that it acquired
  LockRecursion,    ///< a spin lock acquired by the processor that holds it
  LockOrder,        ///< locks acquired in an order that another place turns round
  LockNotHeld,      ///< a spin lock released by one that does not hold it
  WaitAtDispatch,   ///< a wait that could block at DISPATCH_LEVEL or above
  PoolDoubleFree,
  PoolBadPointer,
  PoolTagMismatch,
  PoolCorruption,
  PoolZeroSize,
  PoolLeak,  ///< pool of a driver still allocated after its unload
  TimerActiveAtUnload,
  DpcQueuedAtUnload,
  WorkItemAtUnload,
  ThreadAtUnload,
  DeviceAtUnload,
  ShutdownHookAtUnload,
  ObjectNotInitialized,  ///< an event, timer, lock, DPC used before its Initialize call
  MdlMisuse,
  IrpMisuse,
  BadParameter,
  InterruptMisuse,
  InterruptAtUnload,
  HardwareLeft,    ///< registers, ports, shared memory or map registers not given back when the adapter is
                   ///< halted
  DmaMisuse,       ///< a device reached memory that was not given to it, or a list was given back wrongly
  RegisterMisuse,  ///< an access to a device's registers or ports that reaches none
};

struct MisuseEvent {
  Misuse kind;
  Driver* driver;        ///< who did it; nullptr: the host
  const char* function;  ///< the function or callback concerned
  const void* object;
  std::string text;  ///< one sentence: what was found and what was expected
  Stack stack;       ///< where it happened
  Stack origin;      ///< where the object came from (allocation, acquire), empty if unknown
};

/// Who cannot go on, and why: one line of a hang report.
struct Waiter {
  const Thread* thread;
  std::string thread_name;
  std::string waits_for;  ///< "event nic/pause done", "spin lock 0x..., held by cpu 1 (thread rx)"
  Driver* driver;         ///< whose code waits
  const char* function;   ///< innermost call
  const char* callback;   ///< the innermost callback frame's name, "" for the host
  std::uint64_t since;    ///< virtual time, 100 ns units
  Stack stack;
  std::uint32_t id = 0;                ///< of its strand
  std::vector<std::uint32_t> held_by;  ///< the strands that it waits for, where that is known
};

struct HangEvent {
  std::vector<Waiter> waiters;
  std::uint64_t now = 0;  ///< virtual time
};
struct BugCheckEvent {
  std::uint32_t code;
  std::uintptr_t parameters[4];
  Driver* driver;
  Stack stack;
};
/// A driver's SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP or abort.
struct CrashEvent {
  int signal;
  const void* address;
  Driver* driver;
  const char* function;
  Stack stack;
  std::string text;
};

struct CallbackEvent {
  const CallFrame& frame;
  const CallbackInfo& info;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on(const MisuseEvent&) {}
  virtual void on(const HangEvent&) {}
  virtual void on(const BugCheckEvent&) {}
  virtual void on(const CrashEvent&) {}
  virtual void on_callback_enter(const CallbackEvent&) {}
  virtual void on_callback_leave(const CallbackEvent&) {}
  virtual void on_driver_phase(Driver&) {}  ///< after each change of Driver::phase()
  virtual void on_fault(const char* /*what*/, Driver* /*driver*/) {
  }  ///< fault_point() has just answered "fail now"
  virtual void on_trace(std::string_view /*line*/) {
  }  ///< one line of kernel-level trace (DbgPrint of drivers included)
};

}  // namespace undis::kernel
