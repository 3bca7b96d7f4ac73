// SPDX-License-Identifier: MIT
//
// The report of a hang: which thread waits for what, and who holds it.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/pool.h"
#include "kernel/scheduling.h"
#include "kernel/spin.h"
#include "kernel/stack.h"
#include "kernel/system.h"
#include "kernel/time.h"
#include "kernel/wait.h"

namespace undis::kernel {
namespace {

std::string holder_text(Scheduling& scheduling, const void* lock) {
  // Who notes the lock as held tells more than the lock word; an EX_SPIN_LOCK's word has no owner in it.
  std::string text;
  const auto ask = [&](const Thread& thread) {
    const HeldLock* const held = thread.held(lock);
    if (held == nullptr) return;
    text += fmt::format("{}thread {}", text.empty() ? ", held by " : " and ", thread.name());
    if (thread.processor() != nullptr) text += fmt::format(" on cpu {}", thread.processor()->index);
    text += fmt::format(" since {}", held->function);
  };
  ask(scheduling.host);
  scheduling.threads.each([&](const Thread& thread) { ask(thread); });
  for (const auto& strand : scheduling.dpcs.strands()) ask(*strand);
  return text;
}

/// The strands that could end the wait, where the object says who that is.
std::vector<std::uint32_t> holders_of(Scheduling& scheduling, const Thread& thread) {
  std::vector<std::uint32_t> holders;
  const auto add = [&](const Thread* holder) {
    if (holder != nullptr && std::ranges::find(holders, holder->id()) == holders.end())
      holders.push_back(holder->id());
  };
  if (const void* const lock = thread.spins_for()) {
    const auto ask = [&](const Thread& other) {
      if (other.held(lock) != nullptr) add(&other);
    };
    ask(scheduling.host);
    scheduling.threads.each([&](const Thread& other) { ask(other); });
    for (const auto& strand : scheduling.dpcs.strands()) ask(*strand);
    return holders;
  }
  // A thread under a DPC waits for that DPC's end.
  if (thread.state() == machine::Strand::State::Interrupted && thread.processor() != nullptr)
    add(static_cast<const Thread*>(thread.processor()->current));
  if (!thread.wait.active) return holders;
  for (std::uint32_t i = 0; i < thread.wait.count; ++i) {
    const DISPATCHER_HEADER& header = *thread.wait.blocks[i].object;
    const auto type = static_cast<DispatcherType>(header.Type);
    if (type == DispatcherType::Thread) add(Thread::from_object(&header));
    if (type == DispatcherType::Mutant) {
      const auto& mutant = *CONTAINING_RECORD(&header, KMUTANT, Header);
      if (mutant.OwnerThread != nullptr) add(Thread::from_object(mutant.OwnerThread));
    }
  }
  return holders;
}

std::string object_text(Scheduling& scheduling, const DISPATCHER_HEADER& header, const char* name) {
  const std::string what =
      name != nullptr && *name != '\0' ? fmt::format("'{}'", name) : fmt::format("at {}", place_of(&header));
  switch (static_cast<DispatcherType>(header.Type)) {
  case DispatcherType::NotificationEvent:
  case DispatcherType::SynchronizationEvent:
    return fmt::format("event {}, which nobody has set", what);
  case DispatcherType::Mutant: {
    const auto& mutant = *CONTAINING_RECORD(&header, KMUTANT, Header);
    const Thread* const owner =
        mutant.OwnerThread != nullptr ? Thread::from_object(mutant.OwnerThread) : nullptr;
    return fmt::format("mutex {}, held by {}", what,
                       owner != nullptr ? "thread " + owner->name() : std::string("a thread that is gone"));
  }
  case DispatcherType::Semaphore:
    return fmt::format("semaphore {}, whose count is 0", what);
  case DispatcherType::Thread: {
    const Thread* const thread = Thread::from_object(&header);
    return fmt::format("the end of thread {}", thread != nullptr ? thread->name() : what);
  }
  case DispatcherType::NotificationTimer:
  case DispatcherType::SynchronizationTimer:
    return fmt::format("timer {}, {}", what,
                       scheduling.timers.is_active(*CONTAINING_RECORD(&header, KTIMER, Header))
                           ? "which is set"
                           : "which is not set");
  }
  return what;
}

std::string what_it_waits_for(Scheduling& scheduling, const Thread& thread) {
  if (const void* const lock = thread.spins_for()) {
    return fmt::format("spin lock at {}{}", place_of(lock), holder_text(scheduling, lock));
  }
  const Thread::Wait& wait = thread.wait;
  if (!wait.active)
    return thread.state() == machine::Strand::State::Parked ? "being woken" : "nothing: it runs without end";
  if (wait.count == 0) return "time to pass";
  std::string text;
  for (std::uint32_t i = 0; i < wait.count; ++i) {
    if (i != 0) text += wait.all ? " and " : " or ";
    text += object_text(scheduling, *wait.blocks[i].object, i == 0 ? wait.name : nullptr);
  }
  return text;
}

Waiter waiter_of(Scheduling& scheduling, const Thread& thread) {
  Waiter waiter{};
  waiter.thread = &thread;
  waiter.thread_name =
      *thread.activity != '\0' ? fmt::format("{} ({})", thread.name(), thread.activity) : thread.name();
  waiter.waits_for = what_it_waits_for(scheduling, thread);
  const CallFrame* frame = thread.calls;
  waiter.driver = frame->driver;
  waiter.function = frame->name;
  while (frame != nullptr && frame->kind != CallFrame::Kind::Callback) frame = frame->up;
  waiter.callback = frame != nullptr ? frame->name : "";
  waiter.since = thread.blocked_since;
  waiter.stack = stack_of(thread);
  waiter.id = thread.id();
  waiter.held_by = holders_of(scheduling, thread);
  return waiter;
}

}  // namespace

std::string place_of(const void* object) {
  System& system = System::current();
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  if (const Driver* const driver = system.driver_at(object)) {
    return fmt::format("{}+{:#x}", driver->name(), address - driver->image().begin);
  }
  PoolBlock block;
  if (system.pool().find(object, block)) {
    const auto offset = address - reinterpret_cast<std::uintptr_t>(block.address);
    return fmt::format("{} block '{}' ({} bytes{}) + {:#x}", block.live ? "pool" : "freed pool",
                       pool_tag_text(block.tag).text, block.size,
                       block.owner != nullptr ? " of " + block.owner->name() : std::string(), offset);
  }
  std::string text;
  const auto on_stack = [&](const Thread& thread) {
    if (address >= thread.stack_low() && address < thread.stack_high())
      text = fmt::format("the stack of thread {}", thread.name());
  };
  Scheduling& scheduling = system.scheduling();
  on_stack(scheduling.host);
  scheduling.threads.each([&](const Thread& thread) {
    if (!thread.has_ended()) on_stack(thread);
  });
  return text.empty() ? fmt::format("{:#x}", address) : text;
}

HangEvent describe_hang(Scheduling& scheduling, bool all) {
  std::vector<const Thread*> stuck;
  const auto consider = [&](const Thread& thread) {
    using State = machine::Strand::State;
    if (thread.has_ended() || thread.state() == State::Ended || thread.state() == State::New) return;
    if (thread.wait.for_work) return;
    if ((thread.kind() == Thread::Kind::Dpcs || thread.kind() == Thread::Kind::Interrupts) &&
        thread.state() == State::Parked && !thread.wait.active)
      return;
    const bool blocked =
        thread.state() == State::Spinning || thread.state() == State::Interrupted || thread.wait.active;
    if (all || blocked) stuck.push_back(&thread);
  };
  // The host in run() waits for everybody: it is no news.
  if (!scheduling.machine.can_abandon() && scheduling.host.blocked_frame != nullptr)
    consider(scheduling.host);
  scheduling.threads.each([&](const Thread& thread) { consider(thread); });
  for (const auto& strand : scheduling.dpcs.strands()) consider(*strand);
  for (const auto& strand : scheduling.interrupts.strands()) consider(*strand);
  std::stable_sort(stuck.begin(), stuck.end(),
                   [](const Thread* a, const Thread* b) { return a->id() < b->id(); });

  HangEvent hang;
  hang.now = scheduling.machine.now();
  for (const Thread* const thread : stuck) hang.waiters.push_back(waiter_of(scheduling, *thread));
  return hang;
}

std::vector<std::string> circles_of(const HangEvent& hang) {
  std::vector<std::string> circles;
  std::vector<std::uint32_t> told;
  const auto waiter = [&](std::uint32_t id) {
    const auto at = std::ranges::find_if(hang.waiters, [id](const Waiter& w) { return w.id == id; });
    return at == hang.waiters.end() ? nullptr : &*at;
  };
  for (const Waiter& first : hang.waiters) {
    // From each waiter to the first of those that it waits for, until one comes again.
    std::vector<const Waiter*> way;
    const Waiter* at = &first;
    while (at != nullptr && std::ranges::find(way, at) == way.end()) {
      way.push_back(at);
      at = at->held_by.empty() ? nullptr : waiter(at->held_by.front());
    }
    if (at == nullptr || at != &first || std::ranges::find(told, first.id) != told.end()) continue;
    std::string text;
    for (const Waiter* const one : way) {
      text += one->thread_name + " -> ";
      told.push_back(one->id);
    }
    circles.push_back(text + first.thread_name);
  }
  return circles;
}

std::string hang_text(const HangEvent& hang) {
  std::string text;
  for (const Waiter& waiter : hang.waiters) {
    text += fmt::format("  thread {}: waits for {}, since {} ms", waiter.thread_name, waiter.waits_for,
                        waiter.since / kTicksPerMillisecond);
    if (waiter.driver != nullptr) text += fmt::format(", in driver {}", waiter.driver->name());
    if (*waiter.callback != '\0') text += fmt::format(", in {}", waiter.callback);
    if (*waiter.function != '\0' && waiter.function != waiter.callback)
      text += fmt::format(", calling {}", waiter.function);
    text += '\n';
  }
  for (const std::string& circle : circles_of(hang))
    text += fmt::format("  each waits for the next: {}\n", circle);
  return text;
}

}  // namespace undis::kernel
