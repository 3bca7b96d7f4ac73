// SPDX-License-Identifier: MIT
//
// For tests of searches: a program of a few strands on a simulated machine of its own, without any kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "machine/simulated.h"
#include "machine/strategy.h"

namespace undis::machine {

/// One run of a program: its strands, and whether it came to what the test looks for.
class Program final : public Client {
 public:
  class Thread final : public Strand {
   public:
    Thread(std::function<void()> body) : body_(std::move(body)) {}  // NOLINT(google-explicit-constructor)

   private:
    void main() noexcept override {
      if (body_) body_();
    }
    bool owns_nothing() const noexcept override { return true; }
    std::function<void()> body_;
  };

  explicit Program(const Schedule& schedule, Trail* trail = nullptr)
      : machine(schedule, 0, trail), host_({}) {
    for (Processor& processor : machine.processors()) {
      dpcs_.push_back(std::make_unique<Thread>([this, &processor] {
        for (;;) {
          if (dpc) dpc(processor);
          machine.end_dpcs();
        }
      }));
      processor.dpc_strand = dpcs_.back().get();
    }
    machine.attach(*this, host_);
    for (const auto& strand : dpcs_) machine.start(*strand);
  }

  /// The strands go before the machine: it must not look at them any more.
  ~Program() { machine.detach(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[noreturn]] void host_is_stuck() noexcept override { std::abort(); }

  Thread& spawn(std::function<void()> body) {
    threads_.push_back(std::make_unique<Thread>(std::move(body)));
    threads_.back()->set_focused(true);
    machine.start(*threads_.back());
    return *threads_.back();
  }
  void point(const char* what) noexcept { machine.point(what); }
  Stop run() { return machine.run(threads_.empty() ? nullptr : threads_.front().get(), {}); }

  Simulated machine;
  std::function<void(Processor&)> dpc;  ///< what a processor's DPC strand does, at DISPATCH_LEVEL
  bool found = false;

 private:
  Thread host_;
  std::vector<std::unique_ptr<Thread>> dpcs_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

struct Hunt {
  std::uint64_t runs = 0;  ///< that were made
  bool found = false;      ///< in the last of them
  bool exhausted = false;
  Schedule schedule;
  Trail trail;  ///< of the last
};

/// Runs `body` under the schedules of a strategy until it sets `found`, or for at most `most` runs.
inline Hunt hunt(const char* strategy, const std::function<void(Program&)>& body, std::uint64_t most,
                 SearchSetup setup = {}) {
  Hunt result;
  const auto search = Strategy::make(strategy, setup);
  while (!result.found && result.runs < most) {
    const auto schedule = search->next();
    if (!schedule) {
      result.exhausted = true;
      break;
    }
    result.schedule = *schedule;
    result.trail.clear();
    search->prepare(result.trail);
    {
      Program program(*schedule, &result.trail);
      body(program);
      result.found = program.found;
    }
    ++result.runs;
    search->learn(*schedule, result.trail);
  }
  return result;
}

}  // namespace undis::machine
