// SPDX-License-Identifier: MIT
//
// Thread: its life from start to the moment when neither the machine nor a driver knows it any more.
#include "kernel/thread.h"

#include <fmt/format.h>

#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/scheduling.h"
#include "kernel/spin.h"
#include "kernel/system.h"
#include "kernel/wait.h"
#include "machine/footprint.h"

namespace undis::kernel {

Thread::Thread(Kind kind, std::string name, Driver* creator, std::function<void()> body)
    : kind_(kind), name_(std::move(name)), creator_(creator), body_(std::move(body)) {
  initialize_header(object_.Header, DispatcherType::Thread, sizeof object_, 0);
  object_.thread = this;
}

Thread::~Thread() = default;

Thread* Thread::from_object(const void* object) noexcept {
  const auto* const thread = static_cast<const _KTHREAD*>(object);
  if (thread == nullptr || type_of(thread->Header) != DispatcherType::Thread) return nullptr;
  return thread->thread;
}

void Thread::main() noexcept {
  ends_walks_at(__builtin_frame_address(0));
  body_();
  signal_end(STATUS_SUCCESS);
}

void Thread::terminate(NTSTATUS status) noexcept {
  calls = &no_call;
  signal_end(status);
  System::current().machine().exit();
  __builtin_unreachable();  // gcc does not see the [[noreturn]] of a virtual function
}

void Thread::signal_end(NTSTATUS status) noexcept {
  while (held_count_ != 0 && held_count_ <= held_.size()) {
    const HeldLock held = held_[held_count_ - 1];
    report_misuse(
        Misuse::LockNotReleased, held.function, held.lock,
        fmt::format("thread {} ends with a spin lock held that it acquired by {}", name_, held.function));
    spin::release_kept(*this, held);
  }
  if (irql() != PASSIVE_LEVEL) {
    report_misuse(Misuse::IrqlNotRestored, "PsTerminateSystemThread", &object_,
                  fmt::format("thread {} ends at IRQL {}; a thread ends at PASSIVE_LEVEL", name_, irql()));
    set_irql(PASSIVE_LEVEL);
  }
  machine::tell_touched(&object_, sizeof object_, true);
  exit_status_ = status;
  has_ended_ = true;
  {
    const Hold hold(dispatcher_lock);
    object_.Header.SignalState = 1;
    wake_waiters(object_.Header);
  }
  // The running thread's own reference. Whoever holds another keeps the KTHREAD in being.
  System::current().objects().dereference(&object_);
}

void Thread::object_gone() noexcept {
  let_go();
}

void Thread::ended() noexcept {
  let_go();
}

bool Thread::owns_nothing() const noexcept {
  if (state() == State::New) return true;
  if (state() != State::Parked || wait.active) return false;
  return kind_ == Kind::Dpcs || kind_ == Kind::Interrupts || wait.for_work;
}

void Thread::let_go() noexcept {
  if (--kept_by_ != 0) return;
  System::current().scheduling().threads.remove(*this);
  delete this;
}

void Thread::note_acquired(const HeldLock& lock) noexcept {
  if (held_count_ < held_.size()) held_[held_count_] = lock;
  ++held_count_;
}

bool Thread::note_released(const void* lock) noexcept {
  const auto remembered = std::min<std::size_t>(held_count_, held_.size());
  for (std::size_t i = remembered; i-- > 0;) {
    if (held_[i].lock != lock) continue;
    for (; i + 1 < remembered; ++i) held_[i] = held_[i + 1];
    --held_count_;
    return true;
  }
  if (held_count_ <= held_.size()) return false;
  --held_count_;  // one of those that are only counted
  return true;
}

const HeldLock* Thread::held(const void* lock) const noexcept {
  const auto remembered = std::min<std::size_t>(held_count_, held_.size());
  for (std::size_t i = 0; i < remembered; ++i) {
    if (held_[i].lock == lock) return &held_[i];
  }
  return nullptr;
}

}  // namespace undis::kernel
