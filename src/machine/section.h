// SPDX-License-Identifier: MIT
//
// Sections: stretches of code that use what another processor may take away, without a lock or a reference.
//
// A section is short: nothing in it waits, passes a schedule point or calls a driver, so it begins and ends
// on one processor. Who takes something away first makes it unreachable, then calls finish_sections(), then
// frees it: a section that could still reach it is over by then. Entering and leaving write a counter of the
// own processor; one inside another costs nothing more.
#pragma once

#include <atomic>
#include <cstdint>

#include "machine/fence.h"
#include "machine/processor.h"

namespace undis::machine {

class Machine;

class Section {
 public:
  Section() noexcept : count_(processor_here->sections), outermost_(load() % 2 == 0) {
    if (outermost_) std::atomic_ref(count_).store(load() + 1, std::memory_order_relaxed);
    fence::light();
  }
  ~Section() {
    if (outermost_) std::atomic_ref(count_).store(load() + 1, std::memory_order_release);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  std::uint32_t load() const noexcept { return std::atomic_ref(count_).load(std::memory_order_relaxed); }

  std::uint32_t& count_;
  const bool outermost_;
};

/// Returns when every section that runs now, on any processor, is over. Not from inside one.
void finish_sections(Machine& machine) noexcept;

}  // namespace undis::machine
