// SPDX-License-Identifier: MIT
//
// The side of a gate that waits.
#include "ndis/gate.h"

#include "machine/machine.h"

namespace undis {
namespace {

machine::Machine& machine_now() noexcept {
  return kernel::System::current().machine();
}

}  // namespace

Gate::Gate(kernel::WaitName name)
    : pool_(kernel::System::current().tallies()), users_(pool_.take()), name_(name) {}

Gate::~Gate() {
  pool_.give(users_);
}

void Gate::close() noexcept {
  closed_.store(true, std::memory_order_relaxed);
  machine::finish_sections(machine_now());  // who was let in has counted himself
}

std::uint32_t Gate::inside() const noexcept {
  return static_cast<std::uint32_t>(pool_.inside(users_));
}

void Gate::leave_and_tell(std::uint32_t users) noexcept {
  const kernel::Hold hold(lock_);
  kernel::TallyPool::own(users_).leave(users);
  if (inside() != 0) return;
  for (Waiter* waiter = blocked_; waiter != nullptr; waiter = waiter->next) waiter->empty.set();
  blocked_ = nullptr;
}

void Gate::wait_empty() noexcept {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  // Whoever saw nobody wait, or a state that is no more, is through after this.
  machine::finish_sections(machine_now());
  Waiter waiter{kernel::Event(name_), nullptr};
  for (;;) {
    {
      const kernel::Hold hold(lock_);  // whoever wakes this thread is through with its event then
      if (inside() == 0) break;
      waiter.empty.reset();
      waiter.next = blocked_;
      blocked_ = &waiter;
    }
    waiter.empty.wait();
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace undis
