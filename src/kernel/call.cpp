// SPDX-License-Identifier: MIT
//
// The chain of calls of a thread, and the checks around each call out to a driver and each call in.
#include "kernel/call.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/lock.h"
#include "kernel/misuse.h"
#include "kernel/observer.h"
#include "kernel/spin.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "machine/footprint.h"

namespace undis::kernel {

FrameScope::FrameScope(CallFrame& frame) noexcept : frame_(frame) {
  if (Thread* const thread = Thread::current_or_null()) {
    frame.up = thread->calls;
    thread->calls = &frame;
  }
}

FrameScope::~FrameScope() {
  if (Thread* const thread = Thread::current_or_null()) thread->calls = frame_.up;
}

void tell_of_code_in(const CallFrame* frame) noexcept {
  if (machine::footprints_here == nullptr) return;
  const bool all = frame != nullptr && frame->kind == CallFrame::Kind::Callback && frame->driver != nullptr &&
                   frame->driver->tells_memory();
  System::current().machine().telling(all);
}

void tell_nothing() noexcept {
  if (machine::footprints_here != nullptr) System::current().machine().telling(false);
}

namespace {

/// A kept lock would stop everything that comes after: it is taken away, newest first.
void release_kept_locks(Thread& thread, const CallFrame& frame) {
  while (thread.spin_locks() > frame.spin_locks) {
    const HeldLock* const held = thread.held_at(thread.spin_locks() - 1);
    if (held == nullptr) break;
    Stack origin;
    origin.frames[0] = const_cast<void*>(held->return_address);
    origin.count = 1;
    report_misuse(Misuse::LockNotReleased, frame.name, held->lock,
                  fmt::format("{} returned with a spin lock held that it acquired by {}; every lock acquired "
                              "in a callback must be "
                              "released before it returns",
                              frame.name, held->function),
                  origin);
    spin::release_kept(thread, *held);
  }
}

}  // namespace

CalloutScope::CalloutScope(Driver* driver, const CallbackInfo& info, const void* object,
                           const void* detail) noexcept
    : info_(info) {
  if (locks_of_ours() != 0) {
    fmt::print(stderr, "undis: a driver's {} is about to be called with a lock of undis held\n", info.name);
    std::abort();
  }
  Thread* const thread = Thread::current_or_null();
  if (thread != nullptr) {
    was_focused_ = thread->focused();
    thread->set_focused(driver != nullptr && !driver->harness());
  }
  frame_.kind = CallFrame::Kind::Callback;
  frame_.name = info.name;
  frame_.driver = driver;
  // What undis does between the two points and the driver's code is this thread's own, but for what the
  // verifier notes.
  tell_of_code_in(&frame_);
  schedule_point(info.name);
  frame_.object = object;
  frame_.detail = detail;
  if (thread == nullptr) return;
  frame_.irql = irql();
  frame_.spin_locks = thread->spin_locks();
  frame_.up = thread->calls;
  thread->calls = &frame_;
  if (watches_all()) System::current().observer().on_callback_enter({frame_, info_});
}

CalloutScope::~CalloutScope() {
  Thread* const thread = Thread::current_or_null();
  if (thread == nullptr) return;
  if (watches_all()) System::current().observer().on_callback_leave({frame_, info_});
  const bool kept_a_lock = thread->spin_locks() > frame_.spin_locks;
  if (kept_a_lock) release_kept_locks(*thread, frame_);
  if (irql() != frame_.irql) {
    // A kept lock explains a raised IRQL; one finding is enough.
    if (!kept_a_lock) {
      report_misuse(Misuse::IrqlNotRestored, frame_.name, frame_.object,
                    fmt::format("{} was called at IRQL {} and returned at IRQL {}; a callback must return at "
                                "the IRQL at which it was "
                                "called",
                                frame_.name, frame_.irql, irql()));
    }
    set_irql(frame_.irql);
  }
  thread->calls = frame_.up;
  schedule_point(frame_.name);
  tell_nothing();
  thread->set_focused(was_focused_);
}

Driver* current_driver() noexcept {
  const Thread* const thread = Thread::current_or_null();
  return thread != nullptr ? thread->calls->driver : nullptr;
}

const CallFrame* current_callback() noexcept {
  const Thread* const thread = Thread::current_or_null();
  const CallFrame* frame = thread != nullptr ? thread->calls : nullptr;
  while (frame != nullptr && frame->kind != CallFrame::Kind::Callback) frame = frame->up;
  return frame;
}

bool inside_callback(const char* name, const void* object) noexcept {
  const Thread* const thread = Thread::current_or_null();
  for (const CallFrame* frame = thread != nullptr ? thread->calls : nullptr; frame != nullptr;
       frame = frame->up) {
    if (frame->kind != CallFrame::Kind::Callback || (object != nullptr && frame->object != object)) continue;
    if (frame->name == name || std::strcmp(frame->name, name) == 0) return true;
  }
  return false;
}

// ---- entry points of the kernel slice ----

void tell_wrong_irql(const char* name, KIRQL highest, KIRQL lowest) noexcept {
  const KIRQL now = irql();
  std::string allowed = lowest == 0         ? fmt::format("at IRQL <= {}", highest)
                        : lowest == highest ? fmt::format("at IRQL {}", highest)
                                            : fmt::format("at IRQL {} to {}", lowest, highest);
  report_misuse(Misuse::WrongIrql, name, nullptr,
                fmt::format("{} was called at IRQL {}; it may be called {}", name, now, allowed));
}

KernelCall::KernelCall(const char* name, KIRQL highest, KIRQL lowest, Points points, Tells tells) noexcept
    : points_(points) {
  frame_.kind = CallFrame::Kind::Ddi;
  frame_.name = name;
  if (Thread* const thread = Thread::current_or_null()) {
    if (points_ == Points::Both) schedule_point(name);
    if (tells == Tells::Nothing) tell_nothing();
    frame_.up = thread->calls;
    frame_.driver = frame_.up->driver;
    frame_.irql = irql();
    frame_.spin_locks = thread->spin_locks();
    thread->calls = &frame_;
    if (watches_all()) check_irql(name, highest, lowest);
  }
}

KernelCall::~KernelCall() {
  if (Thread* const thread = Thread::current_or_null()) {
    thread->calls = frame_.up;
    tell_of_code_in(frame_.up);
    if (points_ == Points::Both) schedule_point(frame_.name);
  }
}

}  // namespace undis::kernel
