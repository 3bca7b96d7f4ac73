// SPDX-License-Identifier: MIT
//
// The side of a gate that waits.
#include "ndis/gate.h"

#include <utility>

#include "machine/machine.h"

namespace undis {
namespace {

machine::Machine& machine_now() noexcept {
  return kernel::System::current().machine();
}

}  // namespace

Gate::Gate(std::string name)
    : processors_(machine_now().processors().size()), slots_(std::make_unique<Slot[]>(processors_)),
      empty_(std::move(name)) {}

Gate::~Gate() = default;

void Gate::close() noexcept {
  closed_.store(true, std::memory_order_relaxed);
  machine::finish_sections(machine_now());  // who was let in has counted himself
}

std::uint32_t Gate::inside() const noexcept {
  std::uint64_t left = 0;
  std::uint64_t entered = 0;
  // Those who have left first: each of them had entered before.
  for (std::size_t i = 0; i < processors_; ++i) left += slots_[i].left.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < processors_; ++i) entered += slots_[i].entered.load(std::memory_order_acquire);
  return static_cast<std::uint32_t>(entered - left);
}

void Gate::leave_and_tell(std::uint32_t users) noexcept {
  const kernel::Hold hold(lock_);
  count(own().left, users);
  if (inside() == 0) empty_.set();
}

void Gate::wait_empty() noexcept {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  // Whoever saw nobody wait, or a state that is no more, is through after this.
  machine::finish_sections(machine_now());
  for (;;) {
    {
      const kernel::Hold hold(lock_);
      if (inside() == 0) break;
      empty_.reset();
    }
    empty_.wait();
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace undis
