// SPDX-License-Identifier: MIT
//
// Device interrupts: the inputs of the interrupt controller (lines and messages), who is connected to each,
// and the service of what is pending, on the interrupt strand of a processor.
//
// Arrival  at any schedule point, on any processor that the input's affinity names and whose IRQL is below
// the input's Line     level-triggered: served again and again while it is asserted; connections share it, in
// order of connection Message  edge-triggered: one service for what was signalled since the last; lost while
// nobody is connected Nesting  one service routine at a time on a processor; a higher one waits for its end
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <wdm.h>

#include "kernel/lock.h"
#include "kernel/observer.h"
#include "kernel/system.h"
#include "machine/machine.h"

namespace undis::kernel {

class InterruptInput;
class Thread;

}  // namespace undis::kernel

/// What a PKINTERRUPT points at: one service routine, connected to one input.
struct _KINTERRUPT {
  undis::kernel::InterruptInput* input = nullptr;
  std::function<bool()> service;  ///< calls the driver; true: the interrupt was its device's
  KSPIN_LOCK own_lock = 0;
  KSPIN_LOCK* lock = nullptr;  ///< held while `service` runs: own_lock, or the driver's
  KIRQL irql = 0;              ///< at which `service` runs: the input's, or higher
  undis::kernel::Driver* driver = nullptr;
  unsigned running = 0;
  bool disconnecting = false;
  undis::kernel::Stack made;
};

namespace undis::kernel {

class InterruptInput {
 public:
  const std::string& name() const noexcept { return name_; }
  ULONG vector() const noexcept { return vector_; }
  KIRQL irql() const noexcept { return irql_; }
  bool is_line() const noexcept { return line_; }
  std::uint64_t affinity() const noexcept { return affinity_; }

 private:
  friend class Interrupts;
  std::string name_;
  ULONG vector_ = 0;
  KIRQL irql_ = 0;
  bool line_ = false;
  std::uint64_t affinity_ = ~std::uint64_t{0};
  unsigned asserted_ = 0;  // line: how many devices assert it
  bool pending_ = false;
  bool serving_ = false;
  bool masked_ = false;
  unsigned unchanged_ = 0;  // services in a row that left the line asserted
  std::vector<_KINTERRUPT*> connections_;
};

class Interrupts {
 public:
  explicit Interrupts(machine::Machine& machine);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// A new input; it lives as long as this.
  InterruptInput& add_input(std::string name, bool line, std::uint64_t affinity) EXCLUDES(lock_);
  InterruptInput* input_of(ULONG vector) noexcept EXCLUDES(lock_);

  // ---- for devices; in anybody's context ----
  void assert_line(InterruptInput& input) noexcept EXCLUDES(lock_);
  void release_line(InterruptInput& input) noexcept EXCLUDES(lock_);
  void signal(InterruptInput& input) noexcept EXCLUDES(lock_);
  void mask(InterruptInput& input, bool masked) noexcept EXCLUDES(lock_);
  bool is_pending(const InterruptInput& input) const noexcept EXCLUDES(lock_);

  // ---- for drivers ----
  struct Setup {
    std::function<bool()> service;
    KSPIN_LOCK* lock = nullptr;  ///< nullptr: one of its own
    KIRQL irql = 0;              ///< 0: the input's
    Driver* driver = nullptr;
    PKINTERRUPT* where = nullptr;  ///< gets the object before the first service
  };
  /// The service may come before it returns. PASSIVE_LEVEL.
  PKINTERRUPT connect(InterruptInput& input, Setup setup) EXCLUDES(lock_);
  /// From its return on the service is neither running nor called. PASSIVE_LEVEL.
  void disconnect(PKINTERRUPT interrupt) EXCLUDES(lock_);
  bool is_connected(const _KINTERRUPT* interrupt) const noexcept EXCLUDES(lock_);
  /// At the interrupt's IRQL, with its lock held.
  bool synchronize(_KINTERRUPT& interrupt, const char* function, const std::function<bool()>& body);
  /// What the driver left connected: handed to `visit`, then disconnected.
  void take_of(const Driver& driver, const std::function<void(_KINTERRUPT&)>& visit) EXCLUDES(lock_);

  const std::vector<std::unique_ptr<Thread>>& strands() const noexcept { return strands_; }

 private:
  void start_strands();
  void request_locked() noexcept REQUIRES(lock_);
  InterruptInput* take_locked(std::uint32_t processor) noexcept REQUIRES(lock_);
  void serve(InterruptInput& input);
  [[noreturn]] void loop(std::uint32_t processor);

  machine::Machine& machine_;
  mutable Lock lock_;
  std::vector<std::unique_ptr<InterruptInput>> inputs_ GUARDED_BY(lock_);
  std::vector<std::unique_ptr<Thread>> strands_;
};

}  // namespace undis::kernel
