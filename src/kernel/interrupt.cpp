// SPDX-License-Identifier: MIT
//
// The interrupt controller: what is pending, on which processor it is served, and the service itself.
#include "kernel/interrupt.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/misuse.h"
#include "kernel/spin.h"
#include "kernel/thread.h"

namespace undis::kernel {
namespace {

constexpr ULONG kFirstVector = 0x51;
constexpr KIRQL kLowestDevice = 3;  // device IRQLs of x64: 3 to 11
constexpr KIRQL kHighestDevice = 11;
constexpr unsigned kStorm = 10'000;  // services in a row after which a line that stays asserted is masked
constexpr const char* kService = "interrupt service";

}  // namespace

Interrupts::Interrupts(machine::Machine& machine) : machine_(machine) {}

Interrupts::~Interrupts() {
  for (const auto& input : inputs_)
    for (_KINTERRUPT* const interrupt : input->connections_) delete interrupt;
}

/// One for each processor; only a machine with devices has them.
void Interrupts::start_strands() {
  if (!strands_.empty()) return;
  for (machine::Processor& processor : machine_.processors()) {
    const std::uint32_t index = processor.index;
    strands_.push_back(std::make_unique<Thread>(Thread::Kind::Interrupts,
                                                fmt::format("interrupts of cpu {}", index), nullptr,
                                                [this, index] { loop(index); }));
    processor.interrupt_strand = strands_.back().get();
    if (!machine_.start(*strands_.back())) std::abort();
  }
}

InterruptInput& Interrupts::add_input(std::string name, bool line, std::uint64_t affinity) {
  start_strands();
  auto input = std::make_unique<InterruptInput>();
  const Hold hold(lock_);
  const auto count = static_cast<ULONG>(inputs_.size());
  input->name_ = std::move(name);
  input->vector_ = kFirstVector + count;
  input->irql_ = static_cast<KIRQL>(kLowestDevice + count % (kHighestDevice - kLowestDevice + 1));
  input->line_ = line;
  input->affinity_ = affinity;
  inputs_.push_back(std::move(input));
  return *inputs_.back();
}

InterruptInput* Interrupts::input_of(ULONG vector) noexcept {
  const Hold hold(lock_);
  for (const auto& input : inputs_)
    if (input->vector_ == vector) return input.get();
  return nullptr;
}

// ---- what is pending ----

void Interrupts::request_locked() noexcept {
  for (machine::Processor& processor : machine_.processors()) {
    KIRQL highest = 0;
    for (const auto& input : inputs_) {
      const bool here = (input->affinity_ >> processor.index & 1) != 0;
      if (here && input->pending_ && !input->masked_ && !input->serving_)
        highest = std::max(highest, input->irql_);
    }
    machine_.request_interrupt(processor, highest);
  }
}

InterruptInput* Interrupts::take_locked(std::uint32_t processor) noexcept {
  InterruptInput* highest = nullptr;
  for (const auto& input : inputs_) {
    if (!input->pending_ || input->masked_ || input->serving_ || (input->affinity_ >> processor & 1) == 0)
      continue;
    if (highest == nullptr || input->irql_ > highest->irql_) highest = input.get();
  }
  if (highest == nullptr) return nullptr;
  highest->pending_ = false;
  highest->serving_ = true;  // not on two processors at once: the controller holds it back until its end
  request_locked();
  return highest;
}

void Interrupts::assert_line(InterruptInput& input) noexcept {
  const Hold hold(lock_);
  ++input.asserted_;
  if (!input.connections_.empty()) input.pending_ = true;
  request_locked();
}

void Interrupts::release_line(InterruptInput& input) noexcept {
  const Hold hold(lock_);
  if (input.asserted_ != 0) --input.asserted_;
  if (input.asserted_ == 0) {
    input.pending_ = false;
    input.unchanged_ = 0;
  }
  request_locked();
}

void Interrupts::signal(InterruptInput& input) noexcept {
  const Hold hold(lock_);
  if (input.connections_.empty()) return;
  input.pending_ = true;
  request_locked();
}

void Interrupts::mask(InterruptInput& input, bool masked) noexcept {
  const Hold hold(lock_);
  input.masked_ = masked;
  request_locked();
}

bool Interrupts::is_pending(const InterruptInput& input) const noexcept {
  const Hold hold(lock_);
  return input.pending_;
}

// ---- connections ----

PKINTERRUPT Interrupts::connect(InterruptInput& input, Setup setup) {
  auto* const interrupt = new _KINTERRUPT;
  interrupt->input = &input;
  interrupt->service = std::move(setup.service);
  interrupt->lock = setup.lock != nullptr ? setup.lock : &interrupt->own_lock;
  interrupt->irql = std::max(setup.irql, input.irql());
  interrupt->driver = setup.driver;
  interrupt->made = Stack::capture(1);
  if (setup.where != nullptr) *setup.where = interrupt;
  {
    const Hold hold(lock_);
    input.connections_.push_back(interrupt);
    if (input.asserted_ != 0) input.pending_ = true;
    request_locked();
  }
  schedule_point("an interrupt is connected");
  return interrupt;
}

void Interrupts::disconnect(PKINTERRUPT interrupt) {
  {
    const Hold hold(lock_);
    InterruptInput& input = *interrupt->input;
    std::erase(input.connections_, interrupt);
    if (input.connections_.empty()) input.pending_ = false;
    interrupt->disconnecting = true;
    request_locked();
  }
  // A service that has begun ends without waiting for anybody but its lock: it takes its turn and no time.
  const auto runs = [&] {
    const Hold hold(lock_);
    return interrupt->running != 0;
  };
  while (runs()) machine_.move();
  delete interrupt;
}

bool Interrupts::is_connected(const _KINTERRUPT* interrupt) const noexcept {
  const Hold hold(lock_);
  for (const auto& input : inputs_)
    if (std::ranges::find(input->connections_, interrupt) != input->connections_.end()) return true;
  return false;
}

bool Interrupts::synchronize(_KINTERRUPT& interrupt, const char* function,
                             const std::function<bool()>& body) {
  const KIRQL before = irql();
  if (before > interrupt.irql) {
    report_misuse(Misuse::WrongIrql, function, &interrupt,
                  fmt::format("{} is called at IRQL {}, above that of the interrupt, {}", function, before,
                              interrupt.irql));
    return false;
  }
  set_irql(interrupt.irql);
  spin::acquire(interrupt.lock, function, __builtin_return_address(0));
  const bool result = body();
  spin::release(interrupt.lock, function);
  set_irql(before);
  schedule_point(function);
  return result;
}

void Interrupts::take_of(const Driver& driver, const std::function<void(_KINTERRUPT&)>& visit) {
  std::vector<_KINTERRUPT*> left;
  {
    const Hold hold(lock_);
    for (const auto& input : inputs_)
      for (_KINTERRUPT* const interrupt : input->connections_)
        if (interrupt->driver == &driver) left.push_back(interrupt);
  }
  for (_KINTERRUPT* const interrupt : left) {
    visit(*interrupt);
    disconnect(interrupt);
  }
}

// ---- service; on a processor's interrupt strand ----

void Interrupts::serve(InterruptInput& input) {
  std::vector<_KINTERRUPT*> connections;
  {
    const Hold hold(lock_);
    connections = input.connections_;
    for (_KINTERRUPT* const interrupt : connections) ++interrupt->running;
  }
  bool claimed = false;
  for (_KINTERRUPT* const interrupt : connections) {
    // A line's service ends with the device that asked for it; an edge says nothing about who did.
    if (!(claimed && input.line_) && !interrupt->disconnecting) {
      set_irql(interrupt->irql);
      spin::acquire(interrupt->lock, kService, nullptr);
      claimed = interrupt->service() || claimed;
      spin::release(interrupt->lock, kService);
    }
    const Hold hold(lock_);
    --interrupt->running;
  }
  bool storm = false;
  Driver* blame = nullptr;
  {
    const Hold hold(lock_);
    input.serving_ = false;
    if (input.line_ && input.asserted_ != 0 && !input.connections_.empty()) {
      storm = ++input.unchanged_ >= kStorm && !input.masked_;
      input.pending_ = true;
      if (storm) {
        input.masked_ = true;
        blame = input.connections_.front()->driver;
      }
    }
    request_locked();
  }
  if (storm)
    report_misuse_of(blame, Misuse::InterruptMisuse, kService, nullptr,
                     fmt::format("{} was served {} times and is still asserted{}: no service routine makes "
                                 "its device release it; it is masked now",
                                 input.name_, kStorm, claimed ? "" : ", and nobody claims it"));
}

void Interrupts::loop(std::uint32_t processor) {
  for (;;) {
    lock_.lock();
    InterruptInput* const input = take_locked(processor);
    lock_.unlock();
    if (input != nullptr) {
      set_irql(input->irql());
      serve(*input);
    }
    // Whether the next one may come is for the machine to say: what goes on below may be at the IRQL of that.
    machine_.end_interrupts();
  }
}

}  // namespace undis::kernel
